#include "wire/heat_layout.h"

#include <algorithm>
#include <string_view>

#include "codec/checksum.h"
#include "wire/cursor.h"

namespace nacre::wire {
namespace {

constexpr std::string_view kMagic = "NacreHot";
constexpr uint16_t kVersion = 1;
constexpr size_t kChecksumBytes = 8;

}  // namespace

std::string encode_heat(std::span<const BlockHeat> blocks) {
  blocks = blocks.last(std::min(blocks.size(), kMaxHeatBlocks));
  std::string file;
  Writer out(file);
  out.raw(as_bytes(kMagic));
  out.u16(kVersion);
  out.varint(blocks.size());
  for (const BlockHeat& block : blocks) {
    out.id(block.block);
    out.u8(block.uses);
  }
  out.u64(codec::xxh64(as_bytes(file)));
  return file;
}

Result<std::vector<BlockHeat>> decode_heat(ByteView file) {
  if (file.size() < kMagic.size() + kChecksumBytes || file.size() > kMaxHeatBytes ||
      as_text(file.first(kMagic.size())) != kMagic) {
    return Error(Code::kCorrupt, "it is no list of blocks that are read often");
  }
  const ByteView bytes = file.first(file.size() - kChecksumBytes);
  Reader sum(file.subspan(bytes.size()));
  if (sum.u64() != codec::xxh64(bytes)) return Error(Code::kCorrupt, "it fails its checksum");
  Reader in(bytes.subspan(kMagic.size()));
  if (in.u16() > kVersion) {
    return Error(Code::kNewerFormat, "a later version of nacre wrote the list of hot blocks");
  }
  std::vector<BlockHeat> blocks;
  const uint64_t count = in.varint();
  if (count > kMaxHeatBlocks || count > in.remaining()) in.fail();
  if (in.ok()) blocks.reserve(count);
  for (uint64_t i = 0; in.ok() && i < count; ++i) {
    const auto block = in.id<BlockId>();
    blocks.push_back({block, in.u8()});
  }
  TRY(in.finish("the list of hot blocks"));
  return blocks;
}

}  // namespace nacre::wire
