// Compression of one unit of bytes at a time. Pure: what comes out depends only on what goes in.
// The classes hold nothing but the libraries' scratch memory, so that it is not allocated for
// every unit; each is for one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace nacre::codec {

// Stored on disk and sent on the wire: values never change their meaning.
enum class Compression : uint8_t {
  kNone = 0,
  kLz4 = 1,   // one LZ4 block, without the frame
  kZstd = 2,  // one Zstandard frame with its content size and without a checksum
};

// The most bytes one unit may have, before or after.
inline constexpr size_t kMaxUnitBytes = 64u << 20;

// "none", "lz4" or "zstd".
std::string_view name_of(Compression compression);
// The inverse; kInvalid lists the names there are.
Result<Compression> parse_compression(std::string_view name);
// For a byte from disk or wire. kNewerFormat for one this version does not know.
Result<Compression> compression_of(uint8_t stored);

class Compressor {
 public:
  // `level` is zstd's, 1 (fast) to 19 (small), clamped; the others have none.
  explicit Compressor(Compression compression, int level = 3);
  ~Compressor();
  Compressor(Compressor&&) noexcept;
  Compressor& operator=(Compressor&&) noexcept;

  Compression compression() const { return compression_; }
  // Compresses all of `from` into the front of `into`. Returns the bytes used, or 0 when they do
  // not fit: so `into` says how much the result must save to be wanted. kNone copies.
  size_t compress(ByteView from, MutableBytes into);

 private:
  struct Scratch;
  Compression compression_;
  int level_;
  std::unique_ptr<Scratch> scratch_;
};

class Decompressor {
 public:
  explicit Decompressor(Compression compression);
  ~Decompressor();
  Decompressor(Decompressor&&) noexcept;
  Decompressor& operator=(Decompressor&&) noexcept;

  // Fills exactly `into` from all of `from`, which nobody vouches for. kCorrupt when it is not the
  // compressed form of that many bytes; `into` then holds rubbish.
  Status decompress(ByteView from, MutableBytes into);

 private:
  struct Scratch;
  Compression compression_;
  std::unique_ptr<Scratch> scratch_;
};

}  // namespace nacre::codec
