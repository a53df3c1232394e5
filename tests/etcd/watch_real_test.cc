// Watches of real members that are killed, compacted, and stopped.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <map>

#include "etcd/watch.h"
#include "os/thread.h"
#include "real_cluster.h"

namespace nacre::etcd {
namespace {

using RealWatch = ThreeMembers;

// What a watch has given. Every transaction of the writer puts the same number into all of its
// keys, one more each time: so nothing was skipped, repeated or torn if the numbers go up by one.
class Follower {
 public:
  static constexpr int kKeys = 5;

  explicit Follower(Client& client, WatchOptions options = {})
      : watch_(client, "f/", handlers(), options) {}

  int last() const { return last_; }
  int snapshots() const { return snapshots_; }
  bool reaches(int number) {
    return eventually([&] { return last_ >= number; });
  }
  const Watch& watch() const { return watch_; }

  // The writer's transaction of that number.
  static Txn change(int number) {
    Txn txn;
    for (int key = 0; key < kKeys; ++key) {
      txn.then.emplace_back(Put{fmt::format("f/{}", key), std::to_string(number)});
    }
    // An outcome may have been unknown: done once, it is not done again.
    const std::string before = std::to_string(number - 1);
    if (number > 1) txn.compares = {value_is("f/0", Relation::kEqual, before)};
    return txn;
  }

 private:
  WatchHandlers handlers() {
    return {[this](Revision, const std::vector<Row>& rows) {
              ++snapshots_;
              for (const Row& row : rows) EXPECT_EQ(row.value, rows.front().value);
              const int number = rows.empty() ? 0 : std::stoi(rows.front().value);
              EXPECT_GE(number, last_);
              last_ = number;
            },
            [this](Revision, const std::vector<Event>& events) {
              EXPECT_EQ(events.size() % kKeys, 0u) << "part of a revision";
              for (size_t i = 0; i < events.size(); ++i) {
                EXPECT_EQ(events[i].row.value, std::to_string(last_ + 1));
                if (i % kKeys == kKeys - 1) ++last_;
              }
            }};
  }

  std::atomic<int> last_ = 0;
  std::atomic<int> snapshots_ = 0;
  Watch watch_;
};

// Puts numbers until it is stopped, each until it is surely done.
class Writer {
 public:
  explicit Writer(const RealCluster& cluster) : client_(cluster.client(seconds(2))) {}
  ~Writer() { stop(); }

  int stop() {
    stopping_ = true;
    thread_.join();
    return last_;
  }
  int last() const { return last_; }

 private:
  void run() {
    while (!stopping_) {
      const auto result = client_->transact(Follower::change(last_ + 1));
      // Refused is what an earlier attempt with an unknown outcome had done.
      if (result.ok()) ++last_;
      ::usleep(1'000);
    }
  }

  const std::unique_ptr<Client> client_;
  std::atomic<int> last_ = 0;
  std::atomic<bool> stopping_ = false;
  os::Thread thread_{"writer", [this] { run(); }};
};

TEST_F(RealWatch, SeesEveryChangeInOrderWhileMembersAndLeadersDie) {
  const auto client = cluster().client();
  Writer writer(cluster());
  Follower follower(*client);
  EXPECT_TRUE(follower.reaches(1));
  for (const bool leader : {false, true}) {
    const size_t victim = leader ? cluster().leader() : (cluster().leader() + 1) % 3;
    cluster().kill(victim);
    EXPECT_TRUE(follower.reaches(writer.last() + 50));
    cluster().start(victim);
  }
  EXPECT_TRUE(follower.reaches(writer.stop()));
  EXPECT_EQ(follower.snapshots(), 1);
}

TEST_F(RealWatch, GoesOnWhenAllMembersWereDown) {
  const auto client = cluster().client();
  Writer writer(cluster());
  Follower follower(*client);
  EXPECT_TRUE(follower.reaches(20));
  for (size_t i = 0; i < 3; ++i) cluster().kill(i);
  EXPECT_TRUE(eventually([&] { return follower.watch().trouble().has_value(); }));
  cluster().start_all();
  EXPECT_TRUE(follower.reaches(writer.last() + 20));
  EXPECT_TRUE(follower.reaches(writer.stop()));
  EXPECT_FALSE(follower.watch().trouble());
  EXPECT_EQ(follower.snapshots(), 1);
}

TEST(RealWatchOfOne, ListsAnewWhenEventsWereCompactedWhileItWasAway) {
  RealCluster cluster(1);
  const auto client = cluster.client();
  const auto other = cluster.client();
  ok(other->transact(Follower::change(1)));
  Follower follower(*client);
  EXPECT_TRUE(follower.reaches(1));
  // Away: it knows only an endpoint where nobody is, and its stream breaks.
  client->set_endpoints({free_address()});
  cluster.kill(0);
  cluster.start(0);
  EXPECT_TRUE(eventually([&] { return follower.watch().trouble().has_value(); }));
  Revision last;
  for (int i = 2; i <= 10; ++i) {
    EXPECT_TRUE(eventually([&] { return other->transact(Follower::change(i)).ok(); }));
  }
  last = ok(other->put("elsewhere", ""));
  ok(other->compact(last));
  client->set_endpoints(cluster.endpoints());
  EXPECT_TRUE(follower.reaches(10));
  EXPECT_EQ(follower.snapshots(), 2);
  ok(other->transact(Follower::change(11)));
  EXPECT_TRUE(follower.reaches(11));
  EXPECT_EQ(follower.snapshots(), 2);
}

TEST_F(RealWatch, LeavesAMemberThatFallsSilent) {
  const size_t silent = (cluster().leader() + 1) % 3;
  const size_t speaking = (silent + 1) % 3;
  const auto client = cluster().client();
  client->set_endpoints({cluster().endpoints()[silent]});
  Follower follower(*client, {.patience = milliseconds(500)});
  const auto other = cluster().client_of(speaking);
  ok(other->transact(Follower::change(1)));
  EXPECT_TRUE(follower.reaches(1));
  client->set_endpoints({cluster().endpoints()[silent], cluster().endpoints()[speaking]});
  ::kill(cluster().member(silent).pid(), SIGSTOP);
  ok(other->transact(Follower::change(2)));
  EXPECT_TRUE(follower.reaches(2));
  EXPECT_EQ(follower.snapshots(), 1);
  ::kill(cluster().member(silent).pid(), SIGCONT);
}

TEST(RealWatchOfOne, HearsOfProgressWhileOnlyOthersChange) {
  RealCluster cluster(1);
  const auto client = cluster.client();
  Follower follower(*client);
  const Revision last = ok(client->put("elsewhere", ""));
  EXPECT_TRUE(eventually([&] { return follower.watch().revision() >= last; }));
}

TEST(RealWatchOfOne, GivesALargeRevisionWhole) {
  RealCluster cluster(1);
  const auto client = cluster.client();
  std::atomic<int> revisions = 0;
  std::atomic<size_t> events = 0;
  const Watch watch(*client, "big/",
                    {[](Revision, const std::vector<Row>&) {},
                     [&](Revision, const std::vector<Event>& batch) {
                       std::map<Revision, size_t> sizes;
                       for (const Event& each : batch) ++sizes[each.row.modified];
                       for (const auto& [revision, size] : sizes) EXPECT_EQ(size, 20u);
                       revisions += static_cast<int>(sizes.size());
                       events += batch.size();
                     }});
  // Over the size at which etcd fragments what it sends, once several are sent together.
  for (int round = 0; round < 5; ++round) {
    Txn txn;
    for (int i = 0; i < 20; ++i) {
      txn.then.emplace_back(Put{fmt::format("big/{}", i), std::string(60'000, 'x')});
    }
    ok(client->transact(txn));
  }
  EXPECT_TRUE(eventually([&] { return events == 100; }));
  EXPECT_EQ(revisions, 5);
}

}  // namespace
}  // namespace nacre::etcd
