#include "wire/row_segment.h"

#include <gtest/gtest.h>

#include "wire/bucket_fault.h"
#include "wire/golden.h"

namespace nacre::wire {
namespace {

constexpr VolumeId kVolume{0x2021222324252627, 0x28292a2b2c2d2e2f};
constexpr uint32_t kEpoch = 3;
constexpr uint64_t kNumber = 9;

std::vector<codec::Protection> both() { return {codec::Protection(), sealing_with('k')}; }

std::string noise(size_t size) {
  std::string text;
  uint64_t state = size;
  for (size_t i = 0; i < size; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    text.push_back(static_cast<char>(state >> 56));
  }
  return text;
}

// A segment with a batch for each value, numbered from 5.
std::string segment_of(const std::vector<std::string>& values,
                       const codec::Protection& protection) {
  SegmentWriter writer(kVolume, kEpoch, kNumber);
  uint64_t number = 5;
  for (const std::string& value : values) {
    const RowBatch batch{.number = number,
                         .time = {static_cast<int64_t>(number) * 100},
                         .changes = {{.family = 1, .key = "k", .value = value}}};
    EXPECT_TRUE(writer.append(batch).ok());
    ++number;
  }
  EXPECT_EQ(writer.batches(), values.size());
  const uint64_t foretold_bytes = writer.object_bytes();
  const std::string object = writer.finish(protection);
  EXPECT_LE(object.size(), foretold_bytes + 60);
  return object;
}

Result<std::vector<std::string>> values_of(const std::string& object,
                                           const codec::Protection& protection) {
  const SegmentReader reader =
      TRY(SegmentReader::open(as_bytes(object), kVolume, kEpoch, kNumber, protection));
  std::vector<std::string> values;
  uint64_t number = 5;
  TRY(reader.visit([&](const RowBatch& batch) -> Status {
    EXPECT_EQ(batch.number, number++);
    EXPECT_EQ(batch.changes.size(), 1u);
    values.emplace_back(*batch.changes[0].value);
    return {};
  }));
  return values;
}

Code code_of(const std::string& object, const codec::Protection& protection = {}) {
  return values_of(object, protection).code();
}

TEST(Segment, HasTheseBytes) {
  const std::string object = segment_of({"value"}, {});
  EXPECT_EQ(hex_of(object),
            without_spaces("4e435253 0100 0000"
                           "202122232425262728292a2b2c2d2e2f 03000000 00000000"
                           "0900000000000000 0500000000000000 0500000000000000"
                           "f401000000000000 f401000000000000"
                           "00000000000000000000000000000000 30a9972119752194"
                           "2e000000 26000000 01000000"
                           "26000000 0500000000000000 f401000000000000"
                           "01 016b 01 0576616c7565 a07ec43688dbf902 5c633800508ed30c"));
}

TEST(Segment, ReadsBackWhatWasWritten) {
  // Small batches, one over several chunks, and one that just fills a chunk.
  const std::vector<std::string> values = {
      "", "a", noise(3'500'000), std::string(5'000'000, 'z'), "b", noise(kRowChunkBytes)};
  for (const codec::Protection& protection : both()) {
    const auto back = values_of(segment_of(values, protection), protection);
    ASSERT_TRUE(back.ok());
    EXPECT_TRUE(*back == values);
  }
}

TEST(Segment, TellsItsBatchesBeforeTheyAreRead) {
  const std::string object = segment_of({"a", "b", "c"}, {});
  const auto reader = SegmentReader::open(as_bytes(object), kVolume, kEpoch, kNumber, {});
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ(reader->header().first_batch, 5u);
  EXPECT_EQ(reader->header().last_batch, 7u);
  EXPECT_EQ(reader->header().first_time.ns, 500);
  EXPECT_EQ(reader->header().last_time.ns, 700);
}

TEST(Segment, IsCompressed) {
  for (const codec::Protection& protection : both()) {
    EXPECT_LT(segment_of({std::string(4'000'000, 'z')}, protection).size(), 10'000u);
  }
}

TEST(Segment, WithAnyBitFlippedOrCutOffOrLengthenedIsCorrupt) {
  for (const codec::Protection& protection : both()) {
    const std::string object = segment_of({"a", "b"}, protection);
    for (size_t bit = 0; bit < object.size() * 8; ++bit) {
      ASSERT_EQ(code_of(with_bit_flipped(object, bit), protection), Code::kCorrupt) << bit;
    }
    for (size_t length = 0; length < object.size(); ++length) {
      ASSERT_EQ(code_of(object.substr(0, length), protection), Code::kCorrupt) << length;
    }
    EXPECT_EQ(code_of(object + "x", protection), Code::kCorrupt);
    EXPECT_EQ(code_of(object + object.substr(96), protection), Code::kCorrupt);
  }
}

// Where the chunks of an object begin, and its end.
std::vector<size_t> chunk_begins(const std::string& object) {
  std::vector<size_t> begins = {kRowObjectHeaderBytes};
  while (begins.back() < object.size()) {
    uint32_t stored_bytes = 0;
    std::memcpy(&stored_bytes, object.data() + begins.back(), sizeof(stored_bytes));
    begins.push_back(begins.back() + 12 + stored_bytes);
  }
  return begins;
}

TEST(Segment, WithAChunkMissingMovedOrOfAnotherSegmentIsCorrupt) {
  for (const codec::Protection& protection : both()) {
    const std::string object = segment_of({std::string(3 * kRowChunkBytes, 'z')}, protection);
    const std::string other = segment_of({std::string(3 * kRowChunkBytes, 'z'), "x"}, protection);
    const std::vector<size_t> at = chunk_begins(object);
    ASSERT_EQ(at.size(), 5u);
    const auto chunk = [&](size_t i) { return object.substr(at[i], at[i + 1] - at[i]); };
    const std::string head = object.substr(0, at[0]);
    ASSERT_TRUE(values_of(head + chunk(0) + chunk(1) + chunk(2) + chunk(3), protection).ok());
    EXPECT_EQ(code_of(head + chunk(0) + chunk(1) + chunk(2), protection), Code::kCorrupt);
    EXPECT_EQ(code_of(head + chunk(0) + chunk(1) + chunk(3), protection), Code::kCorrupt);
    EXPECT_EQ(code_of(head + chunk(1) + chunk(0) + chunk(2) + chunk(3), protection),
              Code::kCorrupt);
    const std::string foreign = other.substr(at[0], at[1] - at[0]);
    EXPECT_EQ(code_of(head + foreign + chunk(1) + chunk(2) + chunk(3), protection), Code::kCorrupt);
  }
}

TEST(Segment, MustBeTheOneItsNameSays) {
  const std::string object = segment_of({"a"}, {});
  const auto open_as = [&](VolumeId volume, uint32_t epoch, uint64_t number) {
    return SegmentReader::open(as_bytes(object), volume, epoch, number, {});
  };
  EXPECT_TRUE(open_as(kVolume, kEpoch, kNumber).ok());
  EXPECT_EQ(open_as({1, 2}, kEpoch, kNumber).code(), Code::kCorrupt);
  EXPECT_EQ(open_as(kVolume, kEpoch + 1, kNumber).code(), Code::kCorrupt);
  EXPECT_EQ(open_as(kVolume, kEpoch, kNumber + 1).code(), Code::kCorrupt);
}

TEST(Segment, IsReadWithTheKeyItWasSealedUnderAlone) {
  const std::string sealed = segment_of({"a"}, sealing_with('k'));
  EXPECT_EQ(code_of(sealed), Code::kAccess);
  EXPECT_EQ(code_of(sealed, sealing_with('l')), Code::kCorrupt);
  EXPECT_EQ(code_of(segment_of({"a"}, {}), sealing_with('k')), Code::kCorrupt);
}

TEST(Segment, EndsWithTheErrorOfItsVisitor) {
  const std::string object = segment_of({"a", "b"}, {});
  const auto reader = SegmentReader::open(as_bytes(object), kVolume, kEpoch, kNumber, {});
  int visits = 0;
  const Status status = reader->visit([&](const RowBatch&) -> Status {
    ++visits;
    return Code::kCancelled;
  });
  EXPECT_EQ(status.code(), Code::kCancelled);
  EXPECT_EQ(visits, 1);
}

// What a writer never makes: good sums around impossible contents.
std::string object_with(std::string_view items, uint64_t first_batch, uint64_t last_batch) {
  RowObjectWriter writer;
  writer.append(as_bytes(items));
  return writer.finish({.place = {RowObjectKind::kSegment, kVolume, kEpoch, kNumber},
                        .first_batch = first_batch,
                        .last_batch = last_batch},
                       {});
}

TEST(Segment, OfImpossibleContentsIsCorrupt) {
  std::string five;
  std::string seven;
  ASSERT_TRUE(append_batch({.number = 5, .changes = {{.key = "k", .value = ""}}}, 0, five).ok());
  ASSERT_TRUE(append_batch({.number = 7, .changes = {{.key = "k", .value = ""}}}, 0, seven).ok());
  EXPECT_TRUE(values_of(object_with(five, 5, 5), {}).ok());
  EXPECT_EQ(code_of(object_with(five, 5, 6)), Code::kCorrupt);
  EXPECT_EQ(code_of(object_with(five, 5, 4)), Code::kCorrupt);
  EXPECT_EQ(code_of(object_with(five + seven, 5, 6)), Code::kCorrupt);
  EXPECT_EQ(code_of(object_with(five + five, 5, 5)), Code::kCorrupt);
  EXPECT_EQ(code_of(object_with("", 5, 5)), Code::kCorrupt);
  EXPECT_EQ(code_of(object_with(five + "ab", 5, 5)), Code::kCorrupt);
  EXPECT_EQ(code_of(object_with(five.substr(0, 20), 5, 5)), Code::kCorrupt);
  EXPECT_EQ(code_of(object_with(std::string(4, '\0'), 5, 5)), Code::kCorrupt);
  EXPECT_EQ(code_of(object_with(std::string(4, '\xff'), 5, 5)), Code::kCorrupt);
  EXPECT_EQ(code_of(object_with(five, 0, UINT64_MAX)), Code::kCorrupt);
}

}  // namespace
}  // namespace nacre::wire
