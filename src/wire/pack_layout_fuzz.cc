// Every decoder of packs and of the rows about them on arbitrary bytes. A checksum stops nearly all
// of those of a pack, so what is behind it is tried with the checksum made good: the first byte
// chooses. What decodes must encode to the same bytes.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "wire/bucket_fault.h"
#include "wire/pack_layout.h"
#include "wire/tier_rows.h"

namespace {

using namespace nacre;
using namespace nacre::wire;

void try_header(std::string bytes) {
  bytes.resize(kPackHeaderBytes);
  (void)decode_pack_header(as_bytes(with_good_sum(bytes))).ok();
}

void try_trailer(std::string bytes) {
  bytes.resize(kPackTrailerBytes);
  bytes = with_good_sum(bytes);
  const Result<PackTrailer> trailer = decode_pack_trailer(as_bytes(bytes), {}, 4096);
  if (trailer.ok()) CHECK(encode_pack_trailer(*trailer) == bytes);
}

// The second byte is the number of blocks.
void try_index(std::string_view bytes) {
  if (bytes.empty()) return;
  const PackHeader header{.volume = {1, 2}, .pack = {3, 4}};
  PackTrailer trailer{.pack = header.pack, .index_offset = kMaxPackBytes};
  trailer.blocks = static_cast<uint8_t>(bytes.front());
  // Stands for the associated data of an index: protected under the same, with other contents.
  std::string associated = encode_pack_header(header);
  associated.append(reinterpret_cast<const char*>(&trailer.index_offset), sizeof(uint64_t));
  associated.append(reinterpret_cast<const char*>(&trailer.blocks), sizeof(uint32_t));
  std::string stored;
  codec::Protection().protect(as_bytes(bytes.substr(1)), as_bytes(associated), stored);
  trailer.index_bytes = static_cast<uint32_t>(stored.size());
  const auto blocks = decode_pack_index(as_bytes(stored), header, trailer, {});
  if (!blocks.ok()) return;
  CHECK(encode_pack_index(header, *blocks, trailer.index_offset, {}) == stored);
}

void try_rows(std::string_view bytes) {
  const Result<PackLocation> location = decode_location(bytes, {5, 6});
  if (location.ok()) CHECK(encode_location(*location) == bytes);
  const Result<PackRow> pack = decode_pack(bytes);
  if (pack.ok()) CHECK(encode(*pack) == bytes);
  const Result<DeadPackRow> dead = decode_dead_pack(bytes);
  if (dead.ok()) CHECK(encode(*dead) == bytes);
  (void)decode_member(bytes).ok();
  (void)decode_location_key(bytes).ok();
  (void)decode_pack_key(bytes).ok();
  (void)decode_pack_member_key(bytes).ok();
  (void)decode_pin_key(bytes).ok();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const std::string bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0] & 3) {
    case 0:
      try_header(bytes);
      break;
    case 1:
      try_trailer(bytes);
      break;
    case 2:
      try_index(bytes);
      break;
    default:
      try_rows(bytes);
  }
  return 0;
}
