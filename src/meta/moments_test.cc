#include "meta/moments.h"

#include <gtest/gtest.h>

#include "kv/memory_store.h"

namespace nacre::meta {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr Timestamp kNow{1'772'368'200 * kSecond};  // 2026-03-01T12:30:00Z

Timestamp time_of_text(std::string_view text) {
  const auto when = parse_when(text, kNow);
  EXPECT_TRUE(when.ok()) << text;
  EXPECT_EQ(when->kind, When::Kind::kTime) << text;
  return when->time;
}

TEST(ParseWhen, ReadsTimesWithAZone) {
  EXPECT_EQ(time_of_text("2026-03-01T12:30:00Z"), kNow);
  EXPECT_EQ(time_of_text("2026-03-01 12:30Z"), kNow);
  EXPECT_EQ(time_of_text("2026-03-01T14:30:00+02:00"), kNow);
  EXPECT_EQ(time_of_text("2026-03-01T07:00:00-05:30"), kNow);
  EXPECT_EQ(time_of_text("2026-03-01T12:30:05.25Z").ns, kNow.ns + 5'250'000'000);
}

TEST(ParseWhen, ReadsLocalTimesWithoutAZone) {
  std::tm parts = {};
  parts.tm_year = 126;
  parts.tm_mon = 2;
  parts.tm_mday = 1;
  parts.tm_isdst = -1;
  EXPECT_EQ(time_of_text("2026-03-01").ns, std::mktime(&parts) * kSecond);
}

TEST(ParseWhen, ReadsSecondsSinceTheEpoch) {
  EXPECT_EQ(time_of_text("@1772368200"), kNow);
  EXPECT_EQ(time_of_text("@1772368200.5").ns, kNow.ns + kSecond / 2);
}

TEST(ParseWhen, ReadsHowLongAgo) {
  EXPECT_EQ(time_of_text("now"), kNow);
  EXPECT_EQ(time_of_text("90s ago").ns, kNow.ns - 90 * kSecond);
  EXPECT_EQ(time_of_text("2 hours ago").ns, kNow.ns - 7200 * kSecond);
  EXPECT_EQ(time_of_text("1.5 min ago").ns, kNow.ns - 90 * kSecond);
  EXPECT_EQ(time_of_text("1 week ago").ns, kNow.ns - 604'800 * kSecond);
  EXPECT_EQ(time_of_text("yesterday").ns, kNow.ns - 86'400 * kSecond);
}

TEST(ParseWhen, SaysWhichMomentsMoveWithTheClock) {
  for (const char* text : {"now", "yesterday", "5 min ago"}) {
    EXPECT_TRUE(parse_when(text, kNow)->relative) << text;
  }
  for (const char* text : {"2026-03-01", "@5", "17", "before-update"}) {
    EXPECT_FALSE(parse_when(text, kNow)->relative) << text;
  }
}

TEST(ParseWhen, ReadsSequencesAndNames) {
  const auto number = parse_when("17", kNow);
  EXPECT_EQ(number->kind, When::Kind::kSequence);
  EXPECT_EQ(number->sequence, Sequence{17});
  for (const char* text : {"before-update", "17a", "2026-13-01", "2026-03-01T12",
                           "5 lightyears ago", "ago", "@", "2026-03-01T12:30:00Zx"}) {
    const auto name = parse_when(text, kNow);
    ASSERT_TRUE(name.ok()) << text;
    EXPECT_EQ(name->kind, When::Kind::kName) << text;
    EXPECT_EQ(name->name, text);
  }
}

TEST(ParseWhen, RefusesWhatCanBeNeitherMomentNorName) {
  EXPECT_EQ(parse_when("", kNow).code(), Code::kInvalid);
  EXPECT_EQ(parse_when("a/b", kNow).code(), Code::kInvalid);
  EXPECT_EQ(parse_when(std::string(256, 'x'), kNow).code(), Code::kInvalid);
}

TEST(ParseWhen, SurvivesNumbersThatDoNotFit) {
  for (const char* text :
       {"99999999999999999999", "@99999999999999999999", "1e300 days ago", "999999999 weeks ago",
        "nan s ago", "-5 s ago", "9999-99-99", "9999-12-31T23:59:59Z", "0000-01-01"}) {
    (void)parse_when(text, kNow);
  }
}

TEST(FormatTime, WritesUtcWithoutTrailingZeros) {
  EXPECT_EQ(format_time(kNow), "2026-03-01T12:30:00Z");
  EXPECT_EQ(format_time({kNow.ns + 250'000'000}), "2026-03-01T12:30:00.25Z");
  EXPECT_EQ(format_time({-1}), "1969-12-31T23:59:59.999999999Z");
}

TEST(FormatTime, IsReadBackAsTheSameMoment) {
  for (const int64_t ns : {int64_t{0}, kNow.ns, kNow.ns + 1, kNow.ns + 123'456'789}) {
    EXPECT_EQ(time_of_text(format_time({ns})).ns, ns);
  }
}

TEST(SnapshotName, MayBeAnythingThatMeansNoOtherMoment) {
  for (const char* name : {"a", "before update", "2026", "v1.2", "17a"}) {
    EXPECT_EQ(check_snapshot_name(name).ok(), std::string_view(name) != "2026") << name;
  }
  for (const std::string& name : {std::string(), std::string("."), std::string(".."),
                                  std::string("a/b"), std::string(256, 'x'), std::string("now"),
                                  std::string("2026-03-01"), std::string("a\0b", 3)}) {
    EXPECT_FALSE(check_snapshot_name(name).ok()) << name;
  }
}

// Commits 1, 2, ... at the times given; those below the floor are pruned.
class ResolveTest : public testing::Test {
 protected:
  void commits(const std::vector<int64_t>& times, uint64_t floor = 0) {
    kv::Batch batch;
    for (size_t i = 0; i < times.size(); ++i) {
      if (i + 1 < floor) continue;
      batch.put(kv::Family::kChanges, wire::change_key(Sequence{i + 1}, 0),
                wire::encode(wire::ChangeRow{{times[i]}, 0, {}}));
    }
    wire::StateRow state;
    state.committed = Sequence{times.size()};
    state.time = {times.back()};
    state.floor = Sequence{floor};
    batch.put(kv::Family::kVolume, std::string(wire::kStateKey), wire::encode(state));
    ASSERT_TRUE(store_.write(batch, kv::Durability::kSynced).ok());
  }
  void snapshot(std::string_view name, uint64_t sequence) {
    kv::Batch batch;
    batch.put(kv::Family::kVolume, wire::snapshot_key(name),
              wire::encode(wire::SnapshotRow{Sequence{sequence}, {1}}));
    ASSERT_TRUE(store_.write(batch, kv::Durability::kSynced).ok());
  }
  Result<Sequence> at(int64_t time) {
    When when;
    when.kind = When::Kind::kTime;
    when.time = {time};
    return resolve(store_, when);
  }
  Result<Sequence> sequence(uint64_t number) {
    When when;
    when.kind = When::Kind::kSequence;
    when.sequence = Sequence{number};
    return resolve(store_, when);
  }
  Result<Sequence> named(std::string name) {
    When when;
    when.name = std::move(name);
    return resolve(store_, when);
  }
  kv::MemoryStore store_;
};

TEST_F(ResolveTest, ATimeMeansTheLastCommitAtOrBeforeIt) {
  commits({100, 200, 300, 400, 500});
  EXPECT_EQ(*at(100), Sequence{1});
  EXPECT_EQ(*at(199), Sequence{1});
  EXPECT_EQ(*at(200), Sequence{2});
  EXPECT_EQ(*at(450), Sequence{4});
  EXPECT_EQ(*at(500), Sequence{5});
  EXPECT_EQ(*at(9999), Sequence{5});
}

TEST_F(ResolveTest, NothingIsBeforeTheFirstCommit) {
  commits({100, 200});
  EXPECT_EQ(at(99).code(), Code::kNotFound);
}

TEST_F(ResolveTest, HistoryBelowTheFloorIsRefused) {
  commits({100, 200, 300, 400, 500}, 3);
  EXPECT_EQ(at(150).code(), Code::kBelowFloor);
  EXPECT_EQ(at(299).code(), Code::kBelowFloor);
  EXPECT_EQ(*at(300), Sequence{3});
  EXPECT_EQ(*at(499), Sequence{4});
  EXPECT_EQ(sequence(2).code(), Code::kBelowFloor);
  EXPECT_EQ(*sequence(3), Sequence{3});
}

TEST_F(ResolveTest, ASnapshotIsFoundBelowTheFloorToo) {
  commits({100, 200, 300, 400, 500}, 4);
  snapshot("kept", 2);
  EXPECT_EQ(*named("kept"), Sequence{2});
  EXPECT_EQ(*sequence(2), Sequence{2});
  EXPECT_EQ(sequence(1).code(), Code::kBelowFloor);
  EXPECT_EQ(named("lost").code(), Code::kNotFound);
}

TEST_F(ResolveTest, SequencesThatNeverWereAreNotFound) {
  commits({100, 200});
  EXPECT_EQ(sequence(0).code(), Code::kNotFound);
  EXPECT_EQ(sequence(3).code(), Code::kNotFound);
}

TEST_F(ResolveTest, CommitsHaveTimes) {
  commits({100, 200});
  EXPECT_EQ(*time_of(store_, Sequence{2}), Timestamp{200});
  EXPECT_EQ(time_of(store_, Sequence{7}).code(), Code::kNotFound);
}

TEST_F(ResolveTest, SnapshotsAreListedByName) {
  commits({100, 200});
  snapshot("b", 2);
  snapshot("a", 1);
  const auto snapshots = list_snapshots(store_).take();
  ASSERT_EQ(snapshots.size(), 2u);
  EXPECT_EQ(snapshots[0].name, "a");
  EXPECT_EQ(snapshots[1].sequence, Sequence{2});
  EXPECT_TRUE(find_snapshot(store_, "b")->has_value());
  EXPECT_FALSE(find_snapshot(store_, "c")->has_value());
}

}  // namespace
}  // namespace nacre::meta
