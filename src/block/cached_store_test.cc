#include "block/cached_store.h"

#include <gtest/gtest.h>

#include <atomic>

#include "block/memory_store.h"
#include "os/clock.h"
#include "os/thread.h"

namespace nacre::block {
namespace {

// Counts and can hold up what goes to the store below.
class CountingStore final : public Store {
 public:
  Status put(BlockId id, std::span<const ByteView> parts) override { return below_.put(id, parts); }
  Status sync() override { return {}; }
  Status read(BlockId id, uint64_t offset, MutableBytes into) override {
    reads_.fetch_add(1);
    bytes_.fetch_add(into.size());
    {
      os::Lock lock(mutex_);
      ++inside_;
      changed_.notify_all();
      while (held_) changed_.wait(mutex_);
      --inside_;
    }
    if (failing_.load()) return Error(Code::kIo, "broken");
    return below_.read(id, offset, into);
  }
  void prefetch(BlockId, uint64_t, uint64_t) override {}
  Status remove(BlockId id) override { return below_.remove(id); }
  Result<BlockInfo> info(BlockId id) override { return below_.info(id); }
  Status list(const std::function<bool(BlockId, const BlockInfo&)>& visit) override {
    return below_.list(visit);
  }
  Space space() override { return below_.space(); }
  Result<uint64_t> clean(uint64_t bytes) override { return below_.clean(bytes); }

  uint64_t reads() const { return reads_.load(); }
  uint64_t bytes() const { return bytes_.load(); }
  void fail(bool failing) { failing_ = failing; }
  void hold(bool held) {
    os::Lock lock(mutex_);
    held_ = held;
    changed_.notify_all();
  }
  void wait_until_read() {
    os::Lock lock(mutex_);
    while (inside_ == 0) changed_.wait(mutex_);
  }

 private:
  MemoryStore below_{1u << 30};
  std::atomic<uint64_t> reads_ = 0;
  std::atomic<uint64_t> bytes_ = 0;
  std::atomic<bool> failing_ = false;
  os::Mutex mutex_;
  os::CondVar changed_;
  bool held_ GUARDED_BY(mutex_) = false;
  int inside_ GUARDED_BY(mutex_) = 0;
};

class CachedStoreTest : public testing::Test {
 protected:
  void put(BlockId id, size_t size) {
    std::string bytes(size, '\0');
    for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(id.low * 7 + i / 100);
    const ByteView parts[] = {as_bytes(bytes)};
    ASSERT_TRUE(below_.put(id, parts).ok());
  }
  void read(BlockId id, uint64_t offset, size_t size) {
    std::string into(size, '?');
    const Status read = cache_.read(id, offset, as_writable_bytes(into));
    ASSERT_TRUE(read.ok()) << read.error().to_string();
    for (size_t i = 0; i < size; ++i) {
      ASSERT_EQ(into[i], static_cast<char>(id.low * 7 + (offset + i) / 100));
    }
  }
  Code read_code(BlockId id, uint64_t offset, size_t size) {
    std::string into(size, '?');
    return cache_.read(id, offset, as_writable_bytes(into)).code();
  }
  void wait_for_misses(uint64_t misses) {
    while (cache_.stats().misses < misses) os::real_clock().now();
  }

  CountingStore below_;
  CachedStore cache_{below_, {.capacity_bytes = 16u << 20}};
};

TEST_F(CachedStoreTest, ASmallReadBringsItsNeighboursIntoMemory) {
  put({1, 1}, 300000);
  read({1, 1}, 70000, 4096);
  EXPECT_EQ(below_.reads(), 1u);
  EXPECT_EQ(below_.bytes(), 65536u);
  for (uint64_t offset = 65536; offset + 4096 <= 131072; offset += 4096) {
    read({1, 1}, offset, 4096);
  }
  EXPECT_EQ(below_.reads(), 1u);
  read({1, 1}, 131000, 1000);
  EXPECT_EQ(below_.reads(), 2u);
}

TEST_F(CachedStoreTest, ALargeReadGoesStraightAndIsNotKept) {
  put({1, 1}, 4u << 20);
  read({1, 1}, 0, 4u << 20);
  EXPECT_EQ(below_.reads(), 1u);
  EXPECT_EQ(cache_.stats().bytes, 0u);
  read({1, 1}, 1u << 20, 4096);  // one unit in the middle
  EXPECT_EQ(below_.reads(), 2u);
  read({1, 1}, 0, 4u << 20);
  EXPECT_EQ(below_.reads(), 4u);  // what is before that unit, and what is behind it
}

TEST_F(CachedStoreTest, StaysWithinItsBytes) {
  for (uint64_t i = 1; i <= 40; ++i) {
    put({i, i}, 1u << 20);
    for (uint64_t offset = 0; offset < 1u << 20; offset += 65536) read({i, i}, offset, 100);
  }
  EXPECT_LE(cache_.stats().bytes, 16u << 20);
  EXPECT_GT(cache_.stats().bytes, 14u << 20);
}

TEST_F(CachedStoreTest, ReadingMuchOnceLeavesWhatIsUsedOften) {
  for (uint64_t i = 1; i <= 8; ++i) put({i, i}, 1u << 20);
  put({100, 100}, 60u << 20);
  const auto use_often = [this] {
    for (uint64_t i = 1; i <= 8; ++i) {
      for (uint64_t offset = 0; offset < 1u << 20; offset += 65536) read({i, i}, offset, 100);
    }
  };
  for (int round = 0; round < 4; ++round) use_often();
  for (uint64_t offset = 0; offset < 60u << 20; offset += 16384) read({100, 100}, offset, 16384);
  const uint64_t before = below_.reads();
  use_often();
  EXPECT_LE(below_.reads() - before, 8u * 16 / 20);
}

TEST_F(CachedStoreTest, CallersThatWantTheSameUnitLoadItOnce) {
  put({1, 1}, 65536);
  below_.hold(true);
  {
    std::vector<os::Thread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back("reader", [this] { read({1, 1}, 100, 100); });
    below_.wait_until_read();
    below_.hold(false);
  }
  EXPECT_EQ(below_.reads(), 1u);
}

TEST_F(CachedStoreTest, DoesNotKeepErrors) {
  put({1, 1}, 65536);
  below_.fail(true);
  EXPECT_EQ(read_code({1, 1}, 0, 10), Code::kIo);
  below_.fail(false);
  read({1, 1}, 0, 10);
}

TEST_F(CachedStoreTest, HintsGoOnToTheStoreBelow) {
  MemoryStore below(1u << 20);
  CachedStore(below, {}).prefetch({1, 1}, 60000, 100000);
  EXPECT_EQ(below.hinted_bytes(), 100000u);
}

TEST_F(CachedStoreTest, AUnitRemovedWhileItIsLoadedIsNotKept) {
  put({1, 1}, 65536);
  below_.hold(true);
  {
    os::Thread reader("reader", [this] { (void)read_code({1, 1}, 0, 10); });
    below_.wait_until_read();
    EXPECT_TRUE(cache_.remove({1, 1}).ok());
    below_.hold(false);
  }
  EXPECT_EQ(read_code({1, 1}, 0, 10), Code::kNotFound);
  EXPECT_EQ(cache_.stats().bytes, 0u);
}

}  // namespace
}  // namespace nacre::block
