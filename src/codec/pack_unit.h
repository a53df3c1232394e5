// One unit of a block as a pack stores it: up to 64 KiB, compressed where that saves an eighth,
// and protected so that it passes for no other unit and for no unit of another block. A unit of L
// bytes is stored as it is when its stored form is L bytes longer than the protection, so nothing
// else has to say so. docs/format/bucket.md gives the bytes. A packer and an opener hold scratch
// memory: each is for one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "codec/compress.h"
#include "codec/protection.h"

namespace nacre::codec {

inline constexpr size_t kPackUnitBytes = 64u << 10;

// Which unit of which block; it is the associated data.
struct UnitPlace {
  BlockId block = {};
  uint32_t unit = 0;   // counts from 0
  uint32_t units = 0;  // that the block has
};

class UnitPacker {
 public:
  // A block has one compression; kNone stores all units as they are.
  UnitPacker(Compression compression, Protection protection);

  // Appends the stored form of a unit of 1 to kPackUnitBytes; returns its bytes, at most
  // Protection::kMaxOverheadBytes more than the unit's.
  size_t store(ByteView unit, const UnitPlace& place, std::string& out);

 private:
  Compressor compressor_;
  Protection protection_;
  std::string packed_;
};

class UnitOpener {
 public:
  UnitOpener(Compression compression, Protection protection);

  // Fills `into`, as long as the unit was, from its stored form. kCorrupt when that is damaged,
  // is another unit's, or was stored under another key.
  Status open(ByteView stored, const UnitPlace& place, MutableBytes into);

 private:
  Decompressor decompressor_;
  Protection protection_;
  std::string packed_;
};

}  // namespace nacre::codec
