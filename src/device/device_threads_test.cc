// Many threads on one device: built with -fsanitize=thread this finds races.
#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "device/group_sync.h"
#include "device/rig.h"
#include "os/temp_directory.h"
#include "os/thread.h"

namespace nacre::device {
namespace {

void run_threads(size_t count, const std::function<void(size_t)>& body) {
  std::vector<os::Thread> threads;
  for (size_t i = 0; i < count; ++i) threads.emplace_back("test", [&body, i] { body(i); });
}

// Puts, reads back, syncs and removes blocks of its own.
void churn(Device& device, uint64_t thread, int rounds) {
  os::SeededRandom random(thread);
  std::vector<BlockId> mine;
  for (int i = 0; i < rounds; ++i) {
    const BlockId id{thread, static_cast<uint64_t>(i) + 1};
    const size_t size = id.low * 1237 % 60000;
    if (put(device, id, size).ok()) mine.push_back(id);
    if (mine.empty()) continue;
    const BlockId some = mine[random.next() % mine.size()];
    expect_stored(device, some, some.low * 1237 % 60000);
    if (random.next() % 8 == 0) EXPECT_OK(device.sync());
    if (random.next() % 2 == 0) {
      EXPECT_OK(device.remove(some, 0));
      std::erase(mine, some);
    }
  }
}

void exercise(Device& device, int rounds) {
  std::atomic<int> churning = 3;
  run_threads(5, [&](size_t thread) {
    if (thread < 3) {
      churn(device, thread + 1, rounds);
      churning.fetch_sub(1);
      return;
    }
    while (churning.load() > 0) {
      if (thread == 3) {
        EXPECT_OK(device.clean(4 * kMiB));
      } else {
        EXPECT_OK(device.check(true, [](const Problem& problem) {
          ADD_FAILURE() << problem.segment << " " << problem.offset_bytes << " " << problem.what;
        }));
        (void)device.space();
        (void)listed(device);
      }
    }
  });
}

void expect_everything_readable(Device& device) {
  for (const auto& [id, size] : listed(device)) expect_stored(device, id, size);
  EXPECT_EQ(device.health().corrupt_reads, 0u);
}

TEST(DeviceThreads, PutReadRemoveSyncCleanAndCheckSideBySide) {
  Rig rig;
  rig.format_and_open();
  exercise(*rig.device, 400);
  expect_everything_readable(*rig.device);
  const std::map<BlockId, uint32_t> before = listed(*rig.device);
  rig.close();
  rig.open();
  EXPECT_EQ(listed(*rig.device), before);
  expect_everything_readable(*rig.device);
}

TEST(DeviceThreads, WorkOnTheMachinesOwnFiles) {
  for (const BackingKind backing : {BackingKind::kDirectory, BackingKind::kImage}) {
    const os::TempDirectory temp;
    const std::string path = temp / "device";
    const Host host{
        .files = os::real_file_system(), .clock = os::real_clock(), .random = os::real_random()};
    ASSERT_OK(Device::format(host, path,
                             {.volume = kVolume,
                              .backing = backing,
                              .capacity_bytes = 48 * kMiB + 8192,
                              .segment_bytes = kMiB,
                              .block_bytes = 128 * kKiB}));
    auto device = Device::open(host, path, {}).take();
    exercise(*device, 150);
    const std::map<BlockId, uint32_t> before = listed(*device);
    ASSERT_OK(device->close());
    device.reset();
    device = Device::open(host, path, {}).take();
    EXPECT_EQ(listed(*device), before);
    expect_everything_readable(*device);
  }
}

// A crash while several threads write: what each had synced is there.
TEST(DeviceThreads, WhatEachThreadSyncedSurvivesACrash) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    Rig rig(seed);
    rig.format_and_open();
    rig.disk.crash_after(20 + seed * 7);
    std::vector<std::vector<BlockId>> synced(3);
    run_threads(3, [&](size_t thread) {
      std::vector<BlockId> unsynced;
      for (uint64_t i = 1; !rig.disk.is_down(); ++i) {
        const BlockId id{thread + 1, i};
        if (put(*rig.device, id, 20000).ok()) unsynced.push_back(id);
        if (i % 4 != 0 || !rig.device->sync().ok()) continue;
        synced[thread].insert(synced[thread].end(), unsynced.begin(), unsynced.end());
        unsynced.clear();
      }
    });
    rig.crash();
    rig.open();
    for (const auto& blocks : synced) {
      for (const BlockId id : blocks) expect_stored(*rig.device, id, 20000);
    }
    expect_everything_readable(*rig.device);
  }
}

TEST(DeviceThreads, OnePutOfAnIdWins) {
  Rig rig;
  rig.format_and_open();
  for (uint64_t i = 1; i <= 50; ++i) {
    std::atomic<int> won = 0;
    run_threads(4, [&](size_t) {
      const Status put_one = put(*rig.device, {i, i}, 5000);
      if (put_one.ok()) won.fetch_add(1);
    });
    EXPECT_EQ(won.load(), 1);
  }
}

TEST(DeviceThreads, CleaningWaitsForAReader) {
  Rig rig;
  rig.format_and_open();
  for (uint64_t i = 1; i <= 300; ++i) {
    if (!put(*rig.device, {i, 1}, 100000).ok()) break;
  }
  std::atomic<bool> done = false;
  run_threads(3, [&](size_t thread) {
    if (thread == 0) {
      for (uint64_t i = 1; i <= 300; ++i) {
        EXPECT_OK(rig.device->remove({i, 1}, 0));
        EXPECT_OK(rig.device->clean(kMiB));
        (void)put(*rig.device, {i, 2}, 100000);
      }
      done = true;
      return;
    }
    os::SeededRandom random(thread);
    while (!done.load()) {
      const BlockId id{1 + random.next() % 300, 1 + random.next() % 2};
      const Result<std::string> bytes = get(*rig.device, id);
      if (bytes.ok()) {
        EXPECT_TRUE(*bytes == content_of(id, 100000));
      } else {
        EXPECT_EQ(bytes.code(), Code::kNotFound) << bytes.error().to_string();
      }
    }
  });
}

TEST(GroupSync, SharesOneRunAmongThoseWhoWait) {
  GroupSync group;
  std::atomic<int> runs = 0;
  std::atomic<int> asking = 0;
  run_threads(8, [&](size_t) {
    asking.fetch_add(1);
    EXPECT_OK(group.run([&]() -> Status {
      // The first run lasts until all have asked, and a little longer.
      while (asking.load() < 8) os::real_clock().now();
      const int64_t until = os::real_clock().monotonic_ns() + 20'000'000;
      while (os::real_clock().monotonic_ns() < until) {
      }
      runs.fetch_add(1);
      return {};
    }));
  });
  EXPECT_LT(runs.load(), 8);
}

TEST(GroupSync, GivesAFailureToAllWhoComeLater) {
  GroupSync group;
  EXPECT_EQ(group.run([]() -> Status { return Error(Code::kIo, "lost"); }).code(), Code::kIo);
  EXPECT_EQ(group.run([]() -> Status { return {}; }).code(), Code::kIo);
}

}  // namespace
}  // namespace nacre::device
