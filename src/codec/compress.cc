#include "codec/compress.h"

#include <lz4.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "base/check.h"

namespace nacre::codec {

namespace {

struct Name {
  Compression compression;
  std::string_view name;
};
constexpr Name kNames[] = {
    {Compression::kNone, "none"}, {Compression::kLz4, "lz4"}, {Compression::kZstd, "zstd"}};

struct FreeCompression {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};
struct FreeDecompression {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

size_t copy(ByteView from, MutableBytes into) {
  if (from.size() > into.size()) return 0;
  std::ranges::copy(from, into.begin());
  return from.size();
}

size_t compress_lz4(ByteView from, MutableBytes into) {
  const int used = LZ4_compress_default(
      reinterpret_cast<const char*>(from.data()), reinterpret_cast<char*>(into.data()),
      static_cast<int>(from.size()), static_cast<int>(into.size()));
  return used > 0 ? static_cast<size_t>(used) : 0;
}

bool decompress_lz4(ByteView from, MutableBytes into) {
  const int filled = LZ4_decompress_safe(
      reinterpret_cast<const char*>(from.data()), reinterpret_cast<char*>(into.data()),
      static_cast<int>(from.size()), static_cast<int>(into.size()));
  return filled >= 0 && static_cast<size_t>(filled) == into.size();
}

}  // namespace

std::string_view name_of(Compression compression) {
  for (const Name& known : kNames) {
    if (known.compression == compression) return known.name;
  }
  return "unknown";
}

Result<Compression> parse_compression(std::string_view name) {
  for (const Name& known : kNames) {
    if (known.name == name) return known.compression;
  }
  return Error(Code::kInvalid, "compression \"" + std::string(name) +
                                   "\" is unknown; there are none, lz4 and zstd");
}

Result<Compression> compression_of(uint8_t stored) {
  for (const Name& known : kNames) {
    if (static_cast<uint8_t>(known.compression) == stored) return known.compression;
  }
  return Error(Code::kNewerFormat,
               "compression " + std::to_string(stored) + " is unknown to this version of Nacre");
}

struct Compressor::Scratch {
  std::unique_ptr<ZSTD_CCtx, FreeCompression> zstd;
};

Compressor::Compressor(Compression compression, int level)
    : compression_(compression), level_(std::clamp(level, 1, 19)) {
  if (compression_ != Compression::kZstd) return;
  scratch_ = std::make_unique<Scratch>();
  scratch_->zstd.reset(ZSTD_createCCtx());
  CHECK(scratch_->zstd != nullptr);
}
Compressor::~Compressor() = default;
Compressor::Compressor(Compressor&&) noexcept = default;
Compressor& Compressor::operator=(Compressor&&) noexcept = default;

size_t Compressor::compress(ByteView from, MutableBytes into) {
  CHECK(from.size() <= kMaxUnitBytes);
  if (from.empty()) return 0;
  into = into.first(std::min(into.size(), kMaxUnitBytes));
  switch (compression_) {
    case Compression::kNone:
      return copy(from, into);
    case Compression::kLz4:
      return compress_lz4(from, into);
    case Compression::kZstd: {
      const size_t used = ZSTD_compressCCtx(scratch_->zstd.get(), into.data(), into.size(),
                                            from.data(), from.size(), level_);
      return ZSTD_isError(used) ? 0 : used;
    }
  }
  return 0;
}

struct Decompressor::Scratch {
  std::unique_ptr<ZSTD_DCtx, FreeDecompression> zstd;
};

Decompressor::Decompressor(Compression compression) : compression_(compression) {
  if (compression_ != Compression::kZstd) return;
  scratch_ = std::make_unique<Scratch>();
  scratch_->zstd.reset(ZSTD_createDCtx());
  CHECK(scratch_->zstd != nullptr);
}
Decompressor::~Decompressor() = default;
Decompressor::Decompressor(Decompressor&&) noexcept = default;
Decompressor& Decompressor::operator=(Decompressor&&) noexcept = default;

Status Decompressor::decompress(ByteView from, MutableBytes into) {
  bool whole = false;
  if (from.size() <= kMaxUnitBytes && into.size() <= kMaxUnitBytes && !from.empty() &&
      !into.empty()) {
    switch (compression_) {
      case Compression::kNone:
        whole = from.size() == into.size() && copy(from, into) > 0;
        break;
      case Compression::kLz4:
        whole = decompress_lz4(from, into);
        break;
      case Compression::kZstd:
        whole = ZSTD_decompressDCtx(scratch_->zstd.get(), into.data(), into.size(), from.data(),
                                    from.size()) == into.size();
        break;
    }
  }
  if (whole) return {};
  return Error(Code::kCorrupt, std::string(name_of(compression_)) +
                                   " data does not decompress to " + std::to_string(into.size()) +
                                   " bytes");
}

}  // namespace nacre::codec
