#include "wire/row_log_layout.h"

#include <gtest/gtest.h>

#include "wire/bucket_fault.h"
#include "wire/golden.h"

namespace nacre::wire {
namespace {

constexpr uint64_t kSeed = 77;
constexpr RowLogHeader kHeader{.volume = {0x2021222324252627, 0x28292a2b2c2d2e2f},
                               .epoch = 4,
                               .first_number = 5,
                               .created = {0x0102030405060708}};

RowBatch batch(uint64_t number) {
  return {.number = number,
          .time = {256},
          .changes = {{.family = 1, .key = "key", .value = "value"}, {.family = 4, .key = "gone"}}};
}

std::string record_of(const RowBatch& rows, uint64_t seed = kSeed) {
  std::string record;
  EXPECT_TRUE(append_batch(rows, seed, record).ok());
  return record;
}

Code decode_code(std::string_view record) { return decode_batch(as_bytes(record), kSeed).code(); }

// The numbers of the batches that a reader finds, and where it ends.
struct Found {
  std::vector<uint64_t> numbers;
  size_t end_bytes = 0;
};
Found found_in(const std::string& bytes, uint64_t first_number = 5) {
  RowLogReader reader(as_bytes(bytes), first_number, kSeed);
  Found found;
  while (const std::optional<RowBatch> next = reader.next()) found.numbers.push_back(next->number);
  found.end_bytes = reader.end_bytes();
  return found;
}
const std::vector<uint64_t> kTwo = {5, 6};

TEST(RowBatch, HasTheseBytes) {
  EXPECT_EQ(hex_of(record_of(batch(5))), without_spaces("2f000000 0500000000000000 0001000000000000"
                                                        "01 036b6579 01 0576616c7565"
                                                        "04 04676f6e65 00 abfd2c6f47dedc4b"));
}

TEST(RowBatch, ReadsBackWhatWasWritten) {
  for (const RowBatch& rows : {batch(5), RowBatch{.number = 1},
                               RowBatch{.number = 1, .changes = {{.key = "k", .value = ""}}}}) {
    const std::string record = record_of(rows);
    EXPECT_EQ(*peek_batch(as_bytes(record)), record.size());
    const Result<RowBatch> back = decode_batch(as_bytes(record), kSeed);
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(*back, rows);
  }
}

TEST(RowBatch, WithAnyBitFlippedOrCutOffIsCorrupt) {
  const std::string record = record_of(batch(5));
  for (size_t bit = 0; bit < record.size() * 8; ++bit) {
    ASSERT_EQ(decode_code(with_bit_flipped(record, bit)), Code::kCorrupt) << bit;
  }
  for (size_t length = 0; length < record.size(); ++length) {
    ASSERT_EQ(decode_code(record.substr(0, length)), Code::kCorrupt) << length;
  }
  EXPECT_EQ(decode_code(record_of(batch(5), kSeed + 1)), Code::kCorrupt);
}

TEST(RowBatch, OfAnImpossibleLengthIsNone) {
  for (const uint32_t length : {0u, 27u, kMaxBatchBytes + 1, UINT32_MAX}) {
    std::string bytes(4, '\0');
    std::memcpy(bytes.data(), &length, sizeof(length));
    EXPECT_EQ(peek_batch(as_bytes(bytes)).code(), Code::kCorrupt);
  }
  EXPECT_EQ(peek_batch(as_bytes("abc")).code(), Code::kCorrupt);
}

TEST(RowBatch, ThatIsTooBigIsRefusedWhole) {
  const std::string value(kMaxBatchBytes / 4, 'v');
  RowBatch rows{.number = 1};
  for (int i = 0; i < 4; ++i) rows.changes.push_back({.key = "k", .value = value});
  std::string out = "before";
  EXPECT_EQ(append_batch(rows, kSeed, out).code(), Code::kTooBig);
  EXPECT_EQ(out, "before");
}

TEST(RowLogHeader, HasTheseBytes) {
  EXPECT_EQ(hex_of(encode_row_log_header(kHeader)),
            without_spaces("4e43524c 0100 0000"
                           "202122232425262728292a2b2c2d2e2f 04000000 00000000"
                           "0500000000000000 0807060504030201 0000000000000000 4adcf48d3a1acf96"));
}

TEST(RowLogHeader, ReadsBackWhatWasWritten) {
  const std::string bytes = encode_row_log_header(kHeader);
  const Result<RowLogHeader> back = decode_row_log_header(as_bytes(bytes));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, kHeader);
  EXPECT_EQ(decode_row_log_header(as_bytes(bytes).first(63)).code(), Code::kCorrupt);
  EXPECT_EQ(decode_row_log_header(as_bytes(patched_frame(bytes, 6, "\x01"))).code(),
            Code::kNewerFormat);
}

TEST(RowLogHeader, GivesEachFileAnotherSeed) {
  RowLogHeader later = kHeader;
  later.created.ns += 1;
  EXPECT_NE(row_log_seed(kHeader), row_log_seed(later));
}

TEST(RowLogReader, GivesAllBatchesInOrder) {
  const std::string bytes = record_of(batch(5)) + record_of(batch(6));
  EXPECT_EQ(found_in(bytes).numbers, kTwo);
  EXPECT_EQ(found_in(bytes).end_bytes, bytes.size());
  EXPECT_TRUE(found_in("").numbers.empty());
}

TEST(RowLogReader, EndsWhereTheTornTailBegins) {
  const std::string good = record_of(batch(5)) + record_of(batch(6));
  const std::string next = record_of(batch(7));
  for (size_t length = 0; length < next.size(); ++length) {
    const Found found = found_in(good + next.substr(0, length));
    ASSERT_EQ(found.numbers, kTwo) << length;
    ASSERT_EQ(found.end_bytes, good.size()) << length;
  }
  for (size_t bit = 0; bit < next.size() * 8; ++bit) {
    ASSERT_EQ(found_in(good + with_bit_flipped(next, bit)).end_bytes, good.size()) << bit;
  }
  EXPECT_EQ(found_in(good + std::string(4096, '\0')).end_bytes, good.size());
}

TEST(RowLogReader, TakesNoRecordOfAnEarlierFileOrOutOfOrder) {
  const std::string good = record_of(batch(5)) + record_of(batch(6));
  EXPECT_EQ(found_in(good + record_of(batch(7), kSeed + 1)).end_bytes, good.size());
  EXPECT_EQ(found_in(good + record_of(batch(8))).end_bytes, good.size());
  EXPECT_EQ(found_in(good + record_of(batch(6))).end_bytes, good.size());
  EXPECT_EQ(found_in(good, 6).end_bytes, 0u);
}

}  // namespace
}  // namespace nacre::wire
