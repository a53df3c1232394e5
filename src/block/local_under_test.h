// A local store on a simulated disk, for tests.
#pragma once

#include <gtest/gtest.h>

#include "block/local_store.h"
#include "block/store_under_test.h"
#include "os/sim_disk.h"

namespace nacre::block {

struct LocalKind {
  int devices = 1;
  device::BackingKind backing = device::BackingKind::kDirectory;
  codec::Compression compression = codec::Compression::kNone;
};

inline constexpr device::VolumeId kTestVolume{1, 2};

// About 30 MiB over all devices.
class LocalStoreUnderTest final : public StoreUnderTest {
 public:
  explicit LocalStoreUnderTest(const LocalKind& kind) : kind_(kind), disk_(1, kGiB), random_(5) {
    EXPECT_TRUE(disk_.create_directories("/d").ok());
    for (int i = 0; i < kind.devices; ++i) {
      paths_.push_back("/d/" + std::to_string(i));
      const Result<device::Identity> formatted = device::Device::format(
          host(), paths_.back(),
          {.volume = kTestVolume,
           .backing = kind.backing,
           .capacity_bytes = (30u << 20) / static_cast<unsigned>(kind.devices) + 8192,
           .segment_bytes = kMiB + kMiB / 4,
           .block_bytes = 128 * kKiB});
      EXPECT_TRUE(formatted.ok()) << formatted.error().to_string();
    }
    open();
  }

  device::Host host() { return {.files = disk_, .clock = clock_, .random = random_}; }
  void open() {
    store_.reset();
    Result<std::unique_ptr<LocalStore>> opened = try_open();
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    store_ = opened.take();
  }
  Result<std::unique_ptr<LocalStore>> try_open() {
    return LocalStore::open(host(), paths_, {.volume = kTestVolume}, kind_.compression);
  }
  Store& store() override { return *store_; }
  LocalStore& local() { return *store_; }
  os::SimDisk& disk() { return disk_; }
  std::vector<std::string>& paths() { return paths_; }
  void crash() {
    disk_.crash();
    open();
  }

 private:
  const LocalKind kind_;
  os::SimDisk disk_;
  os::ManualClock clock_;
  os::SeededRandom random_;
  std::vector<std::string> paths_;
  std::unique_ptr<LocalStore> store_;
};

}  // namespace nacre::block
