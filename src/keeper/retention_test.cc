#include "keeper/retention.h"

#include <gtest/gtest.h>

#include "keeper/pressure.h"
#include "keeper/test_volume.h"

namespace nacre::keeper {
namespace {

// --- the policy
// ------------------------------------------------------------------------------------

TEST(Retention, ANewVolumeKeepsThirtyDaysAndEightyPercent) {
  TestVolume test;
  EXPECT_EQ(policy_of(test.volume->state()).keep_ns, static_cast<uint64_t>(30 * kDayNs));
  EXPECT_EQ(policy_of(test.volume->state()).history_budget_percent, 80u);
}

TEST(Retention, ThePolicySurvivesAReopen) {
  TestVolume test;
  must(set_policy(*test.volume, {static_cast<uint64_t>(kDayNs), 50}));
  test.open();  // without a further commit
  EXPECT_EQ(policy_of(test.volume->state()).keep_ns, static_cast<uint64_t>(kDayNs));
  EXPECT_EQ(policy_of(test.volume->state()).history_budget_percent, 50u);
}

TEST(Retention, ABudgetAboveEverythingIsRefused) {
  TestVolume test;
  EXPECT_EQ(set_policy(*test.volume, {0, 101}).code(), Code::kInvalid);
}

TEST(Retention, TheKeepLimitIsTheLastCommitThatIsOldEnough) {
  TestVolume test;
  must(set_policy(*test.volume, {static_cast<uint64_t>(10 * kDayNs), 80}));
  std::vector<Sequence> at;
  for (int i = 0; i < 20; ++i) {
    test.make_file(std::to_string(i));
    test.clock.advance(kDayNs - kSecondNs);
    at.push_back(test.commit());
  }
  // The last commit was now, the one before a day ago.
  EXPECT_EQ(must(keep_limit(*test.volume, test.clock.now())), at[9]);
  must(set_policy(*test.volume, {static_cast<uint64_t>(1'000 * kDayNs), 80}));
  EXPECT_EQ(must(keep_limit(*test.volume, test.clock.now())), Sequence{0});
  must(set_policy(*test.volume, {UINT64_MAX, 80}));
  EXPECT_EQ(must(keep_limit(*test.volume, test.clock.now())), Sequence{0});
}

// --- snapshots
// ----------------------------------------------------------------------------------------

TEST(Retention, DeletingASnapshotIsDurableAtOnce) {
  TestVolume test;
  test.snapshot("s");
  must(delete_snapshot(*test.volume, "s"));
  test.open();
  EXPECT_FALSE(must(meta::find_snapshot(test.rows, "s")));
}

TEST(Retention, ASnapshotNotYetCommittedCanBeDeleted) {
  TestVolume test;
  test.volume->put_volume_row(wire::snapshot_key("s"), wire::encode(wire::SnapshotRow{{1}, {}}));
  must(delete_snapshot(*test.volume, "s"));
  test.commit();
  EXPECT_FALSE(must(meta::find_snapshot(test.rows, "s")));
}

TEST(Retention, ASnapshotThatDoesNotExistCannotBeDeleted) {
  TestVolume test;
  EXPECT_EQ(delete_snapshot(*test.volume, "s").code(), Code::kNotFound);
}

// --- the clock
// ------------------------------------------------------------------------------------------

// A clock whose wall can be set apart from what it counts.
class WallClock final : public os::Clock {
 public:
  Timestamp now() override { return {1'700'000'000 * kSecondNs + counted_ns + leap_ns}; }
  int64_t monotonic_ns() override { return counted_ns; }
  int64_t counted_ns = 0;
  int64_t leap_ns = 0;
};

struct ClockWatchTest : ::testing::Test {
  ClockWatchTest() { open(); }
  void open() {
    volume.reset();
    fs::VolumeSettings settings;
    settings.background = false;
    volume = must(fs::Volume::open({rows, blocks, clock, random}, settings));
    if (!worked) {
      volume->change(
          [](meta::Namespace& names) { return names.make(kRootInode, "file", {}).ok(); });
      must(volume->commit());
      worked = true;
    }
    watch = std::make_unique<ClockWatch>(*volume);
  }
  kv::MemoryStore rows;
  TestBlocks blocks{kGiB};
  WallClock clock;
  os::SeededRandom random{1};
  bool worked = false;
  std::unique_ptr<fs::Volume> volume;
  std::unique_ptr<ClockWatch> watch;
};

TEST_F(ClockWatchTest, TimeThatPassesIsNoLeap) {
  clock.counted_ns += 100 * kDayNs;
  EXPECT_FALSE(watch->suspect());
}

TEST_F(ClockWatchTest, ALeapWhileOpenIsSuspectUntilConfirmed) {
  clock.leap_ns += 2 * kDayNs;
  EXPECT_TRUE(watch->suspect());
  EXPECT_TRUE(watch->suspect());
  must(watch->confirm());
  EXPECT_FALSE(watch->suspect());
}

TEST_F(ClockWatchTest, ManySmallLeapsAddUp) {
  bool suspect = false;
  for (int i = 0; i < 30; ++i) {
    clock.leap_ns += kDayNs / 20;
    suspect = watch->suspect();
  }
  EXPECT_TRUE(suspect);
}

TEST_F(ClockWatchTest, AStepBackIsNoLeap) {
  clock.leap_ns -= 50 * kDayNs;
  EXPECT_FALSE(watch->suspect());
}

TEST_F(ClockWatchTest, AWeekWithoutAMountIsNoLeap) {
  clock.leap_ns += 7 * kDayNs;
  open();
  EXPECT_FALSE(watch->suspect());
}

TEST_F(ClockWatchTest, AYearWithoutAMountMustBeConfirmed) {
  clock.leap_ns += 365 * kDayNs;
  open();
  EXPECT_TRUE(watch->suspect());
  must(watch->confirm());
  open();
  EXPECT_FALSE(watch->suspect());
}

TEST_F(ClockWatchTest, DoubtSurvivesAReopen) {
  clock.leap_ns += 2 * kDayNs;
  EXPECT_TRUE(watch->suspect());
  must(volume->commit());
  open();
  EXPECT_TRUE(watch->suspect());
}

TEST(ClockLeap, TimesFromADamagedRowDoNoHarm) {
  EXPECT_TRUE(leapt_while_closed({INT64_MIN}, {INT64_MAX}, 1'000));
  EXPECT_FALSE(leapt_while_closed({INT64_MAX}, {INT64_MIN}, 0));
}

// --- pressure
// -------------------------------------------------------------------------------------------

fs::VolumeUsage usage_of(uint64_t live, uint64_t reclaimable) {
  fs::VolumeUsage usage;
  usage.capacity = 100 * kGiB;
  usage.live = live;
  usage.reclaimable = reclaimable;
  usage.used = live + reclaimable;
  usage.available = usage.capacity - live;
  return usage;
}

TEST(Pressure, HistoryIsKeptWhileThereIsRoom) {
  EXPECT_FALSE(pressure_of(usage_of(10 * kGiB, 70 * kGiB), {0, 80}).any());
}

TEST(Pressure, HistoryPastItsBudgetGives) {
  const Pressure pressure = pressure_of(usage_of(0, 85 * kGiB), {0, 80});
  EXPECT_TRUE(pressure.over_budget);
  EXPECT_FALSE(pressure.short_of_space);
}

TEST(Pressure, LittleFreeSpaceIsFeltBeforeItIsCritical) {
  const Pressure low = pressure_of(usage_of(50 * kGiB, 47 * kGiB), {0, 80});
  EXPECT_TRUE(low.short_of_space);
  EXPECT_FALSE(low.critical);
  EXPECT_TRUE(pressure_of(usage_of(50 * kGiB, 50 * kGiB), {0, 80}).critical);
}

TEST(Pressure, WithoutHistoryNothingCanBeGivenUp) {
  EXPECT_FALSE(pressure_of(usage_of(100 * kGiB, 0), {0, 80}).any());
}

}  // namespace
}  // namespace nacre::keeper
