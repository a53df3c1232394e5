// The faults of the simulated disk other than what a power cut loses (sim_crash_test.cc).
#include "os/sim_disk.h"

#include <gtest/gtest.h>

#include <bit>
#include <optional>
#include <set>

#include "base/units.h"

namespace nacre::os {
namespace {

std::unique_ptr<File> open(SimDisk& disk, const std::string& path) {
  auto file = disk.open(path, OpenMode::kCreate);
  EXPECT_TRUE(file.ok()) << file.error().to_string();
  return file.take();
}

std::string read(File& file, uint64_t offset = 0, size_t length = 1 << 20) {
  std::string text(length, '?');
  text.resize(file.read_at(offset, as_writable_bytes(text)).take());
  return text;
}

// A file with `text`, synced, in a synced directory.
std::unique_ptr<File> make_durable(SimDisk& disk, const std::string& path, std::string_view text) {
  auto file = open(disk, path);
  EXPECT_TRUE(file->write_at(0, as_bytes(text)).ok());
  EXPECT_TRUE(file->sync().ok());
  EXPECT_TRUE(disk.sync_directory("/").ok());
  return file;
}

TEST(SimDisk, HandlesAndLocksOfBeforeACrashAreDead) {
  SimDisk disk(1, kMiB);
  const auto old = make_durable(disk, "/a", "text");
  const auto lock = disk.lock("/a");
  disk.crash();
  char byte = 0;
  EXPECT_EQ(old->read_at(0, std::as_writable_bytes(std::span(&byte, 1))).code(), Code::kIo);
  EXPECT_EQ(old->write_at(0, as_bytes("x")).code(), Code::kIo);
  EXPECT_EQ(old->sync().code(), Code::kIo);
  EXPECT_EQ(old->truncate(0).code(), Code::kIo);
  EXPECT_EQ(old->size().code(), Code::kIo);
  EXPECT_EQ(read(*open(disk, "/a")), "text");
  EXPECT_TRUE(disk.lock("/a").ok());
}

TEST(SimDisk, AnOldLockGivesNothingAwayWhenItGoes) {
  SimDisk disk(1, kMiB);
  make_durable(disk, "/lock", "");
  auto old = disk.lock("/lock").take();
  disk.crash();
  const auto held = disk.lock("/lock");
  old.reset();
  EXPECT_EQ(disk.lock("/lock").code(), Code::kBusy);
}

TEST(SimDisk, HandlesMayOutliveTheDisk) {
  auto disk = std::make_unique<SimDisk>(1, kMiB);
  const auto file = make_durable(*disk, "/a", "text");
  const auto lock = disk->lock("/a");
  disk.reset();
  EXPECT_EQ(read(*file), "text");
}

TEST(SimDisk, RotFlipsOneBitThatSurvivesACrash) {
  SimDisk disk(1, kMiB);
  const std::string text(10'000, 'x');
  const auto file = make_durable(disk, "/a", text);
  ASSERT_TRUE(disk.rot("/a", 5000).ok());
  std::string rotten = read(*file);
  EXPECT_EQ(std::popcount(static_cast<unsigned>(rotten[5000] ^ 'x')), 1);
  disk.crash();
  EXPECT_EQ(read(*open(disk, "/a")), rotten);
  rotten[5000] = 'x';
  EXPECT_EQ(rotten, text);
}

TEST(SimDisk, RotBelowAnUnsyncedWriteIsNotSeenAndGoesWithIt) {
  SimDisk disk(1, kMiB);
  const auto file = make_durable(disk, "/a", "text");
  ASSERT_TRUE(file->write_at(0, as_bytes("new!")).ok());
  ASSERT_TRUE(disk.rot("/a", 1).ok());
  EXPECT_EQ(read(*file), "new!");
  ASSERT_TRUE(file->sync().ok());
  disk.crash();
  EXPECT_EQ(read(*open(disk, "/a")), "new!");
}

TEST(SimDisk, RotPastTheDurableEndIsOutOfRange) {
  SimDisk disk(1, kMiB);
  const auto file = make_durable(disk, "/a", "text");
  EXPECT_EQ(disk.rot("/a", 4).code(), Code::kOutOfRange);
  EXPECT_EQ(disk.rot("/b", 0).code(), Code::kNotFound);
}

TEST(SimDisk, AHoleThatRotsTakesSpaceAndGivesItBack) {
  SimDisk disk(1, 64 * kKiB);
  {
    const auto file = make_durable(disk, "/a", "");
    ASSERT_TRUE(file->truncate(40 * kKiB).ok());
    ASSERT_TRUE(file->sync().ok());
    ASSERT_TRUE(disk.rot("/a", 20 * kKiB).ok());
    EXPECT_EQ(disk.space("/")->free_bytes, 60 * kKiB);
  }
  ASSERT_TRUE(disk.remove_file("/a").ok());
  EXPECT_EQ(disk.space("/")->free_bytes, 64 * kKiB);
}

TEST(SimDisk, ReadsThatTouchABadRangeFail) {
  SimDisk disk(1, kMiB);
  auto file = make_durable(disk, "/a", std::string(10'000, 'x'));
  disk.fail_reads("/a", 4096, 100);
  std::string into(96, '?');
  const auto code_at = [&](uint64_t offset) {
    const auto count = file->read_at(offset, as_writable_bytes(into));
    return count.ok() ? std::optional<Code>() : count.code();
  };
  EXPECT_EQ(code_at(4000), std::nullopt);
  EXPECT_EQ(code_at(4001), Code::kIo);
  EXPECT_EQ(code_at(4195), Code::kIo);
  EXPECT_EQ(code_at(4196), std::nullopt);
  disk.crash();
  file = open(disk, "/a");
  EXPECT_EQ(code_at(4100), Code::kIo);
}

TEST(SimDisk, WritesAndAllocationsPastTheCapacityAreNoSpace) {
  SimDisk disk(1, 64 * kKiB);
  const auto file = open(disk, "/a");
  const std::string chunk(40 * kKiB, 'x');
  ASSERT_TRUE(file->write_at(0, as_bytes(chunk)).ok());
  EXPECT_EQ(disk.space("/")->free_bytes, 24 * kKiB);
  EXPECT_EQ(file->write_at(40 * kKiB, as_bytes(chunk)).code(), Code::kNoSpace);
  EXPECT_EQ(file->allocate(0, 65 * kKiB).code(), Code::kNoSpace);
  EXPECT_EQ(file->allocate(0, uint64_t{1} << 60).code(), Code::kNoSpace);
  EXPECT_EQ(*file->size(), 40 * kKiB);
  EXPECT_TRUE(file->write_at(0, as_bytes(chunk)).ok()) << "an overwrite needs no room";
  EXPECT_TRUE(file->truncate(kMiB).ok()) << "nor does a hole";
  EXPECT_TRUE(file->allocate(40 * kKiB, 24 * kKiB).ok());
  EXPECT_EQ(disk.space("/")->free_bytes, 0u);
  EXPECT_TRUE(file->write_at(60 * kKiB, as_bytes("reserved")).ok());
  disk.set_capacity(128 * kKiB);
  EXPECT_TRUE(file->write_at(64 * kKiB, as_bytes(chunk)).ok());
}

TEST(SimDisk, SpaceComesBackWithTruncateAndWithTheLastUserOfAFile) {
  SimDisk disk(1, 64 * kKiB);
  const auto free_bytes = [&] { return disk.space("/")->free_bytes; };
  const std::string chunk(32 * kKiB, 'x');
  auto file = open(disk, "/a");
  ASSERT_TRUE(file->write_at(0, as_bytes(chunk)).ok());
  ASSERT_TRUE(file->truncate(5000).ok());
  EXPECT_EQ(free_bytes(), 56 * kKiB);
  ASSERT_TRUE(disk.link("/a", "/b").ok());
  ASSERT_TRUE(disk.remove_file("/a").ok());
  EXPECT_EQ(free_bytes(), 56 * kKiB);
  ASSERT_TRUE(disk.remove_file("/b").ok());
  EXPECT_EQ(free_bytes(), 56 * kKiB);
  file.reset();
  EXPECT_EQ(free_bytes(), 64 * kKiB);
  open(disk, "/c")->write_at(0, as_bytes(chunk)).take();
  open(disk, "/d").reset();
  ASSERT_TRUE(disk.rename("/d", "/c").ok());
  EXPECT_EQ(free_bytes(), 64 * kKiB);
}

TEST(SimDisk, SpaceIsThatOfWhatSurvivedACrash) {
  SimDisk disk(1, 64 * kKiB);
  const auto kept = make_durable(disk, "/kept", std::string(10 * kKiB, 'x'));
  const auto removed = make_durable(disk, "/removed", std::string(10 * kKiB, 'x'));
  ASSERT_TRUE(disk.remove_file("/removed").ok());
  ASSERT_TRUE(disk.sync_directory("/").ok());
  EXPECT_EQ(disk.space("/")->free_bytes, 40 * kKiB) << "still open";
  disk.crash();
  EXPECT_EQ(disk.space("/")->free_bytes, 52 * kKiB);
}

TEST(SimDisk, HandlesOfBeforeACrashDoNotHoldSpace) {
  SimDisk disk(1, 64 * kKiB);
  auto old = make_durable(disk, "/a", std::string(10 * kKiB, 'x'));
  disk.crash();
  ASSERT_TRUE(disk.remove_file("/a").ok());
  EXPECT_EQ(disk.space("/")->free_bytes, 64 * kKiB);
  old.reset();
  EXPECT_EQ(disk.space("/")->free_bytes, 64 * kKiB);
  old = make_durable(disk, "/b", std::string(10 * kKiB, 'x'));
  disk.crash();
  const auto held = open(disk, "/b");
  ASSERT_TRUE(disk.remove_file("/b").ok());
  old.reset();
  EXPECT_EQ(disk.space("/")->free_bytes, 52 * kKiB);
}

TEST(SimDisk, TheSameSeedAndCallsHaveTheSameOutcome) {
  const auto outcome = [](uint64_t seed) {
    SimDisk disk(seed, kMiB);
    for (const char* path : {"/a", "/b", "/c", "/d"}) {
      const auto file = open(disk, path);
      for (uint64_t i = 0; i < 8; ++i) {
        EXPECT_TRUE(file->write_at(i * 700, as_bytes(std::string(1500, 'x'))).ok());
      }
    }
    disk.crash();
    std::string image;
    for (const std::string& name : disk.list("/").take()) {
      image += name + read(*open(disk, "/" + name));
    }
    return image;
  };
  std::set<std::string> outcomes;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    EXPECT_EQ(outcome(seed), outcome(seed));
    outcomes.insert(outcome(seed));
  }
  EXPECT_GT(outcomes.size(), 20u);
}

}  // namespace
}  // namespace nacre::os
