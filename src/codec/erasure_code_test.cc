#include "codec/erasure_code.h"

#include <gtest/gtest.h>

#include <vector>

namespace nacre::codec {
namespace {

constexpr ErasureCode k4p2{4, 2};

std::string fault_in(std::string_view text) {
  const Result<ErasureCode> code = parse_code(text);
  EXPECT_EQ(code.code(), Code::kInvalid) << text;
  return code.error().context();
}

std::vector<uint64_t> bytes_of(ErasureCode code, uint64_t length) {
  const FragmentLayout layout(code, length);
  std::vector<uint64_t> bytes;
  for (unsigned i = 0; i < code.n(); ++i) bytes.push_back(layout.bytes_of(i));
  return bytes;
}

using Bytes = std::vector<uint64_t>;

TEST(ErasureCode, IsWrittenAsPeopleSayIt) {
  EXPECT_EQ(to_string({4, 2}), "4+2");
  EXPECT_EQ(to_string({1, 2}), "3 copies");
  EXPECT_EQ(to_string({1, 0}), "1 copy");
  EXPECT_EQ(to_string({5, 0}), "5+0");
}

TEST(ErasureCode, OfEveryKindReadsBack) {
  for (unsigned k = 1; k <= kMaxFragments; ++k) {
    for (unsigned m = 0; k + m <= kMaxFragments; ++m) {
      const ErasureCode code{static_cast<uint8_t>(k), static_cast<uint8_t>(m)};
      ASSERT_TRUE(code.is_valid());
      EXPECT_EQ(*parse_code(to_string(code)), code);
      EXPECT_EQ(*parse_code(std::to_string(k) + "+" + std::to_string(m)), code);
    }
  }
}

TEST(ErasureCode, ThatIsNoneSaysWhatMayBeWritten) {
  for (const char* const text : {"", "4", "+", "4+", "+2", "4 + 2", "-4+2", "4+2x", "copies",
                                 "3copies", "3 copy cats", " copies", "4+2+1", "99999999999+1"}) {
    EXPECT_NE(fault_in(text).find("'4+2', or '3 copies'"), std::string::npos) << text;
  }
  EXPECT_EQ(fault_in("30+3"),
            "'30+3' is too wide: data and parity are at most 32 fragments together");
  EXPECT_EQ(fault_in("33 copies"),
            "'33 copies' is too wide: data and parity are at most 32 fragments together");
  EXPECT_EQ(
      fault_in("4294967295+4294967295"),
      "'4294967295+4294967295' is too wide: data and parity are at most 32 fragments together");
  EXPECT_EQ(fault_in("0+2"), "'0+2' keeps nothing: at least one data fragment is needed");
  EXPECT_EQ(fault_in("0 copies"), "'0 copies' keeps nothing: at least one data fragment is needed");
}

TEST(FragmentLayout, CutsABlockIntoContiguousParts) {
  EXPECT_EQ(bytes_of(k4p2, 1 << 20), (Bytes{262144, 262144, 262144, 262144, 262144, 262144}));
  EXPECT_EQ(bytes_of(k4p2, (1 << 20) + 1), (Bytes{262208, 262208, 262208, 261953, 262208, 262208}));
  EXPECT_EQ(bytes_of({1, 2}, 5000), (Bytes{5000, 5000, 5000}));
}

TEST(FragmentLayout, OfAShortBlockHasEmptyFragments) {
  EXPECT_EQ(bytes_of(k4p2, 0), (Bytes{0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(bytes_of(k4p2, 1), (Bytes{1, 0, 0, 0, 1, 1}));
  EXPECT_EQ(bytes_of(k4p2, 4096), (Bytes{4096, 0, 0, 0, 4096, 4096}));
  EXPECT_EQ(bytes_of(k4p2, 4097), (Bytes{4096, 1, 0, 0, 4096, 4096}));
  EXPECT_EQ(bytes_of(k4p2, 16384), (Bytes{4096, 4096, 4096, 4096, 4096, 4096}));
  EXPECT_EQ(layout_of(k4p2, 0).stored(), 0u);
  EXPECT_EQ(layout_of(k4p2, 4096).stored(), 3u);
  EXPECT_EQ(layout_of(k4p2, 4097).stored(), 4u);
  EXPECT_EQ(layout_of(k4p2, 1 << 20).stored(), 6u);
}

TEST(FragmentLayout, OfManyFragmentsMayEndBeforeTheLast) {
  // Rounded up to 64 bytes, the first 31 fragments hold all there is.
  EXPECT_EQ(layout_of({31, 1}, 31 * 4096 + 1).stride_bytes(), 4160u);
  EXPECT_EQ(layout_of({31, 1}, 31 * 4096 + 1).data_stored(), 31u);
  EXPECT_EQ(layout_of({32, 0}, 32 * 4096 + 1).data_stored(), 32u);
  EXPECT_EQ(layout_of({32, 0}, 32 * 4096 - 4096).data_stored(), 31u);
}

TEST(FragmentLayout, HoldsEveryByteOnce) {
  for (const ErasureCode code : {ErasureCode{4, 2}, {1, 2}, {8, 3}, {31, 1}, {7, 0}}) {
    for (const uint64_t length : {0, 1, 4095, 4096, 4097, 16383, 16385, 100'000, 1 << 20}) {
      const FragmentLayout layout(code, length);
      uint64_t sum = 0;
      for (unsigned i = 0; i < code.k; ++i) {
        EXPECT_TRUE(!layout.is_stored(i) || layout.offset_of(i) == sum);
        sum += layout.bytes_of(i);
      }
      EXPECT_EQ(sum, length);
    }
  }
}

TEST(FragmentLayout, SaysWhereARangeLies) {
  using Pieces = std::vector<FragmentPiece>;
  const FragmentLayout layout(k4p2, 10'000);
  EXPECT_EQ(layout.pieces_of(100, 50), (Pieces{{0, 100, 50}}));
  EXPECT_EQ(layout.pieces_of(4000, 5000), (Pieces{{0, 4000, 96}, {1, 0, 4096}, {2, 0, 808}}));
  EXPECT_EQ(layout.pieces_of(9'999, 50), (Pieces{{2, 1807, 1}}));
  EXPECT_EQ(layout.pieces_of(0, UINT64_MAX).size(), 3u);
  EXPECT_EQ(layout.pieces_of(10'000, 1), Pieces{});
  EXPECT_EQ(layout.pieces_of(UINT64_MAX, UINT64_MAX), Pieces{});
  EXPECT_EQ(layout.pieces_of(5, 0), Pieces{});
}

}  // namespace
}  // namespace nacre::codec
