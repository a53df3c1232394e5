#include "block/units.h"

#include <algorithm>
#include <cstring>

#include "wire/cursor.h"

namespace nacre::block {

namespace {

// Hands out the concatenation of parts in pieces of one unit, copying only where a unit spans
// parts.
class UnitReader {
 public:
  explicit UnitReader(std::span<const ByteView> parts) : parts_(parts) {}

  // Empty at the end.
  ByteView next() {
    skip_empty();
    if (parts_.empty()) return {};
    const ByteView rest = parts_.front().subspan(offset_);
    if (rest.size() >= kUnitBytes || parts_.size() == 1) {
      const ByteView unit = rest.first(std::min<size_t>(rest.size(), kUnitBytes));
      offset_ += unit.size();
      return unit;
    }
    joined_.clear();
    while (!parts_.empty() && joined_.size() < kUnitBytes) {
      const ByteView part = parts_.front().subspan(offset_);
      const size_t taken = std::min<size_t>(part.size(), kUnitBytes - joined_.size());
      joined_.append(as_text(part.first(taken)));
      offset_ += taken;
      skip_empty();
    }
    return nacre::as_bytes(joined_);
  }

 private:
  void skip_empty() {
    while (!parts_.empty() && offset_ == parts_.front().size()) {
      parts_ = parts_.subspan(1);
      offset_ = 0;
    }
  }

  std::span<const ByteView> parts_;
  size_t offset_ = 0;
  std::string joined_;
};

}  // namespace

UnitTable UnitTable::of(const std::vector<uint32_t>& lengths) {
  UnitTable table;
  for (const uint32_t length : lengths) table.begins_.push_back(table.begins_.back() + length);
  return table;
}

std::string UnitTable::encode() const {
  std::string stored;
  wire::Writer out(stored);
  for (size_t unit = 0; unit < units(); ++unit) out.varint(length(unit));
  return stored;
}

Result<UnitTable> UnitTable::decode(std::string_view stored, uint64_t logical_bytes,
                                    uint64_t payload_bytes) {
  wire::Reader in(stored);
  UnitTable table;
  for (uint64_t at = 0; in.ok() && at < logical_bytes; at += kUnitBytes) {
    const uint64_t length = in.varint();
    if (length == 0 || length > std::min(kUnitBytes, logical_bytes - at)) in.fail();
    table.begins_.push_back(table.begins_.back() + length);
  }
  if (table.begins_.back() != payload_bytes) in.fail();
  TRY(in.finish("a unit table"));
  return table;
}

std::optional<CompressedBlock> compress_units(std::span<const ByteView> parts,
                                              codec::Compression compression) {
  uint64_t logical = 0;
  for (const ByteView part : parts) logical += part.size();
  codec::Compressor compressor(compression);
  CompressedBlock block;
  std::vector<uint32_t> lengths;
  block.payload.reserve(logical);
  UnitReader units(parts);
  for (ByteView unit = units.next(); !unit.empty(); unit = units.next()) {
    const size_t begin = block.payload.size();
    block.payload.resize(begin + unit.size());
    const MutableBytes room = as_writable_bytes(block.payload).subspan(begin);
    // One byte less than the unit: as long as its bytes means stored as it is.
    size_t used = compressor.compress(unit, room.first(unit.size() - 1));
    if (used == 0) {
      std::memcpy(room.data(), unit.data(), unit.size());
      used = unit.size();
    }
    block.payload.resize(begin + used);
    lengths.push_back(static_cast<uint32_t>(used));
  }
  if (block.payload.size() > logical - logical / 8) return std::nullopt;
  block.table = UnitTable::of(lengths);
  return block;
}

}  // namespace nacre::block
