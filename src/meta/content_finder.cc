#include "meta/content_finder.h"

#include "wire/rows.h"

namespace nacre::meta {

Result<uint64_t> ContentFinder::bytes_of(BlockId block) {
  if (const auto known = bytes_.find(block); known != bytes_.end()) return known->second;
  const auto stored = TRY(rows_.get(kv::Family::kBlocks, wire::block_key(block)));
  const auto row = wire::decode_block(stored.value_or(""));
  const uint64_t bytes = row.ok() && row->references > 0 ? row->stored_bytes : 0;
  bytes_.emplace(block, bytes);
  return bytes;
}

Result<std::optional<wire::ContentPlace>> ContentFinder::find(codec::Fingerprint fingerprint,
                                                              uint64_t length) {
  std::optional<wire::ContentPlace> found;
  const auto stored = TRY(rows_.get(kv::Family::kBlocks, wire::fingerprint_key(fingerprint)));
  if (!stored) return found;
  const auto place = wire::decode_content_place(*stored);
  if (!place.ok() || place->length != length) return found;
  const uint64_t bytes = TRY(bytes_of(place->block));
  if (place->offset <= bytes && length <= bytes - place->offset) found = *place;
  return found;
}

}  // namespace nacre::meta
