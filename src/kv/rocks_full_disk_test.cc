// A full disk under RocksDB: writes are refused with kNoSpace, nothing acknowledged is lost, and
// they go on when there is room, without opening the store again.
#include <gtest/gtest.h>
#include <rocksdb/env.h>
#include <unistd.h>

#include <vector>

#include "kv/rocks_store.h"
#include "os/random.h"
#include "os/sim_disk.h"
#include "os/thread.h"

namespace nacre::kv {
namespace {

constexpr const char* kPath = "/store";

class FullDisk {
 public:
  explicit FullDisk(uint64_t seed) : random_(seed), disk_(seed, kStartBytes) { open(); }

  // Writes until the disk is full, checks that reading goes on, even if the store is opened again,
  // makes room, writes on.
  void fill_and_make_room() {
    ASSERT_TRUE(store_);
    Status written;
    while ((written = put_next()).ok()) ASSERT_LT(rows_, 100'000u) << "the disk never ran full";
    ASSERT_EQ(written.code(), Code::kNoSpace) << written.error().to_string();
    check();
    if (random_.next() % 2 == 0) close_and_open();
    check();

    capacity_ += kMoreBytes;
    disk_.set_capacity(capacity_);
    // RocksDB looks for room every five seconds; a compaction may take it first, and give it back.
    for (int tries = 0; !(written = put_next()).ok() && tries < 3000; ++tries) {
      ASSERT_EQ(written.code(), Code::kNoSpace) << written.error().to_string();
      ::usleep(10'000);
    }
    ASSERT_TRUE(written.ok()) << written.error().to_string();
    check();
  }

  void check_at_last() {
    cut_power_and_open();
    check();
  }

 private:
  static constexpr uint64_t kStartBytes = 6 * kMiB;
  static constexpr uint64_t kMoreBytes = 8 * kMiB;

  void open() {
    auto opened = RocksStore::open(disk_, kPath, {.memory_bytes = kMiB, .create = true});
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    store_ = opened.take();
  }
  void close_and_open() {
    store_.reset();
    open();
  }
  void cut_power_and_open() {
    ASSERT_TRUE(store_);
    ASSERT_TRUE(store_->sync().ok());
    disk_.crash_after(1);
    store_.reset();
    disk_.crash();
    open();
  }
  static std::string key(uint64_t k) { return "row" + std::to_string(1'000'000 + k); }

  Status put_next() {
    std::string value(1 + random_.next() % 6'000, '\0');
    for (char& byte : value) byte = static_cast<char>(random_.next());
    value += std::to_string(rows_);
    Batch batch;
    batch.put(Family::kLive, key(rows_), value);
    batch.put(Family::kVolume, "count", std::to_string(rows_ + 1));
    const bool synced = random_.next() % 8 == 0;
    const Status written =
        store_->write(batch, synced ? Durability::kSynced : Durability::kBuffered);
    if (written.ok()) ++rows_;
    return written;
  }

  // All rows acknowledged, and at most the one refused: what becomes of that is open.
  void check() {
    ASSERT_TRUE(store_);
    const auto count = store_->get(Family::kVolume, "count");
    ASSERT_TRUE(count.ok()) << count.error().to_string();
    ASSERT_TRUE(count->has_value());
    ASSERT_GE(std::stoull(**count), rows_);
    ASSERT_LE(std::stoull(**count), rows_ + 1);
    uint64_t k = 0;
    const auto rows = store_->iterate(Family::kLive, {});
    for (rows->seek_to_first(); rows->valid(); rows->next(), ++k) {
      ASSERT_EQ(rows->key(), key(k));
      ASSERT_TRUE(rows->value().ends_with(std::to_string(k)));
    }
    ASSERT_TRUE(rows->status().ok()) << rows->status().error().to_string();
    ASSERT_EQ(k, std::stoull(**count));
  }

  os::SeededRandom random_;
  os::SimDisk disk_;
  std::unique_ptr<RocksStore> store_;
  uint64_t capacity_ = kStartBytes;
  uint64_t rows_ = 0;
};

// Other seeds: --gtest_random_seed=N. All at once, for RocksDB rests a second after each failure in
// the background.
TEST(RocksFullDisk, WritesGoOnWhenThereIsRoomAgain) {
  constexpr int kSeeds = 30;
  constexpr int kTimes = 2;
  rocksdb::Env::Default()->SetBackgroundThreads(kSeeds, rocksdb::Env::HIGH);
  rocksdb::Env::Default()->SetBackgroundThreads(kSeeds, rocksdb::Env::LOW);
  const int first_seed = GTEST_FLAG_GET(random_seed) * kSeeds;
  std::vector<os::Thread> threads;
  for (int seed = first_seed; seed < first_seed + kSeeds; ++seed) {
    threads.emplace_back("seed", [seed] {
      SCOPED_TRACE("seed " + std::to_string(seed));
      FullDisk disk(static_cast<uint64_t>(seed));
      for (int times = 0; times < kTimes && !testing::Test::HasFatalFailure(); ++times) {
        disk.fill_and_make_room();
      }
      if (!testing::Test::HasFatalFailure()) disk.check_at_last();
    });
  }
}

}  // namespace
}  // namespace nacre::kv
