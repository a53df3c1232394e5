// Every decoder of rows takes any bytes without harm, and what it accepts encodes to the same
// bytes.
#include <cstdlib>

#include "wire/fingerprint_rows.h"
#include "wire/rows.h"

namespace {

using namespace nacre;  // a fuzz target is all about one namespace

template <class Decoded>
void same_bytes(const Result<Decoded>& row, std::string_view bytes) {
  if (row.ok() && wire::encode(*row) != bytes) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  same_bytes(wire::decode_inode(bytes), bytes);
  same_bytes(wire::decode_dentry(bytes), bytes);
  same_bytes(wire::decode_extent(bytes), bytes);
  same_bytes(wire::decode_xattr(bytes), bytes);
  same_bytes(wire::decode_change(bytes), bytes);
  same_bytes(wire::decode_block(bytes), bytes);
  same_bytes(wire::decode_owner(bytes), bytes);
  same_bytes(wire::decode_state(bytes), bytes);
  same_bytes(wire::decode_snapshot(bytes), bytes);
  same_bytes(wire::decode_mark(bytes), bytes);
  same_bytes(wire::decode_content_place(bytes), bytes);
  (void)wire::decode_fingerprint(bytes);
  (void)wire::decode_fingerprint_key(bytes);
  (void)wire::decode_fingerprint_of_key(bytes);
  (void)wire::decode_live_key(bytes);
  (void)wire::decode_past_key(bytes);
  (void)wire::decode_change_key(bytes);
  (void)wire::decode_owner_key(bytes);
  (void)wire::decode_orphan_key(bytes);
  (void)wire::block_of(bytes);
  return 0;
}
