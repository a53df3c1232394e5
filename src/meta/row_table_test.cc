#include "meta/row_table.h"

#include <gtest/gtest.h>

#include "kv/memory_store.h"
#include "wire/rows.h"

namespace nacre::meta {
namespace {

// Rows here are attributes "a", "b", ... of inode 5; their values are short texts.
class RowTableTest : public testing::Test {
 protected:
  static std::string key(char name) { return wire::xattr_key(InodeId{5}, std::string(1, name)); }
  static std::string value(const std::string& text) {
    return wire::encode(wire::XattrRow{{}, text});
  }

  void put(char name, const std::string& text) { rows_.put(key(name), value(text), current(name)); }
  void put_quietly(char name, const std::string& text) {
    rows_.put_quietly(key(name), value(text), *current(name));
  }
  void erase(char name) { rows_.erase(key(name), current(name)); }
  std::optional<std::string> current(char name) const { return *rows_.get(key(name)); }
  // "text@begin", "-" when there is no row.
  static std::string text_of(const std::optional<std::string>& stored) {
    if (!stored) return "-";
    const auto row = wire::decode_xattr(*stored).take();
    return row.value + "@" + std::to_string(row.begin.value);
  }
  std::string get(char name) const { return text_of(current(name)); }
  std::string scan() const {
    std::string seen;
    EXPECT_TRUE(rows_
                    .scan(kv::prefix_range(wire::xattr_prefix(InodeId{5})),
                          [&](std::string_view live_key, std::string_view stored) {
                            seen += std::string(wire::decode_live_key(live_key)->name) + "=" +
                                    text_of(std::string(stored)) + " ";
                            return true;
                          })
                    .ok());
    return seen;
  }
  // Puts the closed group into the store, as a commit does.
  void commit() {
    const auto group = rows_.cut();
    store(*group);
    rows_.retire();
  }
  void store(const Group& group) {
    kv::Batch batch;
    for (const auto& [row_key, row] : group.rows) {
      if (row.value) {
        batch.put(kv::Family::kLive, row_key, *row.value);
      } else {
        batch.erase(kv::Family::kLive, row_key);
      }
    }
    EXPECT_TRUE(store_.write(batch, kv::Durability::kSynced).ok());
  }

  kv::MemoryStore store_;
  RowTable rows_{store_, Sequence{10}};
};

TEST_F(RowTableTest, APutRowBeginsWithTheCommitThatWillHoldIt) {
  put('a', "one");
  EXPECT_EQ(get('a'), "one@11");
  commit();
  EXPECT_EQ(get('a'), "one@11");
  put('a', "two");
  EXPECT_EQ(get('a'), "two@12");
}

TEST_F(RowTableTest, AnErasedRowIsGoneThoughTheStoreHasIt) {
  put('a', "one");
  commit();
  erase('a');
  EXPECT_EQ(get('a'), "-");
  EXPECT_EQ(scan(), "");
  commit();
  EXPECT_EQ(get('a'), "-");
}

TEST_F(RowTableTest, ARowMadeAndErasedInOneGroupLeavesNothing) {
  put('a', "one");
  erase('a');
  EXPECT_EQ(get('a'), "-");
  EXPECT_TRUE(rows_.active_empty());
}

TEST_F(RowTableTest, AGroupRemembersWhatWasBeforeIt) {
  put('a', "one");
  commit();
  put('a', "two");
  put('a', "three");
  const auto group = rows_.cut();
  const PendingRow& row = group->rows.at(key('a'));
  EXPECT_EQ(text_of(row.base), "one@11");
  EXPECT_EQ(text_of(row.value), "three@12");
  EXPECT_TRUE(row.history);
}

TEST_F(RowTableTest, ARowErasedAndMadeAgainInOneGroupKeepsItsPast) {
  put('a', "one");
  commit();
  erase('a');
  put('a', "two");
  const PendingRow& row = rows_.cut()->rows.at(key('a'));
  EXPECT_EQ(text_of(row.base), "one@11");
  EXPECT_EQ(text_of(row.value), "two@12");
}

TEST_F(RowTableTest, AQuietPutKeepsTheBeginAndMakesNoHistory) {
  put('a', "one");
  commit();
  put_quietly('a', "touched");
  EXPECT_EQ(get('a'), "touched@11");
  EXPECT_FALSE(rows_.cut()->rows.at(key('a')).history);
}

TEST_F(RowTableTest, APutAfterAQuietOneMakesHistoryOfTheRowAsItWas) {
  put('a', "one");
  commit();
  put_quietly('a', "touched");
  put('a', "two");
  const PendingRow& row = rows_.cut()->rows.at(key('a'));
  EXPECT_TRUE(row.history);
  EXPECT_EQ(text_of(row.base), "one@11");
  EXPECT_EQ(text_of(row.value), "two@12");
}

TEST_F(RowTableTest, AQuietPutAfterAPutKeepsItsHistory) {
  put('a', "one");
  commit();
  put('a', "two");
  put_quietly('a', "touched");
  const PendingRow& row = rows_.cut()->rows.at(key('a'));
  EXPECT_TRUE(row.history);
  EXPECT_EQ(text_of(row.value), "touched@12");
}

TEST_F(RowTableTest, ReadsSeeTheActiveGroupOverTheClosedOneOverTheStore) {
  for (const char name : {'a', 'b', 'c', 'd'}) put(name, "stored");
  commit();
  put('b', "closed");
  put('c', "closed");
  erase('d');
  put('e', "closed");
  const auto group = rows_.cut();
  put('c', "active");
  put('d', "active");
  erase('e');
  EXPECT_EQ(scan(), "a=stored@11 b=closed@12 c=active@13 d=active@13 ");
  EXPECT_EQ(get('e'), "-");
  store(*group);
  EXPECT_EQ(scan(), "a=stored@11 b=closed@12 c=active@13 d=active@13 ");
  rows_.retire();
  EXPECT_EQ(scan(), "a=stored@11 b=closed@12 c=active@13 d=active@13 ");
}

TEST_F(RowTableTest, AScanStopsWhenToldToAndKeepsToItsRange) {
  for (const char name : {'a', 'b', 'c'}) put(name, "x");
  int seen = 0;
  ASSERT_TRUE(rows_
                  .scan({key('b'), key('c')},
                        [&](std::string_view, std::string_view) {
                          ++seen;
                          return true;
                        })
                  .ok());
  EXPECT_EQ(seen, 1);
  ASSERT_TRUE(rows_
                  .scan({},
                        [&](std::string_view, std::string_view) {
                          ++seen;
                          return false;
                        })
                  .ok());
  EXPECT_EQ(seen, 2);
}

TEST_F(RowTableTest, PendingRowsAreKnownUntilTheyAreStored) {
  put('a', "one");
  EXPECT_TRUE(rows_.has_pending(key('a')));
  const auto group = rows_.cut();
  EXPECT_TRUE(rows_.has_pending(key('a')));
  EXPECT_TRUE(rows_.active_empty());
  rows_.retire();
  EXPECT_FALSE(rows_.has_pending(key('a')));
}

TEST_F(RowTableTest, RowsOfTheVolumeAreReadThroughTheSameLayers) {
  rows_.put_volume("k", "one");
  const auto group = rows_.cut();
  EXPECT_EQ(*rows_.get_volume("k"), "one");
  rows_.put_volume("k", std::nullopt);
  EXPECT_EQ(*rows_.get_volume("k"), std::nullopt);
  EXPECT_EQ(group->volume_rows.at("k"), "one");
}

TEST_F(RowTableTest, PendingInodeRowsFollowTheCountOfTheCommitBeforeThem) {
  wire::InodeRow inode;
  inode.type = 1;
  inode.allocated_bytes = 100;
  const std::string inode_key = wire::inode_key(InodeId{5});
  rows_.put(inode_key, wire::encode(inode), std::nullopt);
  const auto group = rows_.cut();
  rows_.put(inode_key, wire::encode(inode), group->rows.at(inode_key).value);
  rows_.retire();
  rows_.correct_allocated(InodeId{5}, 700);
  const auto next = rows_.cut();
  const PendingRow& row = next->rows.at(inode_key);
  EXPECT_EQ(wire::decode_inode(*row.value)->allocated_bytes, 700u);
  EXPECT_EQ(wire::decode_inode(*row.base)->allocated_bytes, 700u);
  EXPECT_EQ(wire::decode_inode(*row.value)->begin, Sequence{12});
  EXPECT_EQ(wire::decode_inode(*row.base)->begin, Sequence{11});
}

}  // namespace
}  // namespace nacre::meta
