#include "wire/segment_layout.h"

#include <gtest/gtest.h>

#include <functional>

#include "wire/golden.h"

namespace nacre::wire {
namespace {

constexpr DeviceId kDevice{0x1011121314151617, 0x18191a1b1c1d1e1f};
constexpr BlockId kBlock{0x3031323334353637, 0x38393a3b3c3d3e3f};
constexpr uint64_t kGeneration = 0x0000000400000006;
constexpr uint64_t kSeed = 77;

RecordHead example_head() {
  RecordHead head{.kind = RecordKind::kFragment,
                  .compression = 2,
                  .sealing = 1,
                  .fragment = 7,
                  .id = kBlock,
                  .generation = kGeneration,
                  .sequence = 9,
                  .birth = 8,
                  .page = 3,
                  .synced_pages = 2,
                  .logical_bytes = 70000,
                  .stored_bytes = 20000,
                  .descriptor = "units",
                  .page_checksums = {0xa1, 0xa2}};
  lay_out(head);
  return head;
}

Tombstone example_tombstone() {
  return {.id = kBlock, .fragment = 7, .birth = 8, .generation = kGeneration, .segment = 5};
}

Summary example_summary() {
  return {.segment = 5,
          .generation = kGeneration,
          .last_sequence = 9,
          .end_page = 9,
          .appendable = true,
          .records = {summary_of(example_head())},
          .tombstones = {example_tombstone()}};
}

// Flips every bit of the first `count` bytes in turn; none may decode.
void expect_all_flips_refused(const std::string& bytes, size_t count,
                              const std::function<bool(ByteView)>& decodes) {
  ASSERT_TRUE(decodes(as_bytes(bytes)));
  for (size_t bit = 0; bit < count * 8; ++bit) {
    std::string bad = bytes;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << bit % 8);
    ASSERT_FALSE(decodes(as_bytes(bad))) << bit;
  }
}

TEST(SegmentHeader, HasTheseBytes) {
  const std::string page = encode_segment_header(
      {.state = SegmentState::kFree, .device = kDevice, .segment = 5, .generation = kGeneration});
  EXPECT_EQ(page.size(), kDevicePageBytes);
  EXPECT_EQ(hex_of(page.substr(0, 40)), without_spaces("4e536567 01 02 0000"
                                                       "101112131415161718191a1b1c1d1e1f"
                                                       "05000000 00000000"
                                                       "0600000004000000"));
  EXPECT_EQ(page.substr(40, 464), std::string(464, '\0'));
  EXPECT_EQ(hex_of(page.substr(504, 8)), "4fe3b5cfdbf591bc");
}

TEST(SegmentHeader, ReadsBackUnlessDamagedOrOfAnotherDevice) {
  const SegmentHeader header{.device = kDevice, .segment = 5, .generation = kGeneration};
  const std::string page = encode_segment_header(header);
  EXPECT_EQ(*decode_segment_header(as_bytes(page), kDevice), header);
  EXPECT_EQ(decode_segment_header(as_bytes(page), DeviceId{1, 2}).code(), Code::kCorrupt);
  expect_all_flips_refused(page, kSectorBytes, [](ByteView bytes) {
    return decode_segment_header(bytes, kDevice).ok();
  });
}

TEST(RecordHead, HasTheseBytes) {
  const std::string bytes = encode_record_head(example_head(), kSeed);
  EXPECT_EQ(bytes.size(), kDevicePageBytes);
  EXPECT_EQ(hex_of(bytes.substr(0, 120)),
            without_spaces("4e526563 01 01 01 02 01 00 0700 03000000"
                           "303132333435363738393a3b3c3d3e3f"
                           "0600000004000000 0900000000000000 0800000000000000"
                           "06000000 02000000 70110100 204e0000 00100000 05000000"
                           "0000000000000000"
                           "6930b72beeb255ba"
                           "756e697473 a100000000000000 a200000000000000 000000"));
}

TEST(RecordHead, ReadsBackUnlessDamaged) {
  const RecordHead head = example_head();
  const std::string bytes = encode_record_head(head, kSeed);
  EXPECT_EQ(*peek_record_head(as_bytes(bytes)), 96u + 5 + 16);
  EXPECT_EQ(*decode_record_head(as_bytes(bytes), kSeed), head);
  EXPECT_EQ(decode_record_head(as_bytes(bytes), kSeed + 1).code(), Code::kCorrupt);
  EXPECT_EQ(decode_record_head(as_bytes(bytes).first(116), kSeed).code(), Code::kCorrupt);
  expect_all_flips_refused(
      bytes, 117, [](ByteView flipped) { return decode_record_head(flipped, kSeed).ok(); });
}

TEST(RecordHead, SharesItsPageWithAPayloadThatFits) {
  RecordHead head;
  head.stored_bytes = 4096 - 96 - 8;
  lay_out(head);
  EXPECT_EQ(head.payload_offset, 104u);
  EXPECT_EQ(head.pages, 1u);
  ++head.stored_bytes;
  lay_out(head);
  EXPECT_EQ(head.payload_offset, 4096u);
  EXPECT_EQ(head.pages, 2u);
  head.stored_bytes = 0;
  lay_out(head);
  EXPECT_EQ(head.payload_offset, 96u);
  EXPECT_EQ(head.pages, 1u);
}

TEST(RecordHead, OfFourMebibytesTakesOnePage) {
  RecordHead head;
  head.stored_bytes = 4u << 20;
  head.descriptor = std::string(256, 'd');
  lay_out(head);
  EXPECT_EQ(head.payload_offset, 4096u);
  EXPECT_EQ(head.pages, 1025u);
}

TEST(RecordHead, OfImpossibleLengthIsRefusedBeforeAnythingIsAllocated) {
  std::string bytes = encode_record_head(example_head(), kSeed);
  bytes.replace(68, 4, "\xff\xff\xff\xff");
  EXPECT_EQ(peek_record_head(as_bytes(bytes)).code(), Code::kCorrupt);
  EXPECT_EQ(peek_record_head(as_bytes("NRec")).code(), Code::kCorrupt);
}

TEST(Tombstones, HaveTheseBytes) {
  const std::vector<Tombstone> tombstones = {example_tombstone()};
  EXPECT_EQ(hex_of(encode_tombstones(tombstones)),
            without_spaces("303132333435363738393a3b3c3d3e3f"
                           "0800000000000000 0600000004000000 05000000 0700 0000"));
}

TEST(Tombstones, ReadBackUnlessCutOff) {
  const std::vector<Tombstone> tombstones = {example_tombstone(), {.birth = 1}, {.segment = 9}};
  const std::string payload = encode_tombstones(tombstones);
  EXPECT_EQ(*decode_tombstones(as_bytes(payload)), tombstones);
  EXPECT_EQ(decode_tombstones(as_bytes(payload).first(79)).code(), Code::kCorrupt);
}

TEST(Summary, HasTheseBytes) {
  const std::string bytes = encode_summary(example_summary(), kSeed);
  ASSERT_EQ(bytes.size(), kDevicePageBytes);
  EXPECT_EQ(hex_of(bytes.substr(0, 88)),
            without_spaces("303132333435363738393a3b3c3d3e3f"
                           "0800000000000000 03000000 06000000 204e0000 70110100 0700 01"
                           "0000000000"
                           "303132333435363738393a3b3c3d3e3f"
                           "0800000000000000 0600000004000000 05000000 0700 0000"));
  EXPECT_EQ(bytes.substr(88, 4096 - 64 - 88), std::string(4096 - 64 - 88, '\0'));
  EXPECT_EQ(hex_of(bytes.substr(4096 - 64)),
            without_spaces("4e53756d 01 01 0000 0600000004000000 0900000000000000"
                           "05000000 09000000 01000000 01000000 0000000000000000"
                           "285fd555c4fae66f c5aaafdbbd0b5586"));
}

TEST(Summary, ReadsBackUnlessDamaged) {
  const Summary summary = example_summary();
  const std::string bytes = encode_summary(summary, kSeed);
  EXPECT_EQ(*peek_summary(as_bytes(bytes).last(kSummaryFooterBytes), 16, kSeed), 1u);
  EXPECT_EQ(*decode_summary(as_bytes(bytes), 16, kSeed), summary);
  expect_all_flips_refused(bytes, bytes.size(), [](ByteView flipped) {
    return decode_summary(flipped, 16, kSeed).ok();
  });
}

TEST(Summary, OfManyRecordsTakesMorePages) {
  Summary summary = example_summary();
  summary.records.clear();
  for (uint32_t i = 1; i < 300; ++i) {
    summary.records.push_back({.birth = i, .page = i, .pages = 1, .stored_bytes = 9});
  }
  summary.end_page = 300;
  const std::string bytes = encode_summary(summary, kSeed);
  EXPECT_EQ(bytes.size(), 4 * kDevicePageBytes);
  EXPECT_EQ(*decode_summary(as_bytes(bytes), 304, kSeed), summary);
  EXPECT_EQ(decode_summary(as_bytes(bytes), 303, kSeed).code(), Code::kCorrupt);
  EXPECT_EQ(decode_summary(as_bytes(bytes).last(4096), 304, kSeed).code(), Code::kCorrupt);
}

TEST(Summary, WithRecordsThatOverlapIsCorrupt) {
  Summary summary = example_summary();
  summary.records.push_back(summary.records.front());
  EXPECT_EQ(decode_summary(as_bytes(encode_summary(summary, kSeed)), 16, kSeed).code(),
            Code::kCorrupt);
}

}  // namespace
}  // namespace nacre::wire
