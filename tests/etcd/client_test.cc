// Rows, transactions and leases on a real etcd.
#include "etcd/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>

#include "etcd/admin.h"
#include "os/thread.h"
#include "real_cluster.h"

namespace nacre::etcd {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

// One member, shared by tests that leave it as it is and use keys of their own.
class OneMember : public testing::Test {
 protected:
  static void SetUpTestSuite() { running = std::make_unique<RealCluster>(1); }
  static void TearDownTestSuite() { running.reset(); }
  static RealCluster& cluster() { return *running; }

  const std::unique_ptr<Client> client_ = running->client();

 private:
  static inline std::unique_ptr<RealCluster> running;
};

TEST_F(OneMember, KeepsRowsWithTheirRevisions) {
  const Revision first = ok(client_->put("row", "one"));
  const Revision second = ok(client_->put("row", std::string("two\0three", 9)));
  EXPECT_EQ(second.value, first.value + 1);
  const auto row = ok(client_->get("row"));
  ASSERT_TRUE(row);
  EXPECT_EQ(row->value, std::string("two\0three", 9));
  EXPECT_EQ(row->created, first);
  EXPECT_EQ(row->modified, second);
  EXPECT_EQ(row->version, 2u);
  EXPECT_EQ(ok(client_->page({"row"}, {.at = first})).rows.at(0).value, "one");
  EXPECT_EQ(ok(client_->erase({"row"})), 1u);
  EXPECT_EQ(ok(client_->erase({"row"})), 0u);
  EXPECT_FALSE(ok(client_->get("row")));
}

TEST_F(OneMember, DoesOneBranchOfATransaction) {
  const Txn create{.compares = {absent("txn/a"), absent("txn/b")},
                   .then = {Put{"txn/a", "1"}, Put{"txn/b", "2"}},
                   .otherwise = {Get{KeyRange::prefix("txn/")}, Erase{KeyRange::prefix("txn/")}}};
  const TxnResult created = ok(client_->transact(create));
  EXPECT_TRUE(created.succeeded);
  EXPECT_THAT(created.results, SizeIs(2));
  const TxnResult refused = ok(client_->transact(create));
  EXPECT_FALSE(refused.succeeded);
  EXPECT_EQ(refused.revision.value, created.revision.value + 1);
  ASSERT_THAT(refused.results, SizeIs(2));
  EXPECT_THAT(refused.results[0].rows, SizeIs(2));
  EXPECT_EQ(refused.results[1].erased, 2u);
}

TEST_F(OneMember, ComparesVersionRevisionsAndValue) {
  const Revision created = ok(client_->put("compare", "m"));
  const Revision modified = ok(client_->put("compare", "n"));
  const auto holds = [&](const Compare& compare) {
    return ok(client_->transact({.compares = {compare}})).succeeded;
  };
  EXPECT_TRUE(holds(version_is("compare", Relation::kEqual, 2)));
  EXPECT_FALSE(holds(version_is("compare", Relation::kLess, 2)));
  EXPECT_TRUE(holds(present("compare")));
  EXPECT_FALSE(holds(absent("compare")));
  EXPECT_TRUE(holds(created_is("compare", Relation::kEqual, created)));
  EXPECT_TRUE(holds(modified_is("compare", Relation::kEqual, modified)));
  EXPECT_TRUE(holds(modified_is("compare", Relation::kGreater, created)));
  EXPECT_FALSE(holds(modified_is("compare", Relation::kEqual, created)));
  EXPECT_TRUE(holds(modified_is("compare/none", Relation::kEqual, {})));
  EXPECT_TRUE(holds(value_is("compare", Relation::kEqual, "n")));
  EXPECT_TRUE(holds(value_is("compare", Relation::kGreater, "m")));
  EXPECT_FALSE(holds(value_is("compare", Relation::kLess, "m")));
}

TEST_F(OneMember, ReadsALargeRangeAtOneRevision) {
  constexpr size_t kRows = 3'000;
  for (size_t i = 0; i < kRows; i += 100) {
    Txn txn;
    for (size_t j = i; j < i + 100; ++j) txn.then.emplace_back(Put{fmt::format("large/{:05}", j)});
    ok(client_->transact(txn));
  }
  // Rewrites all rows in each transaction while we read: every page must be of the same moment.
  std::atomic<bool> done = false;
  const os::Thread writer("writer", [&] {
    for (int round = 0; !done; ++round) {
      Txn txn;
      for (size_t i = 0; i < kRows; i += 30) {
        txn.then.emplace_back(Put{fmt::format("large/{:05}", i), fmt::format("{}", round)});
      }
      ok(client_->transact(txn));
    }
  });
  for (int i = 0; i < 10; ++i) {
    const Page all = ok(client_->range(KeyRange::prefix("large/")));
    EXPECT_THAT(all.rows, SizeIs(kRows));
    std::set<std::string> values;
    for (size_t j = 0; j < all.rows.size(); j += 30) values.insert(all.rows[j].value);
    EXPECT_THAT(values, SizeIs(1));
  }
  done = true;
}

TEST_F(OneMember, LetsExactlyOneWinEachRound) {
  constexpr int kThreads = 8;
  constexpr int kRounds = 40;
  std::vector<std::atomic<int>> winners(kRounds);
  {
    std::vector<os::Thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back("racer", [&] {
        for (int round = 0; round < kRounds; ++round) {
          const std::string key = fmt::format("race/{}", round);
          const auto result =
              ok(client_->transact({.compares = {absent(key)}, .then = {Put{key, "mine"}}}));
          if (result.succeeded) ++winners[static_cast<size_t>(round)];
        }
      });
    }
  }
  for (const auto& each : winners) EXPECT_EQ(each, 1);
}

TEST_F(OneMember, LosesNoUpdateOfACounter) {
  constexpr int kThreads = 6;
  constexpr int kUpdates = 30;
  ok(client_->put("counter", "0"));
  {
    std::vector<os::Thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back("counter", [&] {
        for (int done = 0; done < kUpdates;) {
          const Row row = *ok(client_->get("counter"));
          const std::string next = std::to_string(std::stoi(row.value) + 1);
          done += ok(client_->transact(
                         {.compares = {modified_is("counter", Relation::kEqual, row.modified)},
                          .then = {Put{"counter", next}}}))
                      .succeeded;
        }
      });
    }
  }
  EXPECT_EQ(ok(client_->get("counter"))->value, std::to_string(kThreads * kUpdates));
}

TEST_F(OneMember, GrantsLeasesThatTakeTheirRowsAlong) {
  const GrantedLease lease = ok(client_->grant(seconds(60)));
  EXPECT_EQ(lease.ttl, seconds(60));
  ok(client_->put("leased", "", lease.id));
  EXPECT_EQ(ok(client_->get("leased"))->lease, lease.id);
  const LeaseStatus status = ok(client_->time_to_live(lease.id));
  EXPECT_EQ(status.granted, seconds(60));
  EXPECT_GT(status.left, seconds(50));
  EXPECT_THAT(status.keys, ElementsAre("leased"));
  EXPECT_EQ(ok(client_->keep_alive(lease.id, seconds(1))).ttl, seconds(60));
  ok(client_->revoke(lease.id, seconds(1)));
  EXPECT_FALSE(ok(client_->get("leased")));
  EXPECT_EQ(client_->keep_alive(lease.id, seconds(1)).code(), Code::kNotFound);
  EXPECT_EQ(client_->time_to_live(lease.id).code(), Code::kNotFound);
  EXPECT_EQ(client_->revoke(lease.id, seconds(1)).code(), Code::kNotFound);
}

TEST_F(OneMember, RefusesWhatIsTooLargeOrCompacted) {
  expect_error(client_->put("large", std::string(2 * kMiB, 'x')).error(), Code::kTooBig,
               cluster().endpoints()[0]);
  Txn many;
  for (int i = 0; i < 200; ++i) many.then.emplace_back(Put{fmt::format("many/{}", i)});
  EXPECT_EQ(client_->transact(many).code(), Code::kTooBig);

  const Revision old = ok(client_->put("compacted", "1"));
  const Revision now = ok(client_->put("compacted", "2"));
  ok(client_->compact(now));
  EXPECT_EQ(client_->page({"compacted"}, {.at = old}).code(), Code::kBelowFloor);
  EXPECT_EQ(client_->compact(old).code(), Code::kBelowFloor);
  EXPECT_EQ(client_->compact({now.value + 1'000'000}).code(), Code::kOutOfRange);
}

TEST_F(OneMember, TellsHowItIs) {
  const EndpointStatus status = ok(client_->admin().status());
  EXPECT_EQ(status.member, status.leader);
  EXPECT_GT(status.database_bytes, 0u);
  EXPECT_GE(status.revision.value, 1u);
  const auto members = ok(client_->admin().members());
  ASSERT_THAT(members, SizeIs(1));
  EXPECT_EQ(members[0].name, "m0");
  EXPECT_EQ(members[0].id, status.member);
  EXPECT_FALSE(members[0].learner);
  EXPECT_TRUE(client_->admin().health().at(0).healthy());
  EXPECT_TRUE(ok(client_->admin().alarms()).empty());
  ok(client_->admin().defragment(cluster().endpoints()[0]));
}

TEST(SmallQuota, SaysThatTheDatabaseIsFullAndWhatToDo) {
  RealCluster cluster(1);
  cluster.kill(0);
  cluster.options(0).quota_bytes = 512 * kKiB;
  cluster.start(0);
  const auto client = cluster.client();
  Status put;
  Revision last;
  for (int i = 0; i < 300 && put.ok(); ++i) {
    auto result = client->put("fill", std::string(100 * kKiB, 'x'));
    if (result.ok()) {
      last = *result;
    } else {
      put = std::move(result).error();
    }
  }
  ASSERT_FALSE(put.ok());
  expect_error(put.error(), Code::kNoSpace, "disarm");
  // What it says works.
  ok(client->compact(last));
  ok(client->admin().defragment(cluster.endpoints()[0]));
  for (const Alarm& alarm : ok(client->admin().alarms())) ok(client->admin().disarm(alarm));
  ok(client->put("fill", "little"));
}

}  // namespace
}  // namespace nacre::etcd
