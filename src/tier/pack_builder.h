// Makes the bytes of one pack: blocks, one after another, cut into protected units; then the index.
// For one thread; holds the whole pack in memory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "block/store.h"
#include "codec/pack_unit.h"
#include "wire/pack_layout.h"

namespace nacre::tier {

// What all packs of a volume have in common.
struct PackFormat {
  wire::VolumeId volume = {};
  codec::Compression compression = codec::Compression::kZstd;
  codec::Protection protection = {};
};

class PackBuilder {
 public:
  PackBuilder(const PackFormat& format, wire::PackId id);

  // Appends the block, which is read from `from`. After an error the pack is as it was before.
  Status add(block::Store& from, BlockId id);
  // Appends a block as it is stored in another pack, of the same volume.
  void add_stored(const wire::PackedBlock& block, ByteView units);
  uint64_t bytes() const { return bytes_.size(); }
  const std::vector<wire::PackedBlock>& blocks() const { return blocks_; }
  // The whole object. Nothing may be called afterwards.
  std::string finish();

 private:
  wire::PackHeader header() const;
  void keep_place(const wire::PackedBlock& block);
  Status append(block::Store& from, wire::PackedBlock& block);

  const PackFormat& format_;
  const wire::PackId id_;
  codec::UnitPacker packer_;
  std::string bytes_;
  std::vector<wire::PackedBlock> blocks_;
};

}  // namespace nacre::tier
