#include "node/background.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "base/errno.h"
#include "node/protocol.h"

namespace nacre::node {
namespace {

void close_all_but(int kept) {
  const auto fd = static_cast<unsigned>(kept);
  if (fd > 3) ::close_range(3, fd - 1, 0);
  ::close_range(fd + 1, ~0u, 0);
}

void redirect(int fd, const char* path, int flags) {
  const os::Fd file(::open(path, flags | O_CLOEXEC | O_NOCTTY, 0600));
  if (file.valid()) ::dup2(file.get(), fd);
}

std::string read_to_end(int fd) {
  std::string text;
  std::array<char, 4096> part;
  while (true) {
    const ssize_t count =
        os::retry_interrupted([&] { return ::read(fd, part.data(), part.size()); });
    if (count <= 0) return text;
    text.append(part.data(), static_cast<size_t>(count));
  }
}

std::string fate_of(int wait_status) {
  if (WIFSIGNALED(wait_status))
    return fmt::format("was killed by signal {}", WTERMSIG(wait_status));
  return fmt::format("ended with status {}", WEXITSTATUS(wait_status));
}

}  // namespace

Result<Background> Background::fork() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return error_from_errno(errno, "go to the background");
  os::Fd from_child(ends[0]);
  os::Fd to_parent(ends[1]);
  const pid_t pid = ::fork();
  if (pid < 0) return error_from_errno(errno, "go to the background");
  if (pid > 0) return Background(false, pid, std::move(from_child));
  from_child.reset();
  close_all_but(to_parent.get());
  ::setsid();
  if (::chdir("/") != 0) return error_from_errno(errno, "change to /");
  return Background(true, 0, std::move(to_parent));
}

Status Background::wait() {
  const std::string text = read_to_end(pipe_.get());
  pipe_.reset();
  if (text.empty()) {
    int wait_status = 0;
    os::retry_interrupted([&] { return ::waitpid(pid_, &wait_status, 0); });
    return Error(Code::kIo, fmt::format("the background process {} before it was ready",
                                        fate_of(wait_status)));
  }
  const auto line = decode_answer_line(text);
  if (!line.ok()) return line.error();
  if (!line->answer.ok()) return line->answer.error();
  return {};
}

void Background::report(const Status& status, const std::string& errors) {
  const Result<Json> answer =
      status.ok() ? Result<Json>(Json::object()) : Result<Json>(status.error());
  if (status.ok()) {
    redirect(STDIN_FILENO, "/dev/null", O_RDONLY);
    redirect(STDOUT_FILENO, "/dev/null", O_WRONLY);
    redirect(STDERR_FILENO, errors.c_str(), O_WRONLY | O_APPEND | O_CREAT);
  }
  const std::string line = to_line(answer_line(answer));
  // A parent that was killed meanwhile does not matter.
  [[maybe_unused]] const ssize_t written = ::write(pipe_.get(), line.data(), line.size());
  pipe_.reset();
}

}  // namespace nacre::node
