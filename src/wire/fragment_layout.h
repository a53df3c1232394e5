// What a cluster keeps with each fragment, and the manifest of a large object. The bytes are
// described in docs/format/cluster.md; this is the only place that writes or reads them. Pure
// functions, safe from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/units.h"
#include "codec/erasure_code.h"

namespace nacre::wire {

enum class BlockKind : uint8_t {
  kData = 1,      // a whole object, or a block of a volume
  kPart = 2,      // a block of a large object, which its manifest names
  kManifest = 3,  // says where the parts of an object are
  kDeleted = 4,   // the block is gone for good, and a fragment of it that turns up is to go, too
};

// Kept in the record of every fragment, so that any one of them says what the block is.
struct FragmentNote {
  BlockKind kind = BlockKind::kData;
  codec::ErasureCode code = {};
  uint32_t block_bytes = 0;
  uint64_t fragment_xxh64 = 0;  // of the whole fragment, by whoever wrote it: checked end to end
  BlockId object = {};          // of a part: the object it belongs to; else zero
  Timestamp written = {};       // by the clock of the node that took it first
  friend bool operator==(const FragmentNote&, const FragmentNote&) = default;
};

std::string encode_fragment_note(const FragmentNote& note);
// kCorrupt when it is none; kNewerFormat.
Result<FragmentNote> decode_fragment_note(ByteView bytes);

// Of one object: their manifest must fit into a block of 64 MiB.
inline constexpr uint64_t kMaxParts = (4u << 20) - 2;

// An object of `object_bytes`: its parts in order, all of `part_bytes` but the last.
struct Manifest {
  uint64_t object_bytes = 0;
  uint32_t part_bytes = 0;
  std::vector<BlockId> parts = {};
  friend bool operator==(const Manifest&, const Manifest&) = default;
};

std::string encode_manifest(const Manifest& manifest);
// kCorrupt when it is none or contradicts itself; kNewerFormat.
Result<Manifest> decode_manifest(ByteView bytes);

}  // namespace nacre::wire
