// Immutable blocks by id: the interface of every block store (local, and later cluster and cloud)
// and of the decorators in front of them. All run the same contract suite (store_contract.h).
//
// A block is up to kMaxBlockBytes bytes, written once under an id never used before and never
// modified. Every method may be called from any thread. Every read verifies checksums: no read
// returns bytes other than those put.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"

namespace nacre::block {

inline constexpr uint64_t kMaxBlockBytes = 64ull << 20;

struct Space {
  uint64_t capacity_bytes = 0;  // what records may fill
  uint64_t used_bytes = 0;      // records with their headers, live and dead
  uint64_t live_bytes = 0;      // records not removed
  uint64_t free_bytes = 0;      // for new records now, without cleaning
  uint64_t over_bytes = 0;      // of the host, beyond what it may take: cleaning gives it back
};

struct BlockInfo {
  uint64_t logical_bytes = 0;  // as put
  uint64_t stored_bytes = 0;   // on the device, with header, checksums and padding
};

class Store {
 public:
  virtual ~Store() = default;

  // Stores the concatenation of `parts`. Readable on return, durable only after sync(). kExists for
  // an id already stored; kNoSpace when no device has room; kIo when a device failed.
  virtual Status put(BlockId id, std::span<const ByteView> parts) = 0;
  // On return every put that returned before the call is durable. One sync per device touched.
  virtual Status sync() = 0;
  // Fills `into` with the bytes at `offset`. kNotFound for an unknown id, kOutOfRange past the end,
  // kCorrupt (with device and place) where a checksum does not match.
  virtual Status read(BlockId id, uint64_t offset, MutableBytes into) = 0;
  // Hints that [offset, offset+length) will be read soon, to a store that is far away. Returns at
  // once; may do nothing.
  virtual void prefetch(BlockId id, uint64_t offset, uint64_t length) = 0;
  // Forgets the block; its space is reused later. Idempotent. After a crash before the next sync()
  // the block may be back: owners remove again what they do not own.
  virtual Status remove(BlockId id) = 0;
  // kNotFound for an unknown id.
  virtual Result<BlockInfo> info(BlockId id) = 0;
  // Calls `visit` for every stored block, in no order; stops early when it returns false.
  virtual Status list(const std::function<bool(BlockId, const BlockInfo&)>& visit) = 0;
  virtual Space space() = 0;
  // Moves live records out of sparse segments until `bytes` more are free for new records or
  // nothing is left to gain. Safe beside reads and writes. Returns the bytes gained.
  virtual Result<uint64_t> clean(uint64_t bytes) = 0;
};

}  // namespace nacre::block
