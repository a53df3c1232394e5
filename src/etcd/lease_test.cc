#include "etcd/lease.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>

#include "etcd/fake_client.h"

namespace nacre::etcd {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr int64_t kSecondNs = 1'000'000'000;

const GrantedLease kRenewed{{77}, seconds(1)};

template <class Condition>
bool eventually(Condition condition) {
  for (int i = 0; i < 30'000 && !condition(); ++i) ::usleep(1'000);
  return condition();
}

TEST(Lease, IsKeptAliveAndRevokedAtItsEnd) {
  FakeClient etcd(1, 0);
  etcd.keep_alive_gives({kRenewed});
  {
    const auto lease = Lease::open(etcd, os::real_clock(), seconds(1)).take();
    const int64_t first_ns = lease->valid_until_ns();
    EXPECT_TRUE(eventually([&] { return lease->valid_until_ns() > first_ns + kSecondNs; }));
    EXPECT_TRUE(lease->valid());
    EXPECT_FALSE(lease->lost());
    EXPECT_TRUE(etcd.revoked().empty());
  }
  EXPECT_EQ(etcd.revoked(), std::vector<LeaseId>{{77}});
}

TEST(Lease, IsCountedFromBeforeItWasAskedFor) {
  // The clock stands still, so the grant is sent at its present moment.
  os::ManualClock clock;
  FakeClient etcd(1, 0);
  const int64_t now_ns = clock.monotonic_ns();
  const auto lease = Lease::open(etcd, clock, seconds(10)).take();
  EXPECT_EQ(lease->valid_until_ns(), now_ns + 10 * kSecondNs);
  clock.advance(10 * kSecondNs);
  EXPECT_FALSE(lease->valid());
}

TEST(Lease, IsLostWhenEtcdHasDroppedIt) {
  FakeClient etcd(1, 0);
  etcd.keep_alive_gives({kRenewed, Code::kNotFound});
  std::atomic<int> calls = 0;
  const auto lease = Lease::open(etcd, os::real_clock(), seconds(1), [&](const Error& why) {
                       EXPECT_EQ(why.code(), Code::kNotFound);
                       ++calls;
                     }).take();
  EXPECT_TRUE(eventually([&] { return calls == 1; }));
  EXPECT_TRUE(lease->lost());
  EXPECT_FALSE(lease->valid());
}

TEST(Lease, SurvivesFailuresUntilItsTimeIsOver) {
  FakeClient etcd(1, 0);
  etcd.keep_alive_gives({Code::kUnavailable, Code::kTimeout, kRenewed, Code::kUnavailable});
  std::atomic<bool> lost = false;
  const int64_t began_ns = os::real_clock().monotonic_ns();
  const auto lease = Lease::open(etcd, os::real_clock(), seconds(1), [&](const Error& why) {
                       EXPECT_EQ(why.code(), Code::kTimeout);
                       lost = true;
                     }).take();
  EXPECT_TRUE(eventually([&] { return lost.load(); }));
  // Renewed once, after a third of its time or later.
  EXPECT_GE(os::real_clock().monotonic_ns() - began_ns, kSecondNs * 4 / 3);
  EXPECT_TRUE(lease->lost());
}

TEST(Lease, IsLeftToItsEndWhenAbandoned) {
  FakeClient etcd(1, 0);
  etcd.keep_alive_gives({kRenewed});
  Lease::open(etcd, os::real_clock(), seconds(1)).take()->abandon();
  EXPECT_TRUE(etcd.revoked().empty());
}

}  // namespace
}  // namespace nacre::etcd
