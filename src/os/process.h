// A program run as a child process that does not outlive us.
//
// Every child has a thread of ours that started it and waits for its end. The kernel sends the
// child SIGTERM when that thread ends (PR_SET_PDEATHSIG goes by the thread that forked, not by the
// process). The thread lives exactly until the child is reaped, so the signal comes only when this
// whole process dies, be it by kill -9. Should the child take a while to end, or ignore SIGTERM, it
// may run on for that long.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "os/mutex.h"
#include "os/thread.h"

namespace nacre::os {

struct ProcessOptions {
  std::string program = {};                   // a path, or a name to be found in PATH
  std::vector<std::string> arguments = {};    // without the program's name
  std::vector<std::string> environment = {};  // NAME=VALUE, besides or instead of our own
  // Variables of ours that begin so are kept from the child; those of `environment` are not.
  std::vector<std::string> hidden_prefixes = {};
  // Where standard output and error are appended; made with mode 0600 if missing. Empty: /dev/null.
  std::string log_path = {};
};

// How a process ended.
struct ExitStatus {
  int wait_status = 0;  // as waitpid() gives it
  bool clean() const { return wait_status == 0; }
  // "exit code 1", "killed by signal 9 (Killed)".
  std::string to_string() const;
};

// Safe from any thread. Owns the child: the destructor terminates it.
class Process {
 public:
  // The child has a process group of its own, no descriptors but the standard three, /dev/null as
  // standard input, and no blocked or ignored signals. On return the program runs. kNotFound if
  // there is no such program, kAccess if it may not be run.
  static Result<std::unique_ptr<Process>> start(const ProcessOptions& options);
  // terminate(), with 5 seconds of patience.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  // Waits for the end for at most `limit`; none if the child still runs then. Zero: just looks.
  std::optional<ExitStatus> wait(std::chrono::nanoseconds limit);
  // To the child's whole process group; nothing happens when the child has ended.
  void signal(int number);
  // SIGTERM, and SIGKILL to what is left after `patience`. On return the child is gone.
  ExitStatus terminate(std::chrono::nanoseconds patience);

 private:
  struct Plan;

  Process() = default;
  void reap();

  pid_t pid_ = -1;  // set before start() returns

  // A leaf. The child is reaped under it, so that no signal meets a pid that is somebody else's.
  Mutex mutex_;
  CondVar changed_;
  bool started_ GUARDED_BY(mutex_) = false;
  int start_errno_ GUARDED_BY(mutex_) = 0;
  std::optional<ExitStatus> exit_ GUARDED_BY(mutex_);

  Thread thread_;  // last: it uses all of the above
};

}  // namespace nacre::os
