// Finding content that is stored already, by its fingerprint.
#pragma once

#include <optional>
#include <unordered_map>

#include "base/ids.h"
#include "kv/store.h"
#include "wire/fingerprint_rows.h"

namespace nacre::meta {

// Reads committed rows, and remembers blocks it saw: one for each pass over new content. What it
// finds may be gone as soon as its block is: where upkeep may come between, ask for the block again
// under the volume's lock.
class ContentFinder {
 public:
  explicit ContentFinder(kv::Store& rows) : rows_(rows) {}

  // None where no block in use has such bytes. Rows that do not decode, or do not fit each other,
  // count as none: check mends them.
  Result<std::optional<wire::ContentPlace>> find(codec::Fingerprint fingerprint, uint64_t length);

 private:
  Result<uint64_t> bytes_of(BlockId block);

  kv::Store& rows_;
  std::unordered_map<BlockId, uint64_t> bytes_;  // 0: not in use
};

}  // namespace nacre::meta
