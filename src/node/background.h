// Going to the background: a child process that outlives the command which started it, and a pipe
// by which it says whether it came up. Before there are threads.
#pragma once

#include <string>

#include "base/result.h"
#include "os/fd.h"

namespace nacre::node {

class Background {
 public:
  // Forks. The child leaves the session and the working directory, and closes every descriptor but
  // the standard ones.
  static Result<Background> fork();

  bool is_child() const { return child_; }
  // Parent: waits for report(). What the child reported; kIo if it ended before.
  Status wait();
  // Child: what came of the start. On success standard input and output become /dev/null, and
  // standard error goes to the end of the file `errors`.
  void report(const Status& status, const std::string& errors);

 private:
  Background(bool child, int pid, os::Fd pipe) : child_(child), pid_(pid), pipe_(std::move(pipe)) {}

  bool child_;
  int pid_;
  os::Fd pipe_;
};

}  // namespace nacre::node
