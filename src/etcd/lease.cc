#include "etcd/lease.h"

#include <algorithm>
#include <utility>

namespace nacre::etcd {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr int kTriesPerTtl = 3;
constexpr nanoseconds kRetryPause = std::chrono::milliseconds(100);
constexpr seconds kRevokeLimit(1);

int64_t to_ns(seconds time) { return nanoseconds(time).count(); }

}  // namespace

Lease::Lease(Client& client, os::Clock& clock, const GrantedLease& granted, int64_t granted_ns,
             OnLost on_lost)
    : client_(client),
      clock_(clock),
      id_(granted.id),
      on_lost_(std::move(on_lost)),
      ttl_ns_(to_ns(granted.ttl)),
      valid_until_ns_(granted_ns + to_ns(granted.ttl)),
      thread_("etcd-lease", [this] { run(); }) {}

Result<std::unique_ptr<Lease>> Lease::open(Client& client, os::Clock& clock, seconds ttl,
                                           OnLost on_lost) {
  const int64_t sent_ns = clock.monotonic_ns();
  const GrantedLease granted = TRY(client.grant(ttl));
  return std::unique_ptr<Lease>(new Lease(client, clock, granted, sent_ns, std::move(on_lost)));
}

Lease::~Lease() {
  bool revoke = false;
  {
    const os::Lock lock(mutex_);
    stopping_ = true;
    revoke = !abandoned_ && !lost_;
    changed_.notify_all();
  }
  thread_.join();
  // Should it fail, the lease ends by itself.
  if (revoke) (void)client_.revoke(id_, kRevokeLimit);
}

void Lease::abandon() {
  const os::Lock lock(mutex_);
  stopping_ = true;
  abandoned_ = true;
  changed_.notify_all();
}

bool Lease::wait(int64_t until_ns) {
  const os::Lock lock(mutex_);
  while (!stopping_) {
    const int64_t left_ns = until_ns - clock_.monotonic_ns();
    if (left_ns <= 0) return true;
    changed_.wait_for(mutex_, nanoseconds(left_ns));
  }
  return false;
}

void Lease::lose(const Error& why) {
  valid_until_ns_ = std::min(valid_until_ns_.load(), clock_.monotonic_ns());
  lost_ = true;
  if (on_lost_) on_lost_(why);
}

void Lease::run() {
  int64_t next_ns = valid_until_ns_ - ttl_ns_ + ttl_ns_ / kTriesPerTtl;
  while (wait(next_ns)) {
    const int64_t sent_ns = clock_.monotonic_ns();
    const int64_t left_ns = valid_until_ns_ - sent_ns;
    if (left_ns <= 0) {
      return lose(Error(Code::kTimeout, "a lease in etcd could not be kept alive in time"));
    }
    const auto answer =
        client_.keep_alive(id_, nanoseconds(std::min(left_ns, ttl_ns_ / kTriesPerTtl)));
    if (answer.ok()) {
      ttl_ns_ = to_ns(answer->ttl);
      // Not less than before: an answer cannot take back what an earlier one promised.
      valid_until_ns_ = std::max(valid_until_ns_.load(), sent_ns + ttl_ns_);
      next_ns = sent_ns + ttl_ns_ / kTriesPerTtl;
    } else if (answer.code() == Code::kNotFound) {
      return lose(answer.error());
    } else {
      next_ns = std::min(clock_.monotonic_ns() + kRetryPause.count(), valid_until_ns_.load());
    }
  }
}

}  // namespace nacre::etcd
