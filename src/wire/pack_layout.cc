#include "wire/pack_layout.h"

#include <numeric>

#include "base/check.h"
#include "codec/pack_unit.h"
#include "wire/cursor.h"
#include "wire/object_frame.h"
#include "wire/unit_table.h"
#include "wire/volume_layout.h"

namespace nacre::wire {
namespace {

constexpr std::string_view kHeaderMagic = "NCPK";
constexpr std::string_view kTrailerMagic = "NCPT";
static_assert(kUnitBytes == codec::kPackUnitBytes);

void put_block(Writer& out, const PackedBlock& block) {
  CHECK(block.unit_bytes.size() == unit_count(block.logical_bytes));
  out.varint(block.offset_bytes);
  out.varint(block.logical_bytes);
  out.u8(static_cast<uint8_t>(block.compression));
  for (const uint32_t bytes : block.unit_bytes) out.varint(bytes);
}

// All of a block but its id.
Result<PackedBlock> take_block(Reader& in) {
  PackedBlock block;
  block.offset_bytes = in.varint();
  const uint64_t logical_bytes = in.varint();
  const uint8_t compression = in.u8();
  if (block.offset_bytes < kPackHeaderBytes || block.offset_bytes > kMaxPackBytes ||
      logical_bytes > kMaxBlockSize) {
    in.fail();
  }
  if (!in.ok()) return block;  // finish() will say so
  block.compression = TRY(codec::compression_of(compression));
  block.logical_bytes = static_cast<uint32_t>(logical_bytes);
  const uint32_t units = unit_count(block.logical_bytes);
  for (uint32_t unit = 0; unit < units && in.ok(); ++unit) {
    const uint64_t bytes = in.varint();
    const uint64_t most_bytes =
        unit_length(logical_bytes, unit) + codec::Protection::kMaxOverheadBytes;
    if (bytes == 0 || bytes > most_bytes) in.fail();
    block.unit_bytes.push_back(static_cast<uint32_t>(bytes));
  }
  if (block.offset_bytes + block.stored_bytes() > kMaxPackBytes) in.fail();
  return block;
}

// What an index belongs to: the header of its pack, and where in it the index is.
std::string index_associated(const PackHeader& header, uint64_t index_offset, uint32_t blocks) {
  std::string associated = encode_pack_header(header);
  Writer out(associated);
  out.u64(index_offset);
  out.u32(blocks);
  return associated;
}

}  // namespace

uint64_t PackedBlock::stored_bytes() const {
  return std::accumulate(unit_bytes.begin(), unit_bytes.end(), uint64_t{0});
}

uint64_t PackedBlock::offset_of_unit(uint32_t unit) const {
  CHECK(unit <= unit_bytes.size());
  return std::accumulate(unit_bytes.begin(), unit_bytes.begin() + unit, offset_bytes);
}

std::string encode_location(const PackLocation& location) {
  std::string value;
  Writer out(value);
  out.id(location.pack);
  put_block(out, location.block);
  return value;
}

Result<PackLocation> decode_location(std::string_view value, BlockId block) {
  Reader in(value);
  PackLocation location;
  location.pack = in.id<PackId>();
  location.block = TRY(take_block(in));
  location.block.id = block;
  TRY(in.finish("the place of a block in a pack"));
  return location;
}

std::string encode_pack_header(const PackHeader& header) {
  std::string bytes;
  begin_frame(bytes, kHeaderMagic, header.sealed);
  Writer out(bytes);
  out.id(header.volume);
  out.id(header.pack);
  out.zeros(kPackHeaderBytes - kFrameEndBytes - out.size());
  end_frame(bytes);
  return bytes;
}

Result<PackHeader> decode_pack_header(ByteView bytes) {
  if (bytes.size() != kPackHeaderBytes) return Error(Code::kCorrupt, "pack header is cut off");
  const ObjectFrame frame = TRY(open_frame(bytes, kHeaderMagic, "pack header"));
  Reader in(frame.fields);
  PackHeader header{.sealed = frame.sealed};
  header.volume = in.id<VolumeId>();
  header.pack = in.id<PackId>();
  in.rest();
  TRY(in.finish("pack header"));
  return header;
}

std::string encode_pack_trailer(const PackTrailer& trailer) {
  std::string bytes;
  begin_frame(bytes, kTrailerMagic, trailer.sealed);
  Writer out(bytes);
  out.id(trailer.pack);
  out.u64(trailer.index_offset);
  out.u32(trailer.index_bytes);
  out.u32(trailer.blocks);
  end_frame(bytes);
  return bytes;
}

Result<PackTrailer> decode_pack_trailer(ByteView bytes, PackId pack, uint64_t object_bytes) {
  if (bytes.size() != kPackTrailerBytes) return Error(Code::kCorrupt, "pack trailer is cut off");
  const ObjectFrame frame = TRY(open_frame(bytes, kTrailerMagic, "pack trailer"));
  Reader in(frame.fields);
  PackTrailer trailer{.sealed = frame.sealed};
  trailer.pack = in.id<PackId>();
  trailer.index_offset = in.u64();
  trailer.index_bytes = in.u32();
  trailer.blocks = in.u32();
  TRY(in.finish("pack trailer"));
  if (trailer.pack != pack) {
    return Error(Code::kCorrupt, "the object is pack " + to_hex(trailer.pack) + " under the name " +
                                     "of pack " + to_hex(pack));
  }
  if (trailer.index_offset < kPackHeaderBytes || trailer.index_offset > kMaxPackBytes ||
      trailer.index_bytes > kMaxPackIndexBytes || trailer.blocks > kMaxPackBlocks ||
      trailer.index_offset + trailer.index_bytes + kPackTrailerBytes != object_bytes) {
    return Error(Code::kCorrupt, "pack trailer is impossible");
  }
  return trailer;
}

std::string encode_pack_index(const PackHeader& header, std::span<const PackedBlock> blocks,
                              uint64_t index_offset, const codec::Protection& protection) {
  CHECK(blocks.size() <= kMaxPackBlocks && header.sealed == protection.sealed());
  std::string plain;
  Writer out(plain);
  for (const PackedBlock& block : blocks) {
    out.id(block.id);
    put_block(out, block);
  }
  const auto count = static_cast<uint32_t>(blocks.size());
  std::string stored;
  protection.protect(as_bytes(plain), as_bytes(index_associated(header, index_offset, count)),
                     stored);
  return stored;
}

Result<std::vector<PackedBlock>> decode_pack_index(ByteView stored, const PackHeader& header,
                                                   const PackTrailer& trailer,
                                                   const codec::Protection& protection) {
  TRY(check_sealing(header.sealed && trailer.sealed, protection, "the pack"));
  if (stored.size() != trailer.index_bytes || stored.size() < protection.overhead_bytes()) {
    return Error(Code::kCorrupt, "pack index is cut off");
  }
  std::string plain(stored.size() - protection.overhead_bytes(), '\0');
  const std::string associated = index_associated(header, trailer.index_offset, trailer.blocks);
  TRY(protection.open(stored, as_bytes(associated), as_writable_bytes(plain)));
  std::vector<PackedBlock> blocks;
  Reader in(plain);
  uint64_t end = kPackHeaderBytes;
  for (uint32_t i = 0; i < trailer.blocks && in.ok(); ++i) {
    const auto id = in.id<BlockId>();
    PackedBlock block = TRY(take_block(in));
    block.id = id;
    if (block.offset_bytes < end) in.fail();
    end = block.offset_bytes + block.stored_bytes();
    if (end > trailer.index_offset) in.fail();
    blocks.push_back(std::move(block));
  }
  TRY(in.finish("pack index"));
  return blocks;
}

}  // namespace nacre::wire
