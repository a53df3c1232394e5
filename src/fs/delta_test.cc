#include "fs/delta.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "fs/memory_budget.h"

namespace nacre::fs {
namespace {

constexpr BlockId kBlock{1, 2};

// A delta in words: "0 'abc', 3 hole 10, 13 block+5 2".
class DeltaTest : public testing::Test {
 protected:
  void write(uint64_t offset, std::string_view text) {
    delta_.write(offset, as_bytes(text), memory_);
  }
  void put(uint64_t offset, Piece::Kind kind, uint64_t length) {
    Piece piece;
    piece.kind = kind;
    piece.length = length;
    if (kind == Piece::Kind::kBlock) piece.block = kBlock;
    delta_.put(offset, piece);
  }
  static std::string text_of(uint64_t offset, const Piece& piece) {
    switch (piece.kind) {
      case Piece::Kind::kHole:
        return fmt::format("{} hole {}", offset, piece.length);
      case Piece::Kind::kUnwritten:
        return fmt::format("{} unwritten {}", offset, piece.length);
      case Piece::Kind::kBlock:
        return fmt::format("{} block+{} {}", offset, piece.source_offset, piece.length);
      default:
        return fmt::format("{} '{}'", offset, as_text(piece.view()));
    }
  }
  std::string text() const {
    std::string text;
    for (const auto& [offset, piece] : delta_.pieces()) {
      text += (text.empty() ? "" : ", ") + text_of(offset, piece);
    }
    return text;
  }
  const Buffer* buffer_at(uint64_t offset) { return delta_.pieces().at(offset).buffer.get(); }
  void seal(uint64_t offset) { delta_.pieces().at(offset).buffer->sealed = true; }

  MemoryBudget memory_{1 * kMiB};
  Delta delta_;
};

TEST_F(DeltaTest, AWriteIsAPieceOfItsOwn) {
  write(5, "abc");
  write(100, "xy");
  EXPECT_EQ(text(), "5 'abc', 100 'xy'");
  EXPECT_EQ(delta_.buffered_bytes(), 5u);
}

TEST_F(DeltaTest, AnEmptyWriteLeavesNothing) {
  write(5, "");
  EXPECT_TRUE(delta_.empty());
}

TEST_F(DeltaTest, AWriteWithinAPieceChangesItInPlace) {
  write(0, "abcdef");
  const Buffer* buffer = buffer_at(0);
  write(2, "XY");
  EXPECT_EQ(text(), "0 'abXYef'");
  EXPECT_EQ(buffer_at(0), buffer);
}

TEST_F(DeltaTest, ASealedBufferIsNeverWrittenInPlace) {
  write(0, "abcdef");
  const auto shared = delta_.pieces().at(0).buffer;
  seal(0);
  write(2, "XY");
  EXPECT_EQ(text(), "0 'ab', 2 'XY', 4 'ef'");
  EXPECT_EQ(as_text({shared->bytes.get(), 6}), "abcdef");
}

TEST_F(DeltaTest, ABufferThatSomebodyElseHoldsIsNeverWrittenInPlace) {
  write(0, "abcdef");
  const auto shared = delta_.pieces().at(0).buffer;
  write(2, "XY");
  EXPECT_EQ(as_text({shared->bytes.get(), 6}), "abcdef");
}

TEST_F(DeltaTest, ARunOfAppendsFillsOneBuffer) {
  write(0, "ab");
  write(2, "cd");  // this one makes room for more
  const Buffer* buffer = buffer_at(2);
  write(4, "ef");
  EXPECT_EQ(text(), "0 'ab', 2 'cdef'");
  EXPECT_EQ(buffer_at(2), buffer);
}

TEST_F(DeltaTest, AnAppendToASealedBufferGoesToANewOne) {
  write(0, "ab");
  write(2, "c");
  seal(2);
  write(3, "d");
  EXPECT_EQ(text(), "0 'ab', 2 'c', 3 'd'");
}

TEST_F(DeltaTest, AnAppendThatWouldReachTheNextPieceGoesToANewOne) {
  write(0, "ab");
  write(2, "c");
  write(5, "xyz");
  write(3, "defg");
  EXPECT_EQ(text(), "0 'ab', 2 'c', 3 'defg', 7 'z'");
}

TEST_F(DeltaTest, APutReplacesWhatItCoversAndCutsWhatItTouches) {
  write(0, "abcdef");
  write(6, "ghij");
  put(4, Piece::Kind::kHole, 4);
  EXPECT_EQ(text(), "0 'abcd', 4 hole 4, 8 'ij'");
  EXPECT_EQ(delta_.buffered_bytes(), 6u);
}

TEST_F(DeltaTest, APutInTheMiddleLeavesBothEnds) {
  put(0, Piece::Kind::kBlock, 10);
  put(4, Piece::Kind::kUnwritten, 2);
  EXPECT_EQ(text(), "0 block+0 4, 4 unwritten 2, 6 block+6 4");
}

TEST_F(DeltaTest, AHoleToTheEndOfAllFilesReplacesEverythingAfter) {
  write(0, "abc");
  write(10, "def");
  put(2, Piece::Kind::kHole, uint64_t{INT64_MAX} - 2);
  EXPECT_EQ(text(), fmt::format("0 'ab', 2 hole {}", uint64_t{INT64_MAX} - 2));
}

TEST_F(DeltaTest, StoredBuffersBecomeBlocks) {
  write(10, "abcdef");
  EXPECT_TRUE(delta_.settle(10, 6, buffer_at(10), 0, kBlock, 1000));
  EXPECT_EQ(text(), "10 block+1000 6");
  EXPECT_EQ(delta_.buffered_bytes(), 0u);
  EXPECT_EQ(memory_.used(), 0u);
}

TEST_F(DeltaTest, WhatWasWrittenWhileABufferWasStoredStays) {
  write(10, "abcdef");
  const Buffer* buffer = buffer_at(10);
  seal(10);
  write(12, "XY");
  EXPECT_TRUE(delta_.settle(10, 6, buffer, 0, kBlock, 1000));
  EXPECT_EQ(text(), "10 block+1000 2, 12 'XY', 14 block+1004 2");
  EXPECT_EQ(delta_.buffered_bytes(), 2u);
}

TEST_F(DeltaTest, APartOfABufferIsStoredAlone) {
  write(0, "abcdef");
  const Buffer* buffer = buffer_at(0);
  put(2, Piece::Kind::kHole, 1);
  EXPECT_TRUE(delta_.settle(3, 3, buffer, 3, kBlock, 0));
  EXPECT_EQ(text(), "0 'ab', 2 hole 1, 3 block+0 3");
}

TEST_F(DeltaTest, ABufferIsStoredInSeveralBlocks) {
  write(10, "abcdef");
  const Buffer* buffer = buffer_at(10);
  EXPECT_TRUE(delta_.settle(12, 2, buffer, 2, kBlock, 500));
  EXPECT_EQ(text(), "10 'ab', 12 block+500 2, 14 'ef'");
  EXPECT_EQ(delta_.buffered_bytes(), 4u);
  EXPECT_TRUE(delta_.settle(10, 2, buffer, 0, kBlock, 100));
  EXPECT_TRUE(delta_.settle(14, 2, buffer, 4, kBlock, 900));
  EXPECT_EQ(text(), "10 block+100 2, 12 block+500 2, 14 block+900 2");
  EXPECT_EQ(memory_.used(), 0u);
}

TEST_F(DeltaTest, NothingSettlesWhenTheBufferIsGone) {
  write(0, "abc");
  const auto old = delta_.pieces().at(0).buffer;
  put(0, Piece::Kind::kHole, 3);
  EXPECT_FALSE(delta_.settle(0, 3, old.get(), 0, kBlock, 0));
  EXPECT_EQ(text(), "0 hole 3");
}

TEST_F(DeltaTest, AVisitGivesPartsOfPiecesAndTheGapsBetween) {
  write(10, "abcdef");
  write(20, "xyz");
  std::string seen;
  const bool finished = delta_.visit(
      12, 30,
      [&](uint64_t offset, const Piece& piece) {
        seen += text_of(offset, piece) + ", ";
        return true;
      },
      [&](uint64_t begin, uint64_t end) {
        seen += fmt::format("gap {}-{}, ", begin, end);
        return true;
      });
  EXPECT_TRUE(finished);
  EXPECT_EQ(seen, "12 'cdef', gap 16-20, 20 'xyz', gap 23-30, ");
}

TEST_F(DeltaTest, AVisitOfAnEmptyDeltaIsOneGap) {
  std::string seen;
  const auto no_piece = [](uint64_t, const Piece&) { return false; };
  EXPECT_TRUE(delta_.visit(3, 7, no_piece, [&](uint64_t begin, uint64_t end) {
    seen += fmt::format("gap {}-{}", begin, end);
    return true;
  }));
  EXPECT_EQ(seen, "gap 3-7");
}

TEST_F(DeltaTest, AVisitStopsWhenToldTo) {
  write(0, "a");
  write(5, "b");
  int pieces = 0;
  EXPECT_FALSE(delta_.visit(
      0, 10, [&](uint64_t, const Piece&) { return ++pieces == 2; },
      [](uint64_t, uint64_t) { return true; }));
  EXPECT_EQ(pieces, 1);
}

TEST_F(DeltaTest, BuffersCountInTheMemoryBudgetWhileTheyLive) {
  write(0, std::string(1000, 'x'));
  EXPECT_EQ(memory_.used(), 1000u);
  delta_.clear();
  EXPECT_EQ(memory_.used(), 0u);
  EXPECT_EQ(delta_.buffered_bytes(), 0u);
}

}  // namespace
}  // namespace nacre::fs
