// Decompression of arbitrary bytes: the first chooses the algorithm, the next two the length.
#include <cstddef>
#include <cstdint>
#include <string>

#include "codec/compress.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace nacre;
  if (size < 3) return 0;
  const Result<codec::Compression> compression =
      codec::compression_of(static_cast<uint8_t>(data[0] % 3));
  std::string into(static_cast<size_t>(data[1] | data[2] << 8), '\0');
  const ByteView from(reinterpret_cast<const std::byte*>(data + 3), size - 3);
  (void)codec::Decompressor(*compression).decompress(from, as_writable_bytes(into)).ok();
  return 0;
}
