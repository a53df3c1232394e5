// A member of an etcd cluster, run as a child process and started again whenever it ends. It ends
// with this process, be that killed.
//
// The data directory is ours: it holds etcd's own directory, and a file that says which member of
// which cluster it belongs to.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "etcd/client.h"
#include "etcd/member_command.h"
#include "os/mutex.h"
#include "os/process.h"
#include "os/thread.h"

namespace nacre::etcd {

// Safe from any thread. The destructor stops it.
class Member {
 public:
  // Starts the program and, from then on, starts it again when it ends: after 0.2 seconds, and up
  // to 10 if it keeps ending. kInvalid if the data directory belongs to another member or cluster.
  static Result<std::unique_ptr<Member>> launch(const MemberOptions& options);
  // As launch(), then wait_ready(); what does not get ready is stopped.
  static Result<std::unique_ptr<Member>> start(const MemberOptions& options,
                                               std::chrono::nanoseconds limit);
  ~Member();
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;

  // Waits until the member answers, which takes a majority of the members. As soon as the program
  // has ended, or could not be started, since launch(): why, as explain_exit() says, or kNotFound
  // if it is not installed. kTimeout when it runs, but without an answer; it may still get ready
  // later.
  Status wait_ready(std::chrono::nanoseconds limit);
  // Sends it away: it hands leadership over and ends. Nothing starts it again. Idempotent.
  void stop();
  // As stop(), but gives it no time to hand anything over.
  void kill();

  // 0 while it does not run.
  pid_t pid() const;
  // How often it was started.
  int starts() const;
  // Why it last ended or was not started; none if it never has.
  std::optional<Error> failure() const;
  // HOST:PORT for clients.
  std::string endpoint() const { return client_endpoint(options_); }

 private:
  Member(MemberOptions options, std::unique_ptr<Client> client);
  void supervise();
  Status look();
  // Runs the program once, to its end.
  void run_once();
  void end(std::chrono::nanoseconds patience);

  const MemberOptions options_;
  const std::unique_ptr<Client> client_;

  mutable os::Mutex mutex_;  // a leaf
  os::CondVar changed_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  bool ready_ GUARDED_BY(mutex_) = false;  // it has answered
  bool removed_ GUARDED_BY(mutex_) = false;
  int starts_ GUARDED_BY(mutex_) = 0;
  std::shared_ptr<os::Process> process_ GUARDED_BY(mutex_);
  std::optional<Error> failure_ GUARDED_BY(mutex_);

  os::Thread thread_;  // last: it uses all of the above
};

}  // namespace nacre::etcd
