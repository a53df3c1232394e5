#include "wire/heat_layout.h"

#include <gtest/gtest.h>

#include "codec/checksum.h"
#include "wire/golden.h"

namespace nacre::wire {
namespace {

const std::vector<BlockHeat> kBlocks = {{{1, 2}, 3}, {{4, 5}, 0}};

std::string with_sum(std::string bytes) {
  const uint64_t sum = codec::xxh64(as_bytes(bytes));
  for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<char>(sum >> (8 * i)));
  return bytes;
}

TEST(HeatLayout, IsTheBytesTheFormatPageGives) {
  const std::string file = encode_heat(kBlocks);
  EXPECT_EQ(hex_of(file.substr(0, file.size() - 8)), without_spaces("4e61637265486f74 0100 02"
                                                                    "0000000000000001"
                                                                    "0000000000000002 03"
                                                                    "0000000000000004"
                                                                    "0000000000000005 00"));
  EXPECT_EQ(file, with_sum(file.substr(0, file.size() - 8)));
  EXPECT_EQ(*decode_heat(as_bytes(file)), kBlocks);
  EXPECT_TRUE(decode_heat(as_bytes(encode_heat({})))->empty());
}

TEST(HeatLayout, TheLastBlocksAreKept) {
  std::vector<BlockHeat> many(kMaxHeatBlocks + 2);
  for (size_t i = 0; i < many.size(); ++i) many[i].block = {1, i};
  const std::string file = encode_heat(many);
  EXPECT_LE(file.size(), kMaxHeatBytes);
  const auto kept = decode_heat(as_bytes(file));
  ASSERT_TRUE(kept.ok());
  EXPECT_EQ(kept->size(), kMaxHeatBlocks);
  EXPECT_EQ(kept->front().block, (BlockId{1, 2}));
}

TEST(HeatLayout, DamageIsFound) {
  const std::string file = encode_heat(kBlocks);
  for (size_t at = 0; at < file.size(); ++at) {
    std::string damaged = file;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    EXPECT_EQ(decode_heat(as_bytes(damaged)).code(), Code::kCorrupt) << at;
    EXPECT_EQ(decode_heat(as_bytes(file).first(at)).code(), Code::kCorrupt) << at;
  }
  std::string count = file.substr(0, file.size() - 8);
  count[10] = 3;
  EXPECT_EQ(decode_heat(as_bytes(with_sum(count))).code(), Code::kCorrupt);
}

TEST(HeatLayout, ALaterVersionIsRefusedAsNewer) {
  std::string later = encode_heat(kBlocks);
  later.resize(later.size() - 8);
  later[8] = 2;
  EXPECT_EQ(decode_heat(as_bytes(with_sum(later))).code(), Code::kNewerFormat);
}

}  // namespace
}  // namespace nacre::wire
