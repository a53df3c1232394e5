#include "device/index.h"

#include <gtest/gtest.h>

#include <map>

#include "os/random.h"

namespace nacre::device {
namespace {

TEST(IndexTable, AgreesWithAMapUnderRandomWork) {
  IndexTable table;
  std::map<Key, uint32_t> model;
  os::SeededRandom random(7);
  for (uint32_t i = 0; i < 200'000; ++i) {
    // A phase that grows, then one that shrinks.
    const bool growing = i / 40'000 % 2 == 0;
    const Key key{{random.next() % 50, random.next() % 50}, static_cast<uint16_t>(i % 3)};
    IndexSlot* slot = table.find(key);
    ASSERT_EQ(slot != nullptr, model.contains(key));
    if (slot == nullptr && (growing || i % 4 == 0)) {
      table.insert(key).page = i;
      model[key] = i;
    } else if (slot != nullptr) {
      ASSERT_EQ(slot->page, model[key]);
      if (!growing || i % 4 == 0) {
        table.erase(slot);
        model.erase(key);
      }
    }
    ASSERT_EQ(table.size(), model.size());
  }
}

TEST(IndexTable, TakesAtMost128BytesPerRecordOnceItIsLarge) {
  IndexTable table;
  for (uint64_t i = 1; i <= 100'000; ++i) {
    table.insert({{i * 0x9E3779B97F4A7C15u, i}, 0});
    ASSERT_TRUE(i <= 1000 || table.memory_bytes() <= i * 128) << i;
  }
}

TEST(IndexTable, GivesMemoryBack) {
  IndexTable table;
  for (uint64_t i = 1; i <= 100'000; ++i) table.insert({{i, i}, 0});
  for (uint64_t i = 1; i <= 100'000; ++i) table.erase(table.find({{i, i}, 0}));
  EXPECT_LE(table.memory_bytes(), 1024u);
}

class IndexTest : public testing::Test {
 protected:
  static Place place(uint32_t segment, uint32_t page, uint64_t birth = 1) {
    return {.birth = birth, .segment = segment, .page = page, .pages = 1};
  }
  SegmentTable segments_{4, 256};
  Index index_{segments_};
  const Key key_{{1, 2}, 0};
};

TEST_F(IndexTest, ShowsNothingOfAPutBeforeItIsPublished) {
  EXPECT_TRUE(index_.reserve(key_));
  EXPECT_FALSE(index_.reserve(key_));
  EXPECT_FALSE(index_.find(key_));
  EXPECT_FALSE(index_.erase(key_));
  index_.publish(key_, place(1, 5));
  EXPECT_EQ(index_.find(key_)->page, 5u);
  EXPECT_FALSE(index_.reserve(key_));
}

TEST_F(IndexTest, ForgetsAPutThatFailed) {
  EXPECT_TRUE(index_.reserve(key_));
  index_.cancel(key_);
  EXPECT_TRUE(index_.reserve(key_));
}

TEST_F(IndexTest, MovesARecordOnlyFromWhereItIs) {
  EXPECT_TRUE(index_.reserve(key_));
  index_.publish(key_, place(1, 5));
  EXPECT_FALSE(index_.move(key_, 1, 6, place(2, 1)));
  EXPECT_FALSE(index_.move(key_, 2, 5, place(2, 1)));
  EXPECT_TRUE(index_.move(key_, 1, 5, place(2, 1)));
  EXPECT_EQ(index_.find(key_)->segment, 2u);
}

TEST_F(IndexTest, OfTwoCopiesFoundKeepsTheLaterBorn) {
  EXPECT_FALSE(index_.restore(key_, place(1, 5, 10)));
  const std::optional<Place> older = index_.restore(key_, place(2, 6, 9));
  ASSERT_TRUE(older);
  EXPECT_EQ(older->segment, 2u);
  const std::optional<Place> replaced = index_.restore(key_, place(3, 7, 11));
  ASSERT_TRUE(replaced);
  EXPECT_EQ(replaced->segment, 1u);
  EXPECT_EQ(index_.find(key_)->segment, 3u);
}

TEST_F(IndexTest, VisitsWhatIsStoredUntilToldToStop) {
  for (uint64_t i = 1; i <= 100; ++i) {
    index_.reserve({{i, i}, 0});
    if (i % 2 == 0) index_.publish({{i, i}, 0}, place(1, static_cast<uint32_t>(i)));
  }
  int visits = 0;
  index_.for_each([&visits](const Key& key, const Place& found) {
    EXPECT_EQ(key.id.low, found.page);
    return ++visits > 0;
  });
  EXPECT_EQ(visits, 50);
}

}  // namespace
}  // namespace nacre::device
