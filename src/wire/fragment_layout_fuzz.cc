// What decodes must encode to the same bytes.
#include <cstdlib>

#include "wire/fragment_layout.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace nacre;
  const ByteView bytes = std::as_bytes(std::span(data, size));
  const auto note = wire::decode_fragment_note(bytes);
  if (note.ok() && wire::encode_fragment_note(*note) != as_text(bytes)) std::abort();
  const auto manifest = wire::decode_manifest(bytes);
  if (manifest.ok() && wire::encode_manifest(*manifest) != as_text(bytes)) std::abort();
  return 0;
}
