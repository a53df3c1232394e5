#include "block/units.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "wire/unit_table.h"

namespace nacre::block {
namespace {

using wire::kUnitBytes;

// A unit, and a whole block, is kept compressed when that saves this part of it.
constexpr uint64_t kWorthPart = 8;

// Hands out the concatenation of parts in units, without copying those that lie in one part.
class UnitCutter {
 public:
  explicit UnitCutter(std::span<const ByteView> parts) : parts_(parts) {}

  // Empty at the end. Valid until the next call.
  ByteView next() {
    skip_empty();
    if (parts_.empty()) return {};
    if (parts_.front().size() - taken_ >= kUnitBytes) {
      const ByteView unit = parts_.front().subspan(taken_, kUnitBytes);
      taken_ += kUnitBytes;
      return unit;
    }
    joined_.clear();
    while (joined_.size() < kUnitBytes && !parts_.empty()) {
      const size_t wanted = kUnitBytes - joined_.size();
      const size_t count = std::min(wanted, parts_.front().size() - taken_);
      joined_ += as_text(parts_.front().subspan(taken_, count));
      taken_ += count;
      skip_empty();
    }
    return as_bytes(joined_);
  }

 private:
  void skip_empty() {
    while (!parts_.empty() && taken_ == parts_.front().size()) {
      parts_ = parts_.subspan(1);
      taken_ = 0;
    }
  }

  std::span<const ByteView> parts_;
  size_t taken_ = 0;  // of the first part
  std::string joined_;
};

Error out_of_range(uint64_t offset, size_t size, uint64_t length) {
  return Error(Code::kOutOfRange,
               fmt::format("{} bytes at {} of a block of {}", size, offset, length));
}

// What a read needs of one unit.
struct Wanted {
  uint32_t logical_bytes = 0;  // of the whole unit
  size_t skip = 0;             // bytes of it before the wanted ones
  MutableBytes into = {};
};

Status open_unit(codec::Decompressor& decompressor, ByteView stored, const Wanted& wanted) {
  if (stored.size() == wanted.logical_bytes) {  // stored as it is
    std::memcpy(wanted.into.data(), stored.data() + wanted.skip, wanted.into.size());
    return {};
  }
  if (wanted.into.size() == wanted.logical_bytes) {
    return decompressor.decompress(stored, wanted.into);
  }
  const std::unique_ptr<std::byte[]> whole(new std::byte[wanted.logical_bytes]);
  TRY(decompressor.decompress(stored, {whole.get(), wanted.logical_bytes}));
  std::memcpy(wanted.into.data(), whole.get() + wanted.skip, wanted.into.size());
  return {};
}

}  // namespace

bool compress_units(codec::Compression compression, std::span<const ByteView> parts,
                    CompressedBlock& out) {
  if (compression == codec::Compression::kNone) return false;
  uint64_t total_bytes = 0;
  for (const ByteView part : parts) total_bytes += part.size();
  const uint64_t limit_bytes = total_bytes - total_bytes / kWorthPart;
  codec::Compressor compressor(compression);
  std::vector<uint32_t> lengths;
  std::string packed(kUnitBytes, '\0');
  UnitCutter cutter(parts);
  for (ByteView unit = cutter.next(); !unit.empty(); unit = cutter.next()) {
    const size_t worth_bytes = unit.size() - std::max<size_t>(unit.size() / kWorthPart, 1);
    const size_t used = compressor.compress(unit, as_writable_bytes(packed).first(worth_bytes));
    const ByteView stored = used > 0 ? as_bytes(packed).first(used) : unit;
    lengths.push_back(static_cast<uint32_t>(stored.size()));
    out.payload += as_text(stored);
    if (out.payload.size() > limit_bytes) return false;
  }
  out.unit_table = wire::encode_unit_table(lengths);
  return !lengths.empty();
}

Status read_units(const device::Fragment& fragment, uint64_t offset, MutableBytes into) {
  const device::Descriptor descriptor = fragment.descriptor();
  const uint32_t logical_bytes = descriptor.logical_bytes;
  if (offset > logical_bytes || into.size() > logical_bytes - offset) {
    return out_of_range(offset, into.size(), logical_bytes);
  }
  if (descriptor.sealing != 0) return Error(Code::kNewerFormat, "block is sealed");
  const codec::Compression compression = TRY(codec::compression_of(descriptor.compression));
  if (compression == codec::Compression::kNone) return fragment.read(offset, into);
  const std::vector<uint32_t> begins =
      TRY(wire::decode_unit_table(descriptor.extra, logical_bytes, fragment.payload_bytes()));
  if (into.empty()) return {};

  const auto first = static_cast<uint32_t>(offset / kUnitBytes);
  const auto last = static_cast<uint32_t>((offset + into.size() - 1) / kUnitBytes);
  const size_t stored_bytes = begins[last + 1] - begins[first];
  const std::unique_ptr<std::byte[]> stored(new std::byte[stored_bytes]);
  TRY(fragment.read(begins[first], {stored.get(), stored_bytes}));
  codec::Decompressor decompressor(compression);
  for (uint32_t unit = first; unit <= last; ++unit) {
    Wanted wanted{.logical_bytes = wire::unit_length(logical_bytes, unit),
                  .skip = unit == first ? offset % kUnitBytes : 0};
    wanted.into = into.first(std::min(into.size(), wanted.logical_bytes - wanted.skip));
    const ByteView unit_bytes(stored.get() + (begins[unit] - begins[first]),
                              begins[unit + 1] - begins[unit]);
    TRY(open_unit(decompressor, unit_bytes, wanted));
    into = into.subspan(wanted.into.size());
  }
  return {};
}

}  // namespace nacre::block
