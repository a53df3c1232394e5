#include "etcd/watch.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <map>

#include "etcd/fake_client.h"

namespace nacre::etcd {
namespace {

using std::chrono::milliseconds;

const WatchOptions kImpatient{.patience = milliseconds(2), .retry_pause = milliseconds(1)};

// What a watch has given, put together; finds whatever is out of order.
class Mirror {
 public:
  WatchHandlers handlers() {
    return {[this](Revision revision, std::vector<Row> rows) {
              const os::Lock lock(mutex_);
              EXPECT_GE(revision, last_);
              last_ = revision;
              ++snapshots_;
              rows_.clear();
              for (Row& row : rows) rows_[row.key] = std::move(row);
            },
            [this](Revision revision, std::vector<Event> events) {
              const os::Lock lock(mutex_);
              EXPECT_FALSE(events.empty());
              EXPECT_EQ(events.back().row.modified, revision);
              for (Event& event : events) take(std::move(event), revision);
              last_ = revision;
            }};
  }
  std::map<std::string, Row> rows() const {
    const os::Lock lock(mutex_);
    return rows_;
  }
  int snapshots() const {
    const os::Lock lock(mutex_);
    return snapshots_;
  }

 private:
  void take(Event event, Revision revision) REQUIRES(mutex_) {
    EXPECT_GT(event.row.modified, last_);
    EXPECT_LE(event.row.modified, revision);
    if (event.kind == Event::Kind::kErase) {
      EXPECT_EQ(rows_.erase(event.row.key), 1u) << "erased twice, or never put";
    } else {
      rows_[event.row.key] = std::move(event.row);
    }
  }

  mutable os::Mutex mutex_;  // a leaf
  std::map<std::string, Row> rows_ GUARDED_BY(mutex_);
  Revision last_ GUARDED_BY(mutex_);
  int snapshots_ GUARDED_BY(mutex_) = 0;
};

void wait_for(const Watch& watch, Revision revision) {
  for (int i = 0; i < 30'000 && watch.revision() < revision; ++i) ::usleep(1'000);
  EXPECT_GE(watch.revision(), revision);
}

bool same(const std::map<std::string, Row>& a, const std::map<std::string, Row>& b) {
  return std::ranges::equal(a, b, [](const auto& x, const auto& y) {
    return x.first == y.first && x.second.value == y.second.value &&
           x.second.modified == y.second.modified;
  });
}

TEST(Watch, GivesASnapshotAndThenEveryChange) {
  FakeClient etcd(1, 0);
  for (int i = 0; i < 10; ++i) etcd.apply({Put{fmt::format("a/{}", i), "old"}});
  etcd.apply({Put{"b", "of no concern"}});
  Mirror mirror;
  const Watch watch(etcd, "a/", mirror.handlers());
  wait_for(watch, {11});
  EXPECT_EQ(mirror.rows().size(), 10u);
  etcd.apply({Put{"a/3", "new"}, Erase{{"a/4"}}, Put{"b", "still not"}});
  wait_for(watch, {12});
  EXPECT_EQ(mirror.rows().at("a/3").value, "new");
  EXPECT_FALSE(mirror.rows().contains("a/4"));
  EXPECT_EQ(mirror.snapshots(), 1);
  EXPECT_FALSE(watch.trouble());
}

TEST(Watch, AdvancesWhileOnlyOthersChange) {
  FakeClient etcd(1, 0);
  Mirror mirror;
  const Watch watch(etcd, "a/", mirror.handlers());
  for (int i = 0; i < 5; ++i) etcd.apply({Put{"b", "x"}});
  wait_for(watch, {5});
  EXPECT_TRUE(mirror.rows().empty());
}

TEST(Watch, GivesANewSnapshotWhenEventsAreCompacted) {
  FakeClient etcd(1, 0);
  Mirror mirror;
  etcd.apply({Put{"a/1", "old"}});
  WatchHandlers handlers = mirror.handlers();
  // Compacts while the watch is busy with its first events, and cannot see the next.
  handlers.on_events = [&, next = handlers.on_events](Revision revision,
                                                      std::vector<Event> events) {
    next(revision, std::move(events));
    if (revision == Revision{2}) {
      etcd.apply({Erase{{"a/1"}}});
      const Revision now = etcd.apply({Put{"a/2", "new"}});
      EXPECT_TRUE(etcd.compact({now.value + 1}).ok());
      etcd.apply({Put{"b", ""}});
    }
  };
  const Watch watch(etcd, "a/", handlers, kImpatient);
  wait_for(watch, {1});
  etcd.apply({Put{"a/1", "newer"}});
  wait_for(watch, {5});
  EXPECT_GE(mirror.snapshots(), 2);
  EXPECT_TRUE(same(mirror.rows(), etcd.rows("a/")));
}

TEST(Watch, StopsAtOnceWhateverItWaitsFor) {
  FakeClient idle(1, 0);
  FakeClient broken(1, 100);
  for (FakeClient* etcd : {&idle, &broken}) {
    Mirror mirror;
    const int64_t began_ns = os::real_clock().monotonic_ns();
    {
      const Watch watch(*etcd, "a/", mirror.handlers(), {.patience = std::chrono::hours(1)});
    }
    EXPECT_LT(os::real_clock().monotonic_ns() - began_ns, 5'000'000'000);
  }
}

TEST(Watch, TellsItsTrouble) {
  FakeClient etcd(1, 100);
  Mirror mirror;
  const Watch watch(etcd, "a/", mirror.handlers(), kImpatient);
  for (int i = 0; i < 30'000 && !watch.trouble(); ++i) ::usleep(1'000);
  ASSERT_TRUE(watch.trouble());
  EXPECT_EQ(watch.trouble()->code(), Code::kUnavailable);
}

// Streams break, stall and fragment; events are compacted; and all is given in order, once.
TEST(Watch, SkipsNothingAndRepeatsNothingWhateverFails) {
  const char* const given = std::getenv("NACRE_SEEDS");
  const uint64_t seeds = (given == nullptr ? 200 : std::strtoull(given, nullptr, 10)) / 20 + 1;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    os::SeededRandom random(seed);
    FakeClient etcd(seed, static_cast<int>(random.next() % 30));
    Mirror mirror;
    const Watch watch(etcd, "a/", mirror.handlers(), kImpatient);
    Revision last;
    for (int i = 0; i < 200; ++i) {
      std::map<std::string, Op> ops;  // a key changes only once in a revision
      for (uint64_t n = 1 + random.next() % 6; n > 0; --n) {
        const std::string key =
            fmt::format("{}/{}", random.next() % 4 == 0 ? "b" : "a", random.next() % 20);
        ops[key] = random.next() % 3 == 0 ? Op(Erase{{key}}) : Op(Put{key, fmt::format("{}", i)});
      }
      std::vector<Op> list;
      for (auto& [key, op] : ops) list.push_back(op);
      last = etcd.apply(list);
      if (random.next() % 50 == 0) {
        EXPECT_TRUE(etcd.compact(last).ok());
      }
      if (random.next() % 10 == 0) ::usleep(200);
    }
    wait_for(watch, last);
    ASSERT_TRUE(same(mirror.rows(), etcd.rows("a/")));
    ASSERT_FALSE(HasFailure());
  }
}

}  // namespace
}  // namespace nacre::etcd
