#include "meta/commit_builder.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "kv/memory_store.h"
#include "meta/content_finder.h"

namespace nacre::meta {
namespace {

constexpr InodeId kFile{5};
constexpr uint64_t kBlockSize = 100;
constexpr BlockId kBlock{0xA, 1};
constexpr BlockId kOther{0xB, 2};

ContentChange data(uint64_t offset, std::string text) {
  ContentChange change;
  change.offset = offset;
  change.length = text.size();
  change.kind = ContentChange::Kind::kInline;
  change.data = std::move(text);
  return change;
}

ContentChange in_block(uint64_t offset, uint64_t length, BlockId block, uint64_t block_offset) {
  ContentChange change;
  change.offset = offset;
  change.length = length;
  change.kind = ContentChange::Kind::kBlock;
  change.block = block;
  change.block_offset = block_offset;
  return change;
}

ContentChange empty(ContentChange::Kind kind, uint64_t offset, uint64_t length) {
  ContentChange change;
  change.offset = offset;
  change.length = length;
  change.kind = kind;
  return change;
}

// One file; each commit is the next sequence.
class CommitBuilderTest : public testing::Test {
 protected:
  CommitBuilder builder() { return CommitBuilder(store_, Sequence{++sequence_}, kBlockSize); }
  FinishedCommit finish(CommitBuilder& builder) {
    FinishedCommit commit = builder.finish(Timestamp{1}, 0).take();
    EXPECT_TRUE(store_.write(commit.batch, kv::Durability::kSynced).ok());
    return commit;
  }
  FinishedCommit commit(const std::vector<ContentChange>& changes,
                        const std::vector<std::pair<BlockId, uint64_t>>& blocks = {}) {
    CommitBuilder building = builder();
    for (const auto& [block, bytes] : blocks) building.add_block(block, bytes);
    EXPECT_TRUE(building.add_content(kFile, changes).ok());
    return finish(building);
  }
  static std::string text_of(uint64_t offset, const wire::ExtentRow& row) {
    std::string what = "unwritten";
    if (row.kind == wire::ExtentKind::kInline) what = "'" + row.data + "'";
    if (row.kind == wire::ExtentKind::kBlock) {
      what = fmt::format("{:x}+{}", row.block.high, row.block_offset);
    }
    return fmt::format("{} {} {}@{}", offset, row.length, what, row.begin.value);
  }
  std::string live() {
    std::string text;
    EXPECT_TRUE(visit_extents(store_, nullptr, kFile, 0, INT64_MAX, [&](const Extent& extent) {
                  text += (text.empty() ? "" : ", ") + text_of(extent.offset, extent.row);
                  return true;
                }).ok());
    return text;
  }
  std::string as_of(uint64_t sequence) {
    std::string text;
    EXPECT_TRUE(visit_past_extents(store_, Sequence{sequence}, kBlockSize, kFile, 0, INT64_MAX,
                                   [&](const Extent& extent) {
                                     text += (text.empty() ? "" : ", ") +
                                             text_of(extent.offset, extent.row);
                                     return true;
                                   })
                    .ok());
    return text;
  }
  // "references bytes", "-" when there is no row.
  std::string counts(BlockId block) {
    const auto stored = store_.get(kv::Family::kBlocks, wire::block_key(block)).take();
    if (!stored) return "-";
    const auto row = wire::decode_block(*stored).take();
    return fmt::format("{} {}", row.references, row.referenced_bytes);
  }
  bool is_doomed(BlockId block) {
    return store_.get(kv::Family::kBlocks, wire::doomed_key(block)).take().has_value();
  }
  size_t owners(BlockId block) {
    const auto rows =
        store_.iterate(kv::Family::kBlocks, kv::prefix_range(wire::owner_prefix(block)));
    size_t count = 0;
    for (rows->seek_to_first(); rows->valid(); rows->next()) ++count;
    return count;
  }

  kv::MemoryStore store_;
  uint64_t sequence_ = 0;
};

TEST_F(CommitBuilderTest, ContentBecomesExtents) {
  commit({data(10, "abc"), empty(ContentChange::Kind::kUnwritten, 20, 5)});
  EXPECT_EQ(live(), "10 3 'abc'@1, 20 5 unwritten@1");
}

TEST_F(CommitBuilderTest, AnOverwriteKeepsBothEndsAndThePast) {
  commit({data(10, "abcdef")});
  commit({data(12, "XY")});
  EXPECT_EQ(live(), "10 2 'ab'@2, 12 2 'XY'@2, 14 2 'ef'@2");
  EXPECT_EQ(as_of(1), "10 6 'abcdef'@1");
}

TEST_F(CommitBuilderTest, TwoChangesOfOneExtentCutItOnce) {
  commit({data(0, "abcdefghij")});
  commit({data(2, "X"), data(6, "Y")});
  EXPECT_EQ(live(), "0 2 'ab'@2, 2 1 'X'@2, 3 3 'def'@2, 6 1 'Y'@2, 7 3 'hij'@2");
  EXPECT_EQ(as_of(1), "0 10 'abcdefghij'@1");
}

TEST_F(CommitBuilderTest, AChangeMayReachOverSeveralExtents) {
  commit({data(0, "abc"), data(10, "def"), data(20, "ghi")});
  commit({data(2, "0123456789012345678")});
  EXPECT_EQ(live(), "0 2 'ab'@2, 2 19 '0123456789012345678'@2, 21 2 'hi'@2");
  EXPECT_EQ(as_of(1), "0 3 'abc'@1, 10 3 'def'@1, 20 3 'ghi'@1");
}

TEST_F(CommitBuilderTest, AHoleTakesExtentsAway) {
  commit({data(0, "abcdef")});
  commit({empty(ContentChange::Kind::kHole, 2, uint64_t{INT64_MAX} - 2)});
  EXPECT_EQ(live(), "0 2 'ab'@2");
  EXPECT_EQ(as_of(1), "0 6 'abcdef'@1");
}

TEST_F(CommitBuilderTest, ExtentsNeverCrossABlockBoundary) {
  commit({empty(ContentChange::Kind::kUnwritten, 50, 200)});
  EXPECT_EQ(live(), "50 50 unwritten@1, 100 100 unwritten@1, 200 50 unwritten@1");
  commit({in_block(80, 40, kBlock, 0)}, {{kBlock, 40}});
  EXPECT_EQ(live(),
            "50 30 unwritten@2, 80 20 a+0@2, 100 20 a+20@2, 120 80 unwritten@2, 200 50 "
            "unwritten@1");
}

TEST_F(CommitBuilderTest, NeighboursInOneBlockBecomeOneExtent) {
  commit({in_block(0, 10, kBlock, 0), in_block(10, 10, kBlock, 10), in_block(20, 10, kBlock, 40)},
         {{kBlock, 50}});
  EXPECT_EQ(live(), "0 20 a+0@1, 20 10 a+40@1");
  EXPECT_EQ(counts(kBlock), "2 30");
}

TEST_F(CommitBuilderTest, ABlockIsCountedForLiveAndPastExtents) {
  commit({in_block(0, 60, kBlock, 0)}, {{kBlock, 60}});
  EXPECT_EQ(counts(kBlock), "1 60");
  EXPECT_EQ(owners(kBlock), 1u);
  commit({in_block(20, 10, kOther, 0)}, {{kOther, 10}});
  EXPECT_EQ(counts(kBlock), "3 110") << "the past one whole, and what is left of the live one";
  EXPECT_EQ(owners(kBlock), 3u);
  EXPECT_EQ(counts(kOther), "1 10");
}

TEST_F(CommitBuilderTest, ANewBlockThatNothingNeedsIsDoomedAtOnce) {
  const FinishedCommit done = commit({}, {{kBlock, 60}});
  EXPECT_EQ(done.doomed, std::vector<BlockId>{kBlock});
  EXPECT_TRUE(is_doomed(kBlock));
  EXPECT_EQ(counts(kBlock), "-");
}

TEST_F(CommitBuilderTest, ABlockIsDoomedWithItsLastPastRow) {
  commit({in_block(0, 60, kBlock, 0)}, {{kBlock, 60}});
  commit({empty(ContentChange::Kind::kHole, 0, 100)});
  EXPECT_EQ(counts(kBlock), "1 60");

  CommitBuilder upkeep(store_, Sequence{sequence_}, kBlockSize);
  const std::string key = wire::past_key(wire::extent_key(kFile, 0), Sequence{2});
  const auto row = store_.get(kv::Family::kPast, key).take();
  ASSERT_TRUE(row.has_value());
  ASSERT_TRUE(upkeep.drop_past(key, *row).ok());
  const auto done = upkeep.finish_upkeep().take();
  ASSERT_TRUE(store_.write(done.batch, kv::Durability::kSynced).ok());
  EXPECT_EQ(done.doomed, std::vector<BlockId>{kBlock});
  EXPECT_EQ(counts(kBlock), "-");
  EXPECT_EQ(owners(kBlock), 0u);
  EXPECT_EQ(as_of(1), "");
}

TEST_F(CommitBuilderTest, AnExtentMovesToAnotherBlock) {
  commit({in_block(0, 60, kBlock, 5)}, {{kBlock, 65}});
  CommitBuilder upkeep(store_, Sequence{sequence_}, kBlockSize);
  upkeep.add_block(kOther, 60);
  wire::ExtentRow from{Sequence{1}, wire::ExtentKind::kBlock, 60, kBlock, 5, {}};
  wire::ExtentRow to = from;
  to.block = kOther;
  to.block_offset = 0;
  ASSERT_TRUE(upkeep.repoint(wire::extent_key(kFile, 0), std::nullopt, from, to).ok());
  const auto done = upkeep.finish_upkeep().take();
  ASSERT_TRUE(store_.write(done.batch, kv::Durability::kSynced).ok());
  EXPECT_EQ(live(), "0 60 b+0@1");
  EXPECT_EQ(counts(kOther), "1 60");
  EXPECT_EQ(done.doomed, std::vector<BlockId>{kBlock});
  EXPECT_EQ(owners(kBlock), 0u);
}

TEST_F(CommitBuilderTest, ABlockWithoutAnAccountingRowIsReported) {
  CommitBuilder building = builder();
  ASSERT_TRUE(building.add_content(kFile, std::vector{in_block(0, 10, kBlock, 0)}).ok());
  EXPECT_EQ(building.finish(Timestamp{1}, 0).code(), Code::kCorrupt);
}

TEST_F(CommitBuilderTest, ExtentsOfADeletedFileGoInSteps) {
  commit({empty(ContentChange::Kind::kUnwritten, 0, 1000)});
  CommitBuilder first = builder();
  EXPECT_FALSE(*first.remove_content(kFile, 6));
  finish(first);
  CommitBuilder second = builder();
  EXPECT_TRUE(*second.remove_content(kFile, 6));
  finish(second);
  EXPECT_EQ(live(), "");
}

TEST_F(CommitBuilderTest, AnInodeRowGetsTheBytesThatItsExtentsHold) {
  Group group;
  group.sequence = Sequence{1};
  wire::InodeRow inode;
  inode.type = 1;
  inode.allocated_bytes = 12345;  // what was thought before
  group.rows[wire::inode_key(kFile)] = {wire::encode(inode), std::nullopt, true};
  CommitBuilder building = builder();
  ASSERT_TRUE(building.add_content(kFile, std::vector{data(0, "abc"), data(10, "defg")}).ok());
  ASSERT_TRUE(building.add_group(group).ok());
  EXPECT_EQ(finish(building).allocated_bytes.at(kFile), 7u);
  const auto stored = store_.get(kv::Family::kLive, wire::inode_key(kFile)).take();
  EXPECT_EQ(wire::decode_inode(*stored)->allocated_bytes, 7u);
}

TEST_F(CommitBuilderTest, RowsOfAGroupLeaveTheirPast) {
  const std::string key = wire::xattr_key(kFile, "user.a");
  Group group;
  group.rows[key] = {wire::encode(wire::XattrRow{{1}, "new"}),
                     wire::encode(wire::XattrRow{{0}, "old"}), true};
  CommitBuilder building = builder();
  ASSERT_TRUE(building.add_group(group).ok());
  finish(building);
  const auto past = store_.get(kv::Family::kPast, wire::past_key(key, Sequence{1})).take();
  ASSERT_TRUE(past.has_value());
  EXPECT_EQ(wire::decode_xattr(*past)->value, "old");
}

TEST_F(CommitBuilderTest, TheChangeFeedNamesTheTimeAndEveryKeyTouched) {
  CommitBuilder building = builder();
  ASSERT_TRUE(building.add_content(kFile, std::vector{data(0, "abc")}).ok());
  const auto done = building.finish(Timestamp{77}, 9).take();
  ASSERT_TRUE(store_.write(done.batch, kv::Durability::kSynced).ok());
  const auto stored = store_.get(kv::Family::kChanges, wire::change_key(Sequence{1}, 0)).take();
  const auto change = wire::decode_change(*stored).take();
  EXPECT_EQ(change.time, Timestamp{77});
  EXPECT_EQ(change.session, 9u);
  EXPECT_EQ(change.keys, std::vector{wire::extent_key(kFile, 0)});
}

TEST_F(CommitBuilderTest, ALargeCommitSpreadsItsKeysOverParts) {
  commit({empty(ContentChange::Kind::kUnwritten, 0, 5000 * kBlockSize)});
  size_t keys = 0;
  size_t parts = 0;
  const auto rows = store_.iterate(kv::Family::kChanges, {});
  for (rows->seek_to_first(); rows->valid(); rows->next(), ++parts) {
    EXPECT_EQ(wire::decode_change_key(rows->key())->part, parts);
    keys += wire::decode_change(rows->value())->keys.size();
  }
  EXPECT_GT(parts, 1u);
  EXPECT_EQ(keys, 5000u);
}

TEST_F(CommitBuilderTest, LiveBytesFollowWhatLiveExtentsTakeFromBlocks) {
  CommitBuilder building = builder();
  building.add_block(kBlock, 60);
  ASSERT_TRUE(
      building.add_content(kFile, std::vector{in_block(0, 60, kBlock, 0), data(60, "inline")})
          .ok());
  EXPECT_EQ(building.live_bytes_change(), 60);
  finish(building);
  CommitBuilder next = builder();
  ASSERT_TRUE(next.add_content(kFile, std::vector{empty(ContentChange::Kind::kHole, 10, 20)}).ok());
  EXPECT_EQ(next.live_bytes_change(), -20);
}

// Where the rows of fingerprints say that its bytes are, and whether those of places agree.
std::string place_of(kv::Store& store, codec::Fingerprint fingerprint) {
  const auto stored = store.get(kv::Family::kBlocks, wire::fingerprint_key(fingerprint)).take();
  if (!stored) return "nowhere";
  const wire::ContentPlace place = wire::decode_content_place(*stored).take();
  const auto back =
      store.get(kv::Family::kBlocks, wire::fingerprint_of_key(place.block, place.offset)).take();
  const bool agrees = back == wire::encode_fingerprint(fingerprint);
  return fmt::format("{:x}+{} {}{}", place.block.high, place.offset, place.length,
                     agrees ? "" : ", but not back");
}

size_t count_rows(kv::Store& store, char kind) {
  size_t rows = 0;
  const auto all = store.iterate(kv::Family::kBlocks, kv::prefix_range(std::string(1, kind)));
  for (all->seek_to_first(); all->valid(); all->next()) ++rows;
  return rows;
}

constexpr codec::Fingerprint kFirst{1, 1};
constexpr codec::Fingerprint kSecond{2, 2};

// A block whose two halves have fingerprints.
class FingerprintsTest : public CommitBuilderTest {
 protected:
  FingerprintsTest() {
    CommitBuilder building = builder();
    building.add_block(kBlock, 100);
    building.add_fingerprint(kFirst, {kBlock, 0, 50});
    building.add_fingerprint(kSecond, {kBlock, 50, 50});
    EXPECT_TRUE(building.add_content(kFile, std::vector{in_block(0, 100, kBlock, 0)}).ok());
    finish(building);
  }
  // Gives up the only extent.
  void drop_extent(CommitBuilder& building) {
    const std::string key = wire::extent_key(kFile, 0);
    const std::string value = store_.get(kv::Family::kLive, key).take().value_or("");
    const std::string past = wire::past_key(key, Sequence{sequence_});
    EXPECT_TRUE(building.drop_past(past, value).ok());
  }
};

TEST_F(FingerprintsTest, LeadToTheBytes) {
  EXPECT_EQ(place_of(store_, kFirst), "a+0 50");
  EXPECT_EQ(place_of(store_, kSecond), "a+50 50");
}

TEST_F(FingerprintsTest, TheFirstPlaceStays) {
  CommitBuilder building = builder();
  building.add_block(kOther, 50);
  building.add_fingerprint(kFirst, {kOther, 0, 50});
  EXPECT_TRUE(building.add_content(kFile, std::vector{in_block(200, 50, kOther, 0)}).ok());
  finish(building);
  EXPECT_EQ(place_of(store_, kFirst), "a+0 50");
  EXPECT_EQ(count_rows(store_, 'h'), 2u);
}

TEST_F(FingerprintsTest, ThoseOfABlockThatNobodyNeedsAreNotKept) {
  CommitBuilder building = builder();
  building.add_block(kOther, 50);
  building.add_fingerprint({3, 3}, {kOther, 0, 50});
  EXPECT_EQ(finish(building).doomed, std::vector{kOther});
  EXPECT_EQ(place_of(store_, {3, 3}), "nowhere");
}

TEST_F(FingerprintsTest, GoWithTheirBlock) {
  CommitBuilder building = builder();
  drop_extent(building);
  EXPECT_EQ(finish(building).doomed, std::vector{kBlock});
  EXPECT_EQ(count_rows(store_, 'f'), 0u);
  EXPECT_EQ(count_rows(store_, 'h'), 0u);
}

TEST_F(FingerprintsTest, OneThatMovedOutlivesItsFirstBlock) {
  CommitBuilder building = builder();
  building.add_block(kOther, 50);
  EXPECT_TRUE(building.add_content(kFile, std::vector{in_block(200, 50, kOther, 0)}).ok());
  building.move_fingerprint(kSecond, {kBlock, 50, 50}, {kOther, 0, 50});
  drop_extent(building);
  EXPECT_EQ(finish(building).doomed, std::vector{kBlock});
  EXPECT_EQ(place_of(store_, kFirst), "nowhere");
  EXPECT_EQ(place_of(store_, kSecond), "b+0 50");
  EXPECT_EQ(count_rows(store_, 'h'), 1u);
}

TEST_F(FingerprintsTest, AreFoundWhileTheirBlockIsInUse) {
  const auto find = [&](codec::Fingerprint fingerprint, uint64_t length) {
    const auto found = ContentFinder(store_).find(fingerprint, length).take();
    return found ? fmt::format("{:x}+{}", found->block.high, found->offset) : "none";
  };
  EXPECT_EQ(find(kSecond, 50), "a+50");
  EXPECT_EQ(find(kSecond, 51), "none");
  EXPECT_EQ(find({3, 3}, 50), "none");
  kv::Batch batch;
  batch.put(kv::Family::kBlocks, wire::fingerprint_key(kFirst), "rubbish");
  batch.put(kv::Family::kBlocks, wire::fingerprint_key({3, 3}),
            wire::encode(wire::ContentPlace{kBlock, 60, 50}));  // past its end
  batch.put(kv::Family::kBlocks, wire::fingerprint_key({4, 4}),
            wire::encode(wire::ContentPlace{kOther, 0, 50}));  // no such block
  ASSERT_TRUE(store_.write(batch, kv::Durability::kSynced).ok());
  EXPECT_EQ(find(kFirst, 50), "none");
  EXPECT_EQ(find({3, 3}, 50), "none");
  EXPECT_EQ(find({4, 4}, 50), "none");
}

}  // namespace
}  // namespace nacre::meta
