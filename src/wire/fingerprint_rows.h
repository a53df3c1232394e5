// Rows of the family `blocks` of a volume that stores identical content once: which bytes of which
// block have a fingerprint. docs/format/rows.md gives the bytes. Decoders take untrusted bytes:
// they answer kCorrupt and never read past the end. Pure functions, safe from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "codec/seal.h"

namespace nacre::wire {

inline constexpr char kFingerprintRowKind = 'f';
inline constexpr char kFingerprintOfRowKind = 'h';

// → ContentPlace: where bytes of that fingerprint are.
std::string fingerprint_key(codec::Fingerprint fingerprint);
Result<codec::Fingerprint> decode_fingerprint_key(std::string_view key);
// → encode_fingerprint(): that of the bytes that begin there in the block. One such row for each
// row of a fingerprint: they go with their block.
std::string fingerprint_of_key(BlockId block, uint64_t offset);
std::string fingerprint_of_prefix(BlockId block);
struct FingerprintOfKey {
  BlockId block;
  uint64_t offset = 0;
};
Result<FingerprintOfKey> decode_fingerprint_of_key(std::string_view key);

struct ContentPlace {
  BlockId block;
  uint64_t offset = 0;  // in the block
  uint64_t length = 0;
  friend bool operator==(const ContentPlace&, const ContentPlace&) = default;
};
std::string encode(const ContentPlace& place);
Result<ContentPlace> decode_content_place(std::string_view value);

std::string encode_fingerprint(codec::Fingerprint fingerprint);
Result<codec::Fingerprint> decode_fingerprint(std::string_view value);

}  // namespace nacre::wire
