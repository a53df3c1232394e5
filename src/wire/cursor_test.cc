#include "wire/cursor.h"

#include <gtest/gtest.h>

namespace nacre::wire {
namespace {

TEST(Cursor, WritesTheseBytes) {
  std::string out;
  Writer writer(out);
  writer.u8(0x01);
  writer.u16(0x0302);
  writer.u32(0x07060504);
  writer.u64(0x0F0E0D0C0B0A0908);
  writer.big_u64(0x1011121314151617);
  writer.varint(300);
  writer.sized("hi");
  writer.id(BlockId{0x2021222324252627, 0x28292A2B2C2D2E2F});
  writer.zeros(2);
  EXPECT_EQ(out, std::string("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F"
                             "\x10\x11\x12\x13\x14\x15\x16\x17\xAC\x02\x02hi"
                             " !\"#$%&'()*+,-./\0\0",
                             46));
}

TEST(Cursor, ReadsBackWhatItWrote) {
  std::string out;
  Writer writer(out);
  writer.u8(200);
  writer.u16(60000);
  writer.u32(4000000000);
  writer.u64(UINT64_MAX);
  writer.big_u64(7);
  writer.varint(UINT64_MAX);
  writer.varint(0);
  writer.sized("text");
  writer.id(BlockId{1, 2});
  writer.zeros(3);
  writer.raw(as_bytes("tail"));

  Reader reader(out);
  EXPECT_EQ(reader.u8(), 200);
  EXPECT_EQ(reader.u16(), 60000);
  EXPECT_EQ(reader.u32(), 4000000000);
  EXPECT_EQ(reader.u64(), UINT64_MAX);
  EXPECT_EQ(reader.big_u64(), 7u);
  EXPECT_EQ(reader.varint(), UINT64_MAX);
  EXPECT_EQ(reader.varint(), 0u);
  EXPECT_EQ(reader.sized_text(), "text");
  EXPECT_EQ(reader.id<BlockId>(), (BlockId{1, 2}));
  reader.zeros(3);
  EXPECT_EQ(as_text(reader.rest()), "tail");
  EXPECT_TRUE(reader.finish("it").ok());
}

TEST(Cursor, EveryVarintReadsBack) {
  for (unsigned bit = 0; bit < 64; ++bit) {
    for (const uint64_t value : {uint64_t{1} << bit, (uint64_t{1} << bit) - 1}) {
      std::string out;
      Writer(out).varint(value);
      EXPECT_LE(out.size(), kMaxVarintBytes);
      Reader reader(out);
      EXPECT_EQ(reader.varint(), value);
      EXPECT_TRUE(reader.finish("varint").ok());
    }
  }
}

TEST(Cursor, StaysFailedAfterReadingPastTheEnd) {
  Reader reader("abc");
  EXPECT_EQ(reader.u32(), 0u);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.u8(), 0u);
  EXPECT_EQ(reader.remaining(), 0u);
  EXPECT_EQ(reader.finish("the row").code(), Code::kCorrupt);
  EXPECT_EQ(reader.finish("the row").error().context(), "the row does not decode");
}

TEST(Cursor, RefusesTrailingBytes) {
  Reader reader("abc");
  EXPECT_EQ(reader.u8(), 'a');
  EXPECT_EQ(reader.finish("the row").error().context(), "the row has trailing bytes");
}

TEST(Cursor, RefusesVarintsThatAreTooLongOrNotTheShortestForm) {
  using namespace std::string_view_literals;
  for (const std::string_view bytes :
       {"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"sv,
        "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02"sv, "\x80\x00"sv, "\xFF"sv}) {
    Reader reader(bytes);
    EXPECT_EQ(reader.varint(), 0u);
    EXPECT_FALSE(reader.ok());
  }
}

TEST(Cursor, RefusesLengthsPastTheEndOrTheLimit) {
  Reader past("\x05hi");
  EXPECT_TRUE(past.sized().empty());
  EXPECT_FALSE(past.ok());
  Reader over("\x02hi");
  EXPECT_TRUE(over.sized(1).empty());
  EXPECT_FALSE(over.ok());
}

TEST(Cursor, RefusesReservedBytesThatAreNotZero) {
  Reader reader(std::string_view("\0x", 2));
  reader.zeros(2);
  EXPECT_FALSE(reader.ok());
}

}  // namespace
}  // namespace nacre::wire
