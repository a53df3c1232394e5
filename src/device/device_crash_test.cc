// A device against a model of it, over many power cuts: what was synced is there byte for byte,
// what was removed and synced stays away, and what was neither is whole or absent.
//
// NACRE_CRASH_SEEDS sets how many seeds run, NACRE_CRASH_FIRST the first.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <set>

#include "device/rig.h"

namespace nacre::device {
namespace {

uint64_t setting(const char* name, uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

// The version of a block's bytes; nothing when it is not stored. An id may be put again once it
// was removed, with other bytes.
using Version = std::optional<uint32_t>;

std::string bytes_of(BlockId id, uint32_t version) {
  const BlockId seed{id.high + version * 1000, id.low};
  return content_of(seed, (id.low * 7919 + version * 104729) % 30000);
}

class Model {
 public:
  struct Block {
    Version now;                    // as the device must answer
    std::set<Version> may_be = {};  // after a crash, besides `now`
  };

  Block& at(BlockId id) { return blocks_[id]; }
  std::map<BlockId, Block>& blocks() { return blocks_; }

  void change(BlockId id, Version to) {
    Block& block = at(id);
    block.may_be.insert(block.now);
    block.now = to;
  }
  // An operation failed half-way.
  void maybe(BlockId id, Version to) { at(id).may_be.insert(to); }
  void synced() {
    for (auto& [id, block] : blocks_) block.may_be.clear();
  }

 private:
  std::map<BlockId, Block> blocks_;
};

class CrashRun {
 public:
  CrashRun(uint64_t seed, BackingKind backing) : rig_(seed), random_(seed * 7 + 1) {
    if (backing == BackingKind::kDirectory) EXPECT_OK(rig_.disk.create_directories(rig_.path));
    segment_bytes_ = 64 * kKiB << random_.next() % 3;
    EXPECT_OK(rig_.format({.capacity_bytes = 2 * 4096 + (10 + random_.next() % 20) * segment_bytes_,
                           .segment_bytes = segment_bytes_,
                           .block_bytes = 8 * kKiB}));
    rig_.open();
  }

  void run() {
    for (int life = 0; life < 8 && !testing::Test::HasFailure(); ++life) {
      rig_.disk.crash_after(1 + random_.next() % (life % 2 == 0 ? 40 : 400));
      // Reopening may use up the crash that was armed, hence the limit.
      for (int steps = 0; steps < 1000 && !rig_.disk.is_down(); ++steps) step();
      recover();
      if (testing::Test::HasFailure()) return;
      check_all();
    }
  }

 private:
  BlockId some_id() { return {1, 1 + random_.next() % 60}; }
  Device& device() { return *rig_.device; }

  void step() {
    switch (random_.next() % 16) {
      default:
        return put_one();
      case 8:
      case 9:
      case 10:
        return remove_one();
      case 11:
      case 12:
        return sync();
      case 13:
        return read_one(some_id());
      case 14:
        return clean();
      case 15:
        if (random_.next() % 4 == 0) reopen();
    }
  }

  void put_one() {
    const BlockId id = some_id();
    const uint32_t version = next_version_++;
    const Status put = device::put(device(), id, bytes_of(id, version));
    if (put.ok()) {
      EXPECT_FALSE(model_.at(id).now.has_value());
      model_.change(id, version);
    } else if (put.code() == Code::kExists) {
      EXPECT_TRUE(model_.at(id).now.has_value());
    } else if (put.code() == Code::kIo) {
      model_.maybe(id, version);
    } else {
      EXPECT_EQ(put.code(), Code::kNoSpace) << put.error().to_string();
    }
  }

  void remove_one() {
    const BlockId id = some_id();
    if (device().remove(id, 0).ok()) {
      model_.change(id, std::nullopt);
    } else {
      model_.maybe(id, std::nullopt);
    }
  }

  void sync() {
    const Status synced = device().sync();
    if (synced.ok()) {
      model_.synced();
    } else {
      EXPECT_EQ(synced.code(), Code::kIo) << synced.error().to_string();
    }
  }

  void clean() {
    const Result<uint64_t> cleaned = device().clean(random_.next() % (4 * segment_bytes_));
    if (cleaned.ok()) return;
    EXPECT_EQ(cleaned.code(), Code::kIo) << cleaned.error().to_string();
  }

  // In good order, or as if the process had been killed.
  void reopen() {
    const bool orderly = random_.next() % 2 == 0;
    if (orderly && device().close().ok()) model_.synced();
    if (rig_.disk.is_down()) return;
    rig_.device.reset();
    Result<std::unique_ptr<Device>> opened = rig_.try_open();
    if (!opened.ok()) return recover();
    rig_.device = opened.take();
    adopt();
  }

  void recover() {
    for (int attempt = 0;; ++attempt) {
      rig_.crash();
      if (attempt < 3 && random_.next() % 3 == 0) rig_.disk.crash_after(1 + random_.next() % 20);
      Result<std::unique_ptr<Device>> opened = rig_.try_open();
      if (opened.ok()) {
        rig_.device = opened.take();
        return adopt();
      }
      ASSERT_EQ(opened.code(), Code::kIo) << opened.error().to_string();
      ASSERT_TRUE(rig_.disk.is_down());
    }
  }

  // What an opened device shows must be possible, and is how things are from then on.
  void adopt() {
    if (rig_.disk.is_down()) return;
    for (auto& [id, block] : model_.blocks()) {
      std::set<Version> possible = block.may_be;
      possible.insert(block.now);
      const Result<std::string> bytes = get(device(), id);
      Version seen;
      if (bytes.ok()) {
        for (const Version& version : possible) {
          if (version && *bytes == bytes_of(id, *version)) seen = version;
        }
        EXPECT_TRUE(seen.has_value()) << to_hex(id) << " has bytes that nobody put";
      } else {
        EXPECT_EQ(bytes.code(), Code::kNotFound) << bytes.error().to_string();
        EXPECT_TRUE(possible.contains(std::nullopt)) << to_hex(id) << " is lost";
      }
      block = {.now = seen};
    }
    const Health health = device().health();
    EXPECT_EQ(health.corrupt_reads, 0u);
    EXPECT_EQ(health.lost_places, 0u);
    EXPECT_EQ(health.damaged_segments, 0u);
  }

  void read_one(BlockId id) {
    const Result<std::string> bytes = get(device(), id);
    if (!bytes.ok() && bytes.code() == Code::kIo) return;
    const Version now = model_.at(id).now;
    EXPECT_EQ(bytes.ok(), now.has_value());
    EXPECT_TRUE(!bytes.ok() || !now || *bytes == bytes_of(id, *now)) << to_hex(id);
  }

  void check_all() {
    if (rig_.disk.is_down()) return;
    for (const auto& [id, block] : model_.blocks()) read_one(id);
    size_t stored = 0;
    for (const auto& [id, block] : model_.blocks()) stored += block.now ? 1 : 0;
    EXPECT_EQ(listed(device()).size(), stored);
    const Result<CheckReport> report = device().check(true, [](const Problem& problem) {
      ADD_FAILURE() << "segment " << problem.segment << " byte " << problem.offset_bytes << ": "
                    << problem.what;
    });
    ASSERT_OK(report);
    EXPECT_GE(report->records, stored);
    uint64_t live_bytes = 0;
    for (const auto& [id, size] : listed(device()))
      live_bytes += device().info(id, 0)->device_bytes;
    EXPECT_EQ(device().space().live_bytes, live_bytes);
  }

  Rig rig_;
  os::SeededRandom random_;
  Model model_;
  uint64_t segment_bytes_ = 0;
  uint32_t next_version_ = 1;
};

class DeviceCrash : public testing::TestWithParam<BackingKind> {};

INSTANTIATE_TEST_SUITE_P(Backings, DeviceCrash,
                         testing::Values(BackingKind::kDirectory, BackingKind::kImage),
                         [](const auto& kind) {
                           return kind.param == BackingKind::kDirectory ? "Directory" : "Image";
                         });

TEST_P(DeviceCrash, LosesNothingSyncedAndServesNothingWrong) {
  const uint64_t first = setting("NACRE_CRASH_FIRST", 1);
  const uint64_t seeds = setting("NACRE_CRASH_SEEDS", 50);
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    CrashRun(seed, GetParam()).run();
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace nacre::device
