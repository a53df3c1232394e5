// A block cut into units of 64 KiB, each compressed on its own, so that a ranged read opens only
// what it needs. Pure but for the libraries' scratch memory; a call is for one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/compress.h"
#include "device/device.h"

namespace nacre::block {

struct CompressedBlock {
  std::string payload;
  std::string unit_table;
};

// Nothing (false) when compression does not save an eighth: then the block is stored as it is.
bool compress_units(codec::Compression compression, std::span<const ByteView> parts,
                    CompressedBlock& out);

// Fills `into` with the bytes at `offset` of the block that the fragment holds, as it was before
// compression. kOutOfRange past its end; kCorrupt when it does not decode; kNewerFormat when it
// is stored in a way this version does not know.
Status read_units(const device::Fragment& fragment, uint64_t offset, MutableBytes into);

}  // namespace nacre::block
