// A lease in etcd that keeps itself alive. Rows put with it exist as long as it does.
//
// The holder may count on it until valid_until_ns(), in the monotonic time of this machine, which
// is counted from the moment the last successful keep-alive was sent: etcd's own count began later.
// etcd may let a lease live longer (an election gives every lease its full time again), so its end
// is no proof for others that the holder has stopped; valid_until_ns() is a promise to the holder
// alone.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "etcd/client.h"
#include "os/clock.h"
#include "os/mutex.h"
#include "os/thread.h"

namespace nacre::etcd {

// Safe from any thread. The destructor revokes the lease if etcd can be reached within a second;
// its rows go with it. Let it expire instead: see abandon().
class Lease {
 public:
  // Called once, on the lease's own thread: etcd has dropped the lease, or it could not be kept
  // alive in time. Must not destroy the lease.
  using OnLost = std::function<void(const Error&)>;

  // A new lease that ends `ttl` (or more, if etcd says so) after its holder was last heard of. It
  // is kept alive three times in that time. `client` and `clock` outlive it.
  static Result<std::unique_ptr<Lease>> open(Client& client, os::Clock& clock,
                                             std::chrono::seconds ttl, OnLost on_lost = {});
  ~Lease();
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  LeaseId id() const { return id_; }
  // On the clock's monotonic time. In the past once it is lost.
  int64_t valid_until_ns() const { return valid_until_ns_; }
  bool valid() const { return clock_.monotonic_ns() < valid_until_ns_; }
  // For good: valid_until_ns() is over, or etcd has dropped it.
  bool lost() const { return lost_; }
  // Stops keeping it alive, and leaves it to etcd to end it.
  void abandon();

 private:
  Lease(Client& client, os::Clock& clock, const GrantedLease& granted, int64_t granted_ns,
        OnLost on_lost);
  void run();
  // Waits until it is time for the next try; false when stopped.
  bool wait(int64_t until_ns);
  void lose(const Error& why);

  Client& client_;
  os::Clock& clock_;
  const LeaseId id_;
  const OnLost on_lost_;
  std::atomic<int64_t> ttl_ns_;
  std::atomic<int64_t> valid_until_ns_;
  std::atomic<bool> lost_ = false;

  os::Mutex mutex_;  // a leaf
  os::CondVar changed_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  bool abandoned_ GUARDED_BY(mutex_) = false;

  os::Thread thread_;  // last: it uses all of the above
};

}  // namespace nacre::etcd
