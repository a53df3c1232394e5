#include "tier/pack_builder.h"

#include <algorithm>

namespace nacre::tier {

PackBuilder::PackBuilder(const PackFormat& format, wire::PackId id)
    : format_(format),
      id_(id),
      packer_(format.compression, format.protection),
      bytes_(wire::encode_pack_header(header())) {}

wire::PackHeader PackBuilder::header() const {
  return {.volume = format_.volume, .pack = id_, .sealed = format_.protection.sealed()};
}

Status PackBuilder::add(block::Store& from, BlockId id) {
  const block::BlockInfo info = TRY(from.info(id));
  const size_t before = bytes_.size();
  wire::PackedBlock block{.id = id,
                          .offset_bytes = before,
                          .logical_bytes = static_cast<uint32_t>(info.logical_bytes),
                          .compression = format_.compression};
  keep_place(block);
  Status appended = append(from, block);
  if (appended.ok()) {
    blocks_.push_back(std::move(block));
  } else {
    bytes_.resize(before);
  }
  return appended;
}

void PackBuilder::add_stored(const wire::PackedBlock& block, ByteView units) {
  wire::PackedBlock here = block;
  here.offset_bytes = bytes_.size();
  keep_place(here);
  bytes_ += as_text(units);
  blocks_.push_back(std::move(here));
}

// No two blocks begin at the same place.
void PackBuilder::keep_place(const wire::PackedBlock& block) {
  if (block.logical_bytes == 0) bytes_ += '\0';
}

Status PackBuilder::append(block::Store& from, wire::PackedBlock& block) {
  std::string bytes(block.logical_bytes, '\0');
  TRY(from.read(block.id, 0, as_writable_bytes(bytes)));
  ByteView left = as_bytes(bytes);
  const auto units =
      static_cast<uint32_t>((left.size() + codec::kPackUnitBytes - 1) / codec::kPackUnitBytes);
  for (uint32_t i = 0; i < units; ++i) {
    const ByteView unit = left.first(std::min(left.size(), codec::kPackUnitBytes));
    const size_t stored = packer_.store(unit, {block.id, i, units}, bytes_);
    block.unit_bytes.push_back(static_cast<uint32_t>(stored));
    left = left.subspan(unit.size());
  }
  return {};
}

std::string PackBuilder::finish() {
  const uint64_t index_offset = bytes_.size();
  const std::string index =
      wire::encode_pack_index(header(), blocks_, index_offset, format_.protection);
  bytes_ += index;
  bytes_ += wire::encode_pack_trailer({.pack = id_,
                                       .sealed = format_.protection.sealed(),
                                       .index_offset = index_offset,
                                       .index_bytes = static_cast<uint32_t>(index.size()),
                                       .blocks = static_cast<uint32_t>(blocks_.size())});
  return std::move(bytes_);
}

}  // namespace nacre::tier
