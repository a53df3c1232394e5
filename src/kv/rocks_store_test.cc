// What RocksStore promises beyond the contract of every Store.
#include "kv/rocks_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "os/random.h"
#include "os/sim_disk.h"

namespace nacre::kv {
namespace {

using testing::HasSubstr;

constexpr const char* kPath = "/volume/store";

class RocksStoreTest : public testing::Test {
 protected:
  Result<std::unique_ptr<RocksStore>> open(const RocksOptions& options) {
    return RocksStore::open(disk_, kPath, options);
  }
  std::unique_ptr<RocksStore> open_sound(const RocksOptions& options = {.create = true}) {
    auto opened = open(options);
    EXPECT_TRUE(opened.ok()) << opened.error().to_string();
    return opened.take();
  }
  static Status put(Store& store, const std::string& key, const std::string& value = "value") {
    Batch batch;
    batch.put(Family::kLive, key, value);
    return store.write(batch, Durability::kBuffered);
  }

  os::SimDisk disk_{1, kGiB};
};

TEST_F(RocksStoreTest, IsNotFoundWhereThereIsNone) {
  for (const bool read_only : {false, true}) {
    const auto opened = open({.read_only = read_only});
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.code(), Code::kNotFound);
    EXPECT_THAT(opened.error().context(), HasSubstr(kPath));
  }
  EXPECT_EQ(*disk_.kind("/volume"), os::PathKind::kMissing);
}

TEST_F(RocksStoreTest, ReadingNeverMakesAStore) {
  const auto opened = open({.create = true, .read_only = true});
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.code(), Code::kNotFound);
}

TEST_F(RocksStoreTest, OpensAgainWithoutCreate) {
  ASSERT_TRUE(put(*open_sound(), "key").ok());
  EXPECT_EQ(*open_sound({})->get(Family::kLive, "key"), "value");
}

TEST_F(RocksStoreTest, IsBusyWhileItIsOpen) {
  const auto store = open_sound();
  const auto second = open({.create = true});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.code(), Code::kBusy) << second.error().to_string();
  EXPECT_THAT(second.error().context(), HasSubstr(kPath));
}

TEST_F(RocksStoreTest, AReaderChangesNothingOnDisk) {
  {
    auto store = open_sound();
    ASSERT_TRUE(put(*store, "in a table").ok());
    store = nullptr;
    store = open_sound();
    ASSERT_TRUE(put(*store, "in the log").ok());
    ASSERT_TRUE(store->sync().ok());
    disk_.crash_after(1);
    store.reset();
    disk_.crash();
  }
  const uint64_t operations = disk_.operations();
  {
    const auto reader = open_sound({.read_only = true});
    EXPECT_EQ(*reader->get(Family::kLive, "in a table"), "value");
    EXPECT_EQ(*reader->get(Family::kLive, "in the log"), "value");
    EXPECT_EQ(put(*reader, "key").code(), Code::kReadOnly);
    EXPECT_TRUE(reader->sync().ok());
    EXPECT_FALSE(reader->compact(Family::kLive, {}).ok());
    std::vector<std::string> corrupt;
    EXPECT_TRUE(reader->verify(corrupt).ok());
    EXPECT_THAT(corrupt, testing::IsEmpty());
    EXPECT_GT(reader->usage()->disk_bytes, 0u);
  }
  EXPECT_EQ(disk_.operations(), operations);
}

TEST_F(RocksStoreTest, AClosedStoreLeavesNothingToReplay) {
  {
    const auto store = open_sound();
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(put(*store, std::to_string(i)).ok());
  }
  for (const std::string& name : std::vector(disk_.list(kPath).take())) {
    if (!name.ends_with(".log")) continue;
    const auto log = disk_.open(std::string(kPath) + "/" + name, os::OpenMode::kRead).take();
    EXPECT_EQ(*log->size(), 0u) << name;
  }
}

TEST_F(RocksStoreTest, MemoryStaysWithinItsBudget) {
  constexpr uint64_t kBudgetBytes = 8 * kMiB;
  const auto store = open_sound({.memory_bytes = kBudgetBytes, .create = true});
  uint64_t most_bytes = 0;
  for (int i = 0; i < 40'000; ++i) {
    ASSERT_TRUE(put(*store, std::to_string(i * 7919), std::string(1000, 'v')).ok());
    if (i % 100 == 0) most_bytes = std::max(most_bytes, store->usage()->memory_bytes);
  }
  for (int i = 0; i < 40'000; ++i) {
    ASSERT_TRUE(*store->get(Family::kLive, std::to_string(i * 7919)));
    if (i % 100 == 0) most_bytes = std::max(most_bytes, store->usage()->memory_bytes);
  }
  EXPECT_LE(most_bytes, 2 * kBudgetBytes);
  EXPECT_GE(most_bytes, kBudgetBytes / 4);
}

TEST_F(RocksStoreTest, WithLessMemoryItKeepsLessOfTheDisk) {
  const uint64_t large_bytes =
      open_sound({.memory_bytes = 32 * kMiB, .create = true})->usage()->disk_bytes;
  EXPECT_GT(large_bytes, 16 * kMiB);
  EXPECT_LT(open_sound({.memory_bytes = 4 * kMiB})->usage()->disk_bytes, 4 * kMiB);
  EXPECT_LT(disk_.space("/")->total_bytes - disk_.space("/")->free_bytes, 4 * kMiB);
}

TEST_F(RocksStoreTest, CompactionGivesBackTheSpaceOfErasedRows) {
  const auto store = open_sound();
  os::SeededRandom random(7);
  const uint64_t empty_bytes = store->usage()->disk_bytes;
  for (int i = 0; i < 4'000; ++i) {
    std::string value(1000, '\0');
    for (char& byte : value) byte = static_cast<char>(random.next());
    ASSERT_TRUE(put(*store, std::to_string(i), value).ok());
  }
  ASSERT_TRUE(store->compact(Family::kLive, {}).ok());
  const uint64_t full_bytes = store->usage()->disk_bytes - empty_bytes;
  EXPECT_GT(full_bytes, kMiB);
  Batch batch;
  for (int i = 0; i < 4'000; ++i) batch.erase(Family::kLive, std::to_string(i));
  ASSERT_TRUE(store->write(batch, Durability::kBuffered).ok());
  ASSERT_TRUE(store->compact(Family::kLive, {}).ok());
  EXPECT_LT(store->usage()->disk_bytes - empty_bytes, full_bytes / 2);
}

}  // namespace
}  // namespace nacre::kv
