#include "meta/extents.h"

#include <gtest/gtest.h>

#include "kv/memory_store.h"
#include "os/random.h"

namespace nacre::meta {
namespace {

constexpr InodeId kFile{7};

class ExtentReaderTest : public testing::Test {
 protected:
  void put(InodeId ino, uint64_t offset, uint64_t length) {
    wire::ExtentRow row;
    row.begin = Sequence{1};
    row.kind = wire::ExtentKind::kUnwritten;
    row.length = length;
    kv::Batch batch;
    batch.put(kv::Family::kLive, wire::extent_key(ino, offset), wire::encode(row));
    ASSERT_TRUE(store_.write(batch, kv::Durability::kBuffered).ok());
  }
  // Offsets of the extents found.
  static std::vector<uint64_t> visit(ExtentReader& reader, uint64_t begin, uint64_t end) {
    std::vector<uint64_t> offsets;
    EXPECT_TRUE(reader
                    .visit(begin, end,
                           [&](const Extent& extent) {
                             offsets.push_back(extent.offset);
                             return true;
                           })
                    .ok());
    return offsets;
  }

  kv::MemoryStore store_;
};

TEST_F(ExtentReaderTest, FindsWhatAFreshSearchFinds) {
  os::SeededRandom random(5);
  std::vector<std::pair<uint64_t, uint64_t>> extents;  // offset and end
  for (uint64_t at = random.next() % 50; at < 20'000; at += random.next() % 300) {
    const uint64_t length = 1 + random.next() % 200;
    put(kFile, at, length);
    extents.emplace_back(at, at + length);
    at += length;
  }
  put(InodeId{6}, 100, 1'000'000);
  put(InodeId{8}, 0, 1'000'000);
  ExtentReader reader(store_, nullptr, kFile);
  uint64_t ascending = 0;
  for (int i = 0; i < 3'000; ++i) {
    ascending += random.next() % 40;
    const uint64_t begin = i % 5 == 0 ? random.next() % 21'000 : ascending % 21'000;
    const uint64_t end = begin + 1 + random.next() % 500;
    std::vector<uint64_t> expected;
    for (const auto& [from, to] : extents) {
      if (to > begin && from < end) expected.push_back(from);
    }
    ASSERT_EQ(visit(reader, begin, end), expected) << begin << " " << end;
  }
}

TEST_F(ExtentReaderTest, StopsWhenTold) {
  for (uint64_t at = 0; at < 100; at += 10) put(kFile, at, 10);
  ExtentReader reader(store_, nullptr, kFile);
  int seen = 0;
  ASSERT_TRUE(reader.visit(15, 90, [&](const Extent&) { return ++seen < 3; }).ok());
  EXPECT_EQ(seen, 3);
  EXPECT_EQ(visit(reader, 15, 31), (std::vector<uint64_t>{10, 20, 30}));
}

TEST_F(ExtentReaderTest, OfAFileWithoutExtentsFindsNone) {
  put(InodeId{8}, 0, 10);
  ExtentReader reader(store_, nullptr, kFile);
  EXPECT_TRUE(visit(reader, 0, 100).empty());
}

}  // namespace
}  // namespace nacre::meta
