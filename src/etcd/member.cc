#include "etcd/member.h"

#include <signal.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "etcd/admin.h"
#include "os/clock.h"
#include "os/file_system.h"

namespace nacre::etcd {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr milliseconds kRestartWaitMin(200);
constexpr seconds kRestartWaitMax(10);
// Whoever ran that long is given a fresh start.
constexpr seconds kSteady(60);
constexpr milliseconds kLookInterval(50);
// With the others gone, it would look for one to lead in its place for seven seconds.
constexpr seconds kPatience(3);
constexpr uint64_t kLogBytesMax = 16 * kMiB;
constexpr uint64_t kLogTailBytes = 16 * kKiB;

int64_t now_ns() { return os::real_clock().monotonic_ns(); }

Result<std::string> read_from(const std::string& path, uint64_t offset) {
  const auto file = TRY(os::real_file_system().open(path, os::OpenMode::kRead));
  const uint64_t size = TRY(file->size());
  const uint64_t begin = std::max(offset, size - std::min(size, kLogTailBytes));
  std::string text(size - std::min(size, begin), '\0');
  text.resize(TRY(file->read_at(begin, as_writable_bytes(text))));
  return text;
}

uint64_t size_of(const std::string& path) {
  const auto file = os::real_file_system().open(path, os::OpenMode::kRead);
  if (!file.ok()) return 0;
  const auto size = (*file)->size();
  return size.ok() ? *size : 0;
}

// One old log is kept.
void turn_log(const std::string& path) {
  if (size_of(path) < kLogBytesMax) return;
  const Status renamed = os::real_file_system().rename(path, path + ".old");
  if (!renamed.ok()) spdlog::warn("log of etcd: {}", renamed.error().to_string());
}

// Makes the directory if it is missing, and marks it as this member's for good.
Status claim_directory(const MemberOptions& options) {
  os::FileSystem& files = os::real_file_system();
  TRY(files.create_directories(options.data_dir));
  const std::string path = options.data_dir + "/member";
  const std::string ours = "cluster " + options.cluster + "\nmember " + options.name + "\n";
  const auto found = read_from(path, 0);
  if (found.ok() && *found == ours) return {};
  if (found.ok() && !found->empty()) {
    return Error(Code::kInvalid, options.data_dir + " holds the etcd data of another member or " +
                                     "cluster (see " + path + "): give a directory of its own");
  }
  if (!found.ok() && found.code() != Code::kNotFound) return found.error();
  const auto file = TRY(files.open(path, os::OpenMode::kCreate));
  TRY(file->write_at(0, as_bytes(ours)));
  TRY(file->sync());
  return files.sync_directory(options.data_dir);
}

}  // namespace

Member::Member(MemberOptions options, std::unique_ptr<Client> client)
    : options_(std::move(options)),
      client_(std::move(client)),
      thread_("etcd-member", [this] { supervise(); }) {}

Member::~Member() { stop(); }

Result<std::unique_ptr<Member>> Member::launch(const MemberOptions& options) {
  TRY(claim_directory(options));
  auto client = TRY(Client::open(
      {.endpoints = {client_endpoint(options)}, .tls = options.tls, .deadline = seconds(1)}));
  return std::unique_ptr<Member>(new Member(options, std::move(client)));
}

Result<std::unique_ptr<Member>> Member::start(const MemberOptions& options, nanoseconds limit) {
  auto member = TRY(launch(options));
  TRY(member->wait_ready(limit));
  return member;
}

// Whoever answers there may be another one that has our port.
Status Member::look() {
  const EndpointStatus status = TRY(client_->admin().status_of(client_endpoint(options_)));
  if (status.learner) return {};  // it may not say who it is
  for (const MemberInfo& each : TRY(client_->admin().members())) {
    if (each.id == status.member && each.name == options_.name) return {};
  }
  return Error(Code::kBusy, "another etcd answers at " + client_endpoint(options_));
}

Status Member::wait_ready(nanoseconds limit) {
  const int64_t end_ns = now_ns() + limit.count();
  for (;;) {
    const Status answer = look();
    const os::Lock lock(mutex_);
    ready_ |= answer.ok();
    if (answer.ok()) return {};
    if (failure_ && !ready_) return *failure_;
    if (now_ns() >= end_ns) {
      return Error(Code::kTimeout, "etcd member " + options_.name +
                                       " runs, but does not answer: a majority of the members " +
                                       "must run; see " + options_.log_path + "; " +
                                       answer.error().context());
    }
    changed_.wait_for(mutex_, kLookInterval);
  }
}

void Member::run_once() {
  turn_log(options_.log_path);
  const uint64_t log_begin = size_of(options_.log_path);
  auto started = os::Process::start(member_process(options_));
  const bool ran = started.ok();
  std::optional<Error> failure;
  if (ran) {
    const std::shared_ptr<os::Process> process = started.take();
    {
      const os::Lock lock(mutex_);
      process_ = process;
      ++starts_;
      if (stopping_) process->signal(SIGTERM);  // stop() came before there was anything to stop
    }
    std::optional<os::ExitStatus> status;
    while (!status) status = process->wait(std::chrono::hours(1));
    const auto log = read_from(options_.log_path, log_begin);
    failure = explain_exit(options_, log.ok() ? *log : "", *status);
  } else if (started.code() == Code::kNotFound) {
    failure = Error(Code::kNotFound,
                    started.error().context() + ": install it with `apt install etcd-server`");
  } else {
    failure = std::move(started).error();
  }
  const os::Lock lock(mutex_);
  process_ = nullptr;
  if (stopping_) return;
  spdlog::warn("{}", failure->to_string());
  removed_ = ran && failure->code() == Code::kNotFound;
  failure_ = std::move(failure);
  changed_.notify_all();
}

void Member::supervise() {
  for (nanoseconds wait = kRestartWaitMin;;
       wait = std::min<nanoseconds>(2 * wait, kRestartWaitMax)) {
    const int64_t began_ns = now_ns();
    run_once();
    if (nanoseconds(now_ns() - began_ns) > kSteady) wait = kRestartWaitMin;
    const int64_t again_ns = now_ns() + wait.count();
    const os::Lock lock(mutex_);
    while (!stopping_ && !removed_ && now_ns() < again_ns) {
      changed_.wait_for(mutex_, nanoseconds(again_ns - now_ns()));
    }
    if (stopping_ || removed_) return;
  }
}

void Member::end(nanoseconds patience) {
  std::shared_ptr<os::Process> process;
  {
    const os::Lock lock(mutex_);
    stopping_ = true;
    process = process_;
    changed_.notify_all();
  }
  if (process) process->terminate(patience);
  thread_.join();
}

void Member::stop() { end(kPatience); }

void Member::kill() {
  {
    const os::Lock lock(mutex_);
    stopping_ = true;
    if (process_) process_->signal(SIGKILL);
  }
  end({});
}

pid_t Member::pid() const {
  const os::Lock lock(mutex_);
  return process_ ? process_->pid() : 0;
}

int Member::starts() const {
  const os::Lock lock(mutex_);
  return starts_;
}

std::optional<Error> Member::failure() const {
  const os::Lock lock(mutex_);
  return failure_;
}

}  // namespace nacre::etcd
