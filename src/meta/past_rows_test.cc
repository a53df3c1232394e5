#include "meta/past_rows.h"

#include <gtest/gtest.h>

#include "kv/memory_store.h"
#include "meta/extents.h"
#include "wire/rows.h"

namespace nacre::meta {
namespace {

// Attributes of inode 5, in force from `begin` until `end`, or still.
class PastRowsTest : public testing::Test {
 protected:
  static std::string key(std::string_view name) { return wire::xattr_key(InodeId{5}, name); }
  void live(std::string_view name, uint64_t begin, std::string text) {
    kv::Batch batch;
    batch.put(kv::Family::kLive, key(name), wire::encode(wire::XattrRow{{begin}, std::move(text)}));
    ASSERT_TRUE(store_.write(batch, kv::Durability::kSynced).ok());
  }
  void past(std::string_view name, uint64_t begin, uint64_t end, std::string text) {
    kv::Batch batch;
    batch.put(kv::Family::kPast, wire::past_key(key(name), Sequence{end}),
              wire::encode(wire::XattrRow{{begin}, std::move(text)}));
    ASSERT_TRUE(store_.write(batch, kv::Durability::kSynced).ok());
  }
  std::string get(std::string_view name, uint64_t at) {
    const auto stored = PastRows(store_, Sequence{at}).get(key(name)).take();
    return stored ? wire::decode_xattr(*stored)->value : "-";
  }
  std::string scan(uint64_t at) {
    std::string seen;
    const PastRows rows(store_, Sequence{at});
    EXPECT_TRUE(rows.scan(kv::prefix_range(wire::xattr_prefix(InodeId{5})),
                          [&](std::string_view live_key, std::string_view stored) {
                            seen += std::string(wire::decode_live_key(live_key)->name) + "=" +
                                    wire::decode_xattr(stored)->value + " ";
                            return true;
                          })
                    .ok());
    return seen;
  }
  kv::MemoryStore store_;
};

TEST_F(PastRowsTest, ALiveRowIsThereFromItsBegin) {
  live("a", 5, "now");
  EXPECT_EQ(get("a", 4), "-");
  EXPECT_EQ(get("a", 5), "now");
  EXPECT_EQ(get("a", 100), "now");
}

TEST_F(PastRowsTest, AReplacedRowIsThereUntilItsEnd) {
  past("a", 3, 5, "old");
  live("a", 5, "now");
  EXPECT_EQ(get("a", 2), "-");
  EXPECT_EQ(get("a", 3), "old");
  EXPECT_EQ(get("a", 4), "old");
  EXPECT_EQ(get("a", 5), "now");
}

TEST_F(PastRowsTest, ARowIsNotThereBetweenItsLives) {
  past("a", 3, 5, "first");
  past("a", 8, 9, "second");
  live("a", 20, "third");
  std::string seen;
  for (const uint64_t at : {2, 3, 4, 5, 7, 8, 9, 19, 20}) seen += get("a", at) + " ";
  EXPECT_EQ(seen, "- first first - - second - - third ");
}

TEST_F(PastRowsTest, AScanAgreesWithTheGets) {
  past("a", 3, 5, "a1");
  live("a", 5, "a2");
  live("b", 1, "b1");
  past("c", 2, 4, "c1");
  past("c", 4, 6, "c2");
  past("d", 7, 9, "d1");
  live("e", 8, "e1");
  EXPECT_EQ(scan(1), "b=b1 ");
  EXPECT_EQ(scan(3), "a=a1 b=b1 c=c1 ");
  EXPECT_EQ(scan(5), "a=a2 b=b1 c=c2 ");
  EXPECT_EQ(scan(6), "a=a2 b=b1 ");
  EXPECT_EQ(scan(8), "a=a2 b=b1 d=d1 e=e1 ");
  EXPECT_EQ(scan(9), "a=a2 b=b1 e=e1 ");
}

TEST_F(PastRowsTest, NamesThatBeginAlikeAreKeptApart) {
  past("a", 1, 5, "short");
  past("ab", 2, 4, "long");
  live("ab", 6, "later");
  EXPECT_EQ(scan(3), "a=short ab=long ");
  EXPECT_EQ(scan(4), "a=short ");
  EXPECT_EQ(get("a", 6), "-");
  EXPECT_EQ(get("ab", 6), "later");
}

TEST_F(PastRowsTest, OneObjectSeesOneMomentOfTheStore) {
  live("a", 5, "now");
  const PastRows rows(store_, Sequence{100});
  live("a", 6, "changed");
  EXPECT_EQ(wire::decode_xattr(**rows.get(key("a")))->value, "now");
}

TEST_F(PastRowsTest, AnExtentIsFoundWhereverInItsWindowItBegins) {
  kv::Batch batch;
  const wire::ExtentRow row{Sequence{2}, wire::ExtentKind::kUnwritten, 10, {}, 0, {}};
  batch.put(kv::Family::kPast, wire::past_key(wire::extent_key(InodeId{5}, 100), Sequence{4}),
            wire::encode(row));
  ASSERT_TRUE(store_.write(batch, kv::Durability::kSynced).ok());
  const auto found = [&](uint64_t at, uint64_t begin, uint64_t end) {
    int count = 0;
    EXPECT_TRUE(visit_past_extents(store_, Sequence{at}, 4096, InodeId{5}, begin, end,
                                   [&](const Extent& extent) {
                                     EXPECT_EQ(extent.offset, 100u);
                                     ++count;
                                     return true;
                                   })
                    .ok());
    return count;
  };
  EXPECT_EQ(found(3, 105, 200), 1);
  EXPECT_EQ(found(3, 0, 101), 1);
  EXPECT_EQ(found(3, 110, 200), 0);
  EXPECT_EQ(found(3, 0, 100), 0);
  EXPECT_EQ(found(4, 105, 200), 0);
}

}  // namespace
}  // namespace nacre::meta
