// Three members: some are killed, and come back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>

#include "etcd/admin.h"
#include "etcd/lease.h"
#include "os/clock.h"
#include "os/thread.h"
#include "real_cluster.h"

namespace nacre::etcd {
namespace {

using Failover = ThreeMembers;

// The seconds that something took.
double timed(const std::function<void()>& body) {
  const int64_t began_ns = now_ns();
  body();
  return static_cast<double>(now_ns() - began_ns) / 1e9;
}

TEST_F(Failover, GoesOnWithoutAFollowerAndWithoutTheLeader) {
  // A write under way when a member dies has an unknown outcome, and so has one that a follower
  // still sends to a leader that is gone. Those that come later go through.
  const auto client = cluster().client(seconds(2));
  const auto put = [&](const std::string& value) {
    return eventually([&] { return client->put("k", value).ok(); }, seconds(10));
  };
  const size_t follower = (cluster().leader() + 1) % 3;
  client->set_endpoints({cluster().endpoints()[follower]});
  EXPECT_TRUE(put("1"));
  client->set_endpoints(cluster().endpoints());  // it goes on with the follower
  cluster().kill(follower);
  EXPECT_TRUE(put("2"));
  cluster().start(follower);
  cluster().kill(cluster().leader());
  EXPECT_TRUE(put("3"));
  EXPECT_EQ(ok(client->get("k"))->value, "3");
}

TEST_F(Failover, LosesNothingThatWasAcknowledgedWhileLeadersDie) {
  std::atomic<bool> done = false;
  int acknowledged = 0;
  int unknown = 0;
  os::Thread writer("writer", [&] {
    const auto client = cluster().client(seconds(2));
    for (int i = 0; !done; ++i) {
      const auto result = client->put(fmt::format("w/{:06}", i), "");
      if (result.ok()) {
        ++acknowledged;
      } else {
        EXPECT_THAT(result.code(), testing::AnyOf(Code::kTimeout, Code::kUnavailable));
        // What is unknown may be there or not; what is not done must not be there.
        if (result.code() == Code::kTimeout) {
          ++unknown;
        } else {
          const auto check = cluster().client(seconds(20));
          EXPECT_FALSE(ok(check->get(fmt::format("w/{:06}", i)))) << result.error().to_string();
        }
      }
    }
  });
  for (int round = 0; round < 2; ++round) {
    ::usleep(500'000);
    const size_t leader = cluster().leader();
    cluster().kill(leader);
    ::usleep(2'500'000);
    cluster().start(leader);
  }
  done = true;
  writer.join();
  const size_t there = ok(cluster().client()->range(KeyRange::prefix("w/"))).rows.size();
  EXPECT_GT(acknowledged, 100);
  EXPECT_GE(there, static_cast<size_t>(acknowledged));
  EXPECT_LE(there, static_cast<size_t>(acknowledged + unknown));
}

TEST_F(Failover, SaysWhatIsMissingWithoutAMajorityAndGoesOnWithIt) {
  const auto client = cluster().client(seconds(2));
  ok(client->put("k", "1"));
  cluster().kill(0);
  cluster().kill(1);
  // Until the survivor knows, a write waits at it, and its outcome is unknown.
  EXPECT_LT(timed([&] {
              const auto put = client->put("k", "2");
              EXPECT_FALSE(put.ok());
            }),
            6);
  EXPECT_LT(timed([&] {
              const auto put = client->put("k", "3");
              ASSERT_FALSE(put.ok());
              expect_error(put.error(), Code::kUnavailable, "all of ");
            }),
            6);
  EXPECT_LT(timed([&] {
              const auto survivor = cluster().client_of(2, seconds(2));
              const auto get = survivor->get("k");
              ASSERT_FALSE(get.ok());
              expect_error(get.error(), Code::kUnavailable, "a majority of etcd's members");
            }),
            5);
  const auto health = client->admin().health();
  EXPECT_FALSE(health[0].healthy());
  EXPECT_FALSE(health[2].healthy());

  cluster().start_all();
  ok(client->put("k", "4"));
  EXPECT_EQ(ok(client->get("k"))->value, "4");
}

TEST(OneFailing, LeavesAWriteToAStoppedMemberUnknown) {
  RealCluster cluster(1);
  const auto client = cluster.client(seconds(1));
  ok(client->put("k", "1"));
  ::kill(cluster.member(0).pid(), SIGSTOP);
  EXPECT_LT(timed([&] {
              const auto put = client->put("k", "2");
              ASSERT_FALSE(put.ok());
              expect_error(put.error(), Code::kTimeout, "may or may not");
              EXPECT_EQ(client->get("k").code(), Code::kUnavailable);
            }),
            5);
  ::kill(cluster.member(0).pid(), SIGCONT);
  EXPECT_TRUE(eventually([&] { return client->get("k").ok(); }));
  EXPECT_THAT(ok(client->get("k"))->value, testing::AnyOf("1", "2"));
}

TEST_F(Failover, TakesOtherEndpointsWhileItRuns) {
  const auto client =
      ok(Client::open({.endpoints = {free_address()}, .deadline = milliseconds(300)}));
  EXPECT_EQ(client->get("k").code(), Code::kUnavailable);
  client->set_endpoints(cluster().endpoints());
  EXPECT_TRUE(eventually([&] { return client->put("k", "1").ok(); }));
  EXPECT_EQ(client->endpoints(), cluster().endpoints());
}

TEST(Leases, ExpireWithoutTheirHolderAndLiveWithIt) {
  RealCluster cluster(1);
  const auto client = cluster.client();
  const GrantedLease left = ok(client->grant(seconds(2)));
  ok(client->put("left", "", left.id));
  auto kept = ok(Lease::open(*client, os::real_clock(), seconds(2)));
  ok(client->put("kept", "", kept->id()));
  EXPECT_TRUE(eventually([&] { return !ok(client->get("left")); }));
  EXPECT_TRUE(ok(client->get("kept")));
  EXPECT_TRUE(kept->valid());
  kept.reset();
  EXPECT_FALSE(ok(client->get("kept")));
}

TEST(Leases, AreLostInTimeWhenEtcdCannotBeReached) {
  RealCluster cluster(1);
  const auto client = cluster.client();
  const int64_t began_ns = now_ns();
  std::atomic<int64_t> lost_ns = 0;
  const auto lease = ok(Lease::open(*client, os::real_clock(), seconds(2),
                                    [&](const Error&) { lost_ns = now_ns(); }));
  ok(client->put("leased", "", lease->id()));
  const int64_t killed_ns = now_ns();
  cluster.kill(0);
  EXPECT_TRUE(eventually([&] { return lost_ns != 0; }));
  EXPECT_GE(lost_ns, began_ns + 2'000'000'000);
  EXPECT_LE(lost_ns, killed_ns + 2'500'000'000);
  EXPECT_FALSE(lease->valid());
}

}  // namespace
}  // namespace nacre::etcd
