// Parts of blocks that as a whole are elsewhere, kept here for those who read them again. They are
// kept beside the blocks of a store, under the same ids, and none of the store's methods sees them.
//
// Every method may be called from any thread. Every read verifies checksums. A part may be gone
// after a crash.
#pragma once

#include <cstdint>
#include <functional>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"

namespace nacre::block {

inline constexpr uint32_t kMaxParts = 4096;  // of one block

class PartStore {
 public:
  virtual ~PartStore() = default;

  // kExists for a part already kept; kNoSpace; kOutOfRange from kMaxParts on.
  virtual Status put_part(BlockId id, uint32_t part, ByteView bytes) = 0;
  // Fills `into` with the bytes at `offset` of the part. kNotFound; kOutOfRange past its end.
  virtual Status read_part(BlockId id, uint32_t part, uint64_t offset, MutableBytes into) = 0;
  // Idempotent.
  virtual Status remove_part(BlockId id, uint32_t part) = 0;
  // Every part, in no order, with the bytes it takes, until `visit` returns false.
  virtual void list_parts(
      const std::function<bool(BlockId, uint32_t part, uint64_t stored_bytes)>& visit) = 0;
};

}  // namespace nacre::block
