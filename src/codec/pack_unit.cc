#include "codec/pack_unit.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace nacre::codec {
namespace {

// A unit is kept compressed when that saves this part of it.
constexpr size_t kWorthPart = 8;

// Id as in its digits, then the two numbers, little-endian.
std::array<std::byte, 24> associated_of(const UnitPlace& place) {
  const uint64_t id[] = {std::byteswap(place.block.high), std::byteswap(place.block.low)};
  const uint32_t numbers[] = {place.unit, place.units};
  std::array<std::byte, 24> bytes;
  static_assert(sizeof(id) + sizeof(numbers) == sizeof(bytes));
  std::memcpy(bytes.data(), id, sizeof(id));
  std::memcpy(bytes.data() + sizeof(id), numbers, sizeof(numbers));
  return bytes;
}

}  // namespace

UnitPacker::UnitPacker(Compression compression, Protection protection)
    : compressor_(compression), protection_(std::move(protection)) {}

size_t UnitPacker::store(ByteView unit, const UnitPlace& place, std::string& out) {
  CHECK(!unit.empty() && unit.size() <= kPackUnitBytes);
  ByteView stored = unit;
  if (compressor_.compression() != Compression::kNone) {
    packed_.resize(unit.size() - std::max<size_t>(unit.size() / kWorthPart, 1));
    const size_t used = compressor_.compress(unit, as_writable_bytes(packed_));
    if (used > 0) stored = as_bytes(packed_).first(used);
  }
  return protection_.protect(stored, associated_of(place), out);
}

UnitOpener::UnitOpener(Compression compression, Protection protection)
    : decompressor_(compression), protection_(std::move(protection)) {}

Status UnitOpener::open(ByteView stored, const UnitPlace& place, MutableBytes into) {
  const size_t overhead_bytes = protection_.overhead_bytes();
  if (stored.size() >= into.size() + overhead_bytes) {  // as it is, or too long
    return protection_.open(stored, associated_of(place), into);
  }
  packed_.resize(stored.size() - std::min(stored.size(), overhead_bytes));
  TRY(protection_.open(stored, associated_of(place), as_writable_bytes(packed_)));
  return decompressor_.decompress(as_bytes(packed_), into);
}

}  // namespace nacre::codec
