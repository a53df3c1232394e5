// Power cuts under RocksDB: what is there afterwards is the beginning of what was written.
#include <gtest/gtest.h>
#include <rocksdb/env.h>

#include <atomic>
#include <vector>

#include "kv/rocks_store.h"
#include "os/random.h"
#include "os/sim_disk.h"
#include "os/thread.h"

namespace nacre::kv {
namespace {

constexpr const char* kPath = "/volume/store";
constexpr Family kAllFamilies[] = {Family::kVolume, Family::kLive, Family::kPast, Family::kChanges,
                                   Family::kBlocks};

// Batch k sets a counter to k in every family, and slides a window of rows by one: what any batch
// leaves behind is known from its number alone.
class Lives {
 public:
  explicit Lives(uint64_t seed) : even_sizes_(seed % 2 == 1), random_(seed), disk_(seed, kGiB) {}

  // Power on, some work, power cut. False when the test failed.
  bool live_once() {
    // Also strikes while the store is made or recovers, and while it closes.
    disk_.crash_after(1 + random_.next() % kOperationsOfALife);
    if (const auto store = open()) {
      check(*store);
      work(*store);
    } else {
      EXPECT_TRUE(disk_.is_down()) << "did not open";
    }
    disk_.crash();
    return !testing::Test::HasFailure();
  }

  void check_at_last() {
    const auto store = open();
    ASSERT_TRUE(store);
    check(*store);
    std::vector<std::string> corrupt;
    EXPECT_TRUE(store->verify(corrupt).ok());
    EXPECT_TRUE(corrupt.empty()) << corrupt.front();
  }

  uint64_t lost() const { return lost_; }
  uint64_t kept_unsynced() const { return kept_unsynced_; }

 private:
  static constexpr uint64_t kOperationsOfALife = 700;
  static constexpr uint64_t kBatchesOfALife = 400;
  static constexpr uint64_t kWindow = 20;

  std::unique_ptr<RocksStore> open() {
    // So little memory that tables are written and compacted all the time.
    auto opened = RocksStore::open(disk_, kPath, {.memory_bytes = kMiB, .create = true});
    if (opened.ok()) return opened.take();
    EXPECT_TRUE(disk_.is_down()) << opened.error().to_string();
    return nullptr;
  }

  static std::string row_key(uint64_t k) { return "row" + std::to_string(1'000'000 + k); }
  static std::string count_value(uint64_t k) { return std::to_string(1'000'000 + k); }
  // Either up to some blocks of the log, or such that its records fill the log's blocks evenly:
  // then a block may begin with a whole record, and nothing but its number tells that one is
  // missing.
  std::string row_value(uint64_t k) const {
    constexpr uint64_t kEvenBytes = 899;
    const uint64_t uneven_bytes = (k * 2'654'435'761u) % (k % 16 == 0 ? 70'000 : 3'000);
    return std::string(even_sizes_ ? kEvenBytes : uneven_bytes, static_cast<char>('a' + k % 26));
  }

  void work(RocksStore& store) {
    const uint64_t sync_every = 1 + random_.next() % 60;
    for (uint64_t i = 0; i < kBatchesOfALife; ++i) {
      const uint64_t k = ++written_;
      Batch batch;
      for (const Family family : kAllFamilies) batch.put(family, "count", count_value(k));
      batch.put(Family::kLive, row_key(k), row_value(k));
      if (k > kWindow) batch.erase(Family::kLive, row_key(k - kWindow));
      const bool synced = random_.next() % sync_every == 0;
      if (!store.write(batch, synced ? Durability::kSynced : Durability::kBuffered).ok()) return;
      if (synced) durable_ = k;
      if (random_.next() % (2 * sync_every) == 0) {
        if (!store.sync().ok()) return;
        durable_ = k;
      }
    }
  }

  void check(RocksStore& store) {
    uint64_t count = 0;
    for (const Family family : kAllFamilies) {
      const Result<std::optional<std::string>> value = store.get(family, "count");
      if (!value.ok() && disk_.is_down()) return;
      ASSERT_TRUE(value.ok()) << value.error().to_string();
      const uint64_t here = *value ? std::stoull(**value) - 1'000'000 : 0;
      if (family == Family::kVolume) count = here;
      ASSERT_EQ(here, count) << "half of a batch survived";
    }
    ASSERT_GE(count, durable_) << "a synced batch was lost";
    ASSERT_LE(count, written_) << "a batch that was never written";
    check_rows(store, count);
    lost_ += written_ - count;
    kept_unsynced_ += count - durable_;
    // What an open store shows is durable: recovery wrote it to tables.
    written_ = durable_ = count;
  }

  void check_rows(RocksStore& store, uint64_t count) {
    uint64_t k = count > kWindow ? count - kWindow : 0;
    const auto rows = store.iterate(Family::kLive, prefix_range("row"));
    for (rows->seek_to_first(); rows->valid(); rows->next()) {
      ++k;
      ASSERT_EQ(rows->key(), row_key(k)) << "of " << count;
      ASSERT_EQ(rows->value().size(), row_value(k).size());
      ASSERT_TRUE(rows->value() == row_value(k));
    }
    if (!rows->status().ok() && disk_.is_down()) return;
    ASSERT_TRUE(rows->status().ok()) << rows->status().error().to_string();
    ASSERT_EQ(k, count);
  }

  const bool even_sizes_;
  os::SeededRandom random_;
  os::SimDisk disk_;
  uint64_t written_ = 0;  // the last batch tried
  uint64_t durable_ = 0;  // the last batch that must survive
  uint64_t lost_ = 0;
  uint64_t kept_unsynced_ = 0;
};

// Other seeds: --gtest_random_seed=N. All seeds at once, for RocksDB rests a second after each
// failure in the background.
TEST(RocksCrash, APrefixOfTheBatchesSurvivesWithEverySyncedOne) {
  constexpr int kSeeds = 60;
  constexpr int kLivesOfASeed = 6;
  rocksdb::Env::Default()->SetBackgroundThreads(kSeeds, rocksdb::Env::HIGH);
  rocksdb::Env::Default()->SetBackgroundThreads(kSeeds, rocksdb::Env::LOW);
  const int first_seed = GTEST_FLAG_GET(random_seed) * kSeeds;
  std::atomic<uint64_t> lost = 0;
  std::atomic<uint64_t> kept_unsynced = 0;
  {
    std::vector<os::Thread> threads;
    for (int seed = first_seed; seed < first_seed + kSeeds; ++seed) {
      threads.emplace_back("seed", [&, seed] {
        Lives lives(static_cast<uint64_t>(seed));
        for (int life = 0; life < kLivesOfASeed; ++life) {
          SCOPED_TRACE("seed " + std::to_string(seed) + ", life " + std::to_string(life));
          if (!lives.live_once()) return;
        }
        SCOPED_TRACE("seed " + std::to_string(seed) + ", at last");
        lives.check_at_last();
        lost += lives.lost();
        kept_unsynced += lives.kept_unsynced();
      });
    }
  }
  // Or the test would prove nothing.
  EXPECT_GT(lost, uint64_t{kSeeds});
  EXPECT_GT(kept_unsynced, uint64_t{kSeeds});
}

}  // namespace
}  // namespace nacre::kv
