#include "os/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "base/errno.h"
#include "os/clock.h"
#include "os/fd.h"

extern char** environ;

namespace nacre::os {
namespace {

constexpr std::chrono::seconds kPatience(5);

bool begins_with_any(std::string_view text, const std::vector<std::string>& prefixes) {
  return std::ranges::any_of(prefixes, [&](const auto& each) { return text.starts_with(each); });
}

// Variables of `environment` replace those of the same name.
std::vector<std::string> environment_of(const ProcessOptions& options) {
  std::vector<std::string> hidden = options.hidden_prefixes;
  for (const std::string& each : options.environment) {
    hidden.push_back(each.substr(0, each.find('=') + 1));
  }
  std::vector<std::string> variables;
  for (char** each = environ; *each != nullptr; ++each) {
    if (!begins_with_any(*each, hidden)) variables.emplace_back(*each);
  }
  variables.insert(variables.end(), options.environment.begin(), options.environment.end());
  return variables;
}

Result<std::string> find_program(const std::string& program) {
  if (program.find('/') != std::string::npos) return program;
  const char* const path = ::getenv("PATH");
  std::string_view rest = path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find(':'), rest.size());
    std::string candidate = std::string(rest.substr(0, end)) + "/" + program;
    if (candidate[0] == '/' && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return Error(Code::kNotFound, "run " + program + ": no such program in PATH");
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> list;
  for (std::string& word : words) list.push_back(word.data());
  list.push_back(nullptr);
  return list;
}

}  // namespace

// All that the child needs, made before the fork: between fork and exec only async-signal-safe
// functions may be called.
struct Process::Plan {
  std::string program;
  std::vector<std::string> words;
  std::vector<std::string> variables;
  std::vector<char*> argv;
  std::vector<char*> envp;
  Fd input;
  Fd output;
  Fd errno_reader;
  Fd errno_writer;  // closed by a successful exec

  static Result<std::unique_ptr<Plan>> make(const ProcessOptions& options);
  [[noreturn]] void run(pid_t parent) const;
};

Result<std::unique_ptr<Process::Plan>> Process::Plan::make(const ProcessOptions& options) {
  auto plan = std::make_unique<Plan>();
  plan->program = TRY(find_program(options.program));
  plan->words = options.arguments;
  plan->words.insert(plan->words.begin(), options.program);
  plan->variables = environment_of(options);
  plan->argv = pointers(plan->words);
  plan->envp = pointers(plan->variables);

  plan->input = Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const std::string log = options.log_path.empty() ? "/dev/null" : options.log_path;
  plan->output = Fd(::open(log.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  if (!plan->output.valid()) return error_from_errno(errno, "open " + log);
  int ends[2];
  if (!plan->input.valid() || ::pipe2(ends, O_CLOEXEC) != 0) {
    return error_from_errno(errno, "run " + options.program);
  }
  plan->errno_reader = Fd(ends[0]);
  plan->errno_writer = Fd(ends[1]);
  return plan;
}

// In the child.
void Process::Plan::run(pid_t parent) const {
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(1);  // it died before the line above
  const bool ready = ::dup2(input.get(), STDIN_FILENO) >= 0 &&
                     ::dup2(output.get(), STDOUT_FILENO) >= 0 &&
                     ::dup2(output.get(), STDERR_FILENO) >= 0;
  if (ready) {
    // Ours are closed by exec anyway; this is for what libraries have opened.
    ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
    ::execve(program.c_str(), argv.data(), envp.data());
  }
  const int error_number = errno;
  [[maybe_unused]] const ssize_t told =
      ::write(errno_writer.get(), &error_number, sizeof(error_number));
  ::_exit(127);
}

std::string ExitStatus::to_string() const {
  if (WIFEXITED(wait_status)) return fmt::format("exit code {}", WEXITSTATUS(wait_status));
  if (!WIFSIGNALED(wait_status)) return fmt::format("wait status {}", wait_status);
  const int number = WTERMSIG(wait_status);
  return fmt::format("killed by signal {} ({})", number, ::sigdescr_np(number));
}

Result<std::unique_ptr<Process>> Process::start(const ProcessOptions& options) {
  std::unique_ptr<Plan> plan = TRY(Plan::make(options));
  std::unique_ptr<Process> process(new Process);
  Process* const raw = process.get();
  raw->thread_ = Thread("child", [raw, &plan] {
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid == 0) plan->run(parent);
    int error_number = pid < 0 ? errno : 0;
    raw->pid_ = pid;
    if (pid > 0) {
      plan->errno_writer.reset();
      int told = 0;
      // Ends when the child has run exec, or has said why it could not.
      const ssize_t n =
          retry_interrupted([&] { return ::read(plan->errno_reader.get(), &told, sizeof(told)); });
      if (n == static_cast<ssize_t>(sizeof(told))) error_number = told;
    }
    {
      const Lock lock(raw->mutex_);
      raw->start_errno_ = error_number;
      raw->started_ = true;
      raw->changed_.notify_all();
    }
    if (pid > 0) raw->reap();  // `plan` may be gone by now
  });
  int error_number = 0;
  {
    const Lock lock(raw->mutex_);
    while (!raw->started_) raw->changed_.wait(raw->mutex_);
    error_number = raw->start_errno_;
  }
  if (error_number == 0) return process;
  raw->thread_.join();
  return error_from_errno(error_number, "run " + options.program);
}

void Process::reap() {
  siginfo_t ignored = {};
  retry_interrupted(
      [&] { return ::waitid(P_PID, static_cast<id_t>(pid_), &ignored, WEXITED | WNOWAIT); });
  const Lock lock(mutex_);
  ExitStatus status;
  retry_interrupted([&] { return ::waitpid(pid_, &status.wait_status, 0); });
  exit_ = status;
  changed_.notify_all();
}

Process::~Process() {
  if (pid_ > 0) terminate(kPatience);
}

std::optional<ExitStatus> Process::wait(std::chrono::nanoseconds limit) {
  const int64_t end_ns = real_clock().monotonic_ns() + limit.count();
  const Lock lock(mutex_);
  while (!exit_) {
    const int64_t left_ns = end_ns - real_clock().monotonic_ns();
    if (left_ns <= 0) break;
    changed_.wait_for(mutex_, std::chrono::nanoseconds(left_ns));
  }
  return exit_;
}

void Process::signal(int number) {
  const Lock lock(mutex_);
  if (!exit_ && pid_ > 0) ::kill(-pid_, number);
}

ExitStatus Process::terminate(std::chrono::nanoseconds patience) {
  signal(SIGTERM);
  if (const auto status = wait(patience)) return *status;
  signal(SIGKILL);
  const Lock lock(mutex_);
  while (!exit_) changed_.wait(mutex_);
  return *exit_;
}

}  // namespace nacre::os
