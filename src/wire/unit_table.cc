#include "wire/unit_table.h"

#include <algorithm>

#include "wire/cursor.h"

namespace nacre::wire {

uint32_t unit_count(uint64_t logical_bytes) {
  return static_cast<uint32_t>((logical_bytes + kUnitBytes - 1) / kUnitBytes);
}

uint32_t unit_length(uint64_t logical_bytes, uint32_t unit) {
  const uint64_t begin = uint64_t{unit} * kUnitBytes;
  return static_cast<uint32_t>(std::min<uint64_t>(kUnitBytes, logical_bytes - begin));
}

std::string encode_unit_table(std::span<const uint32_t> stored_lengths) {
  std::string table;
  Writer out(table);
  for (const uint32_t length : stored_lengths) out.u32(length);
  return table;
}

Result<std::vector<uint32_t>> decode_unit_table(ByteView table, uint32_t logical_bytes,
                                                uint32_t payload_bytes) {
  const uint32_t units = unit_count(logical_bytes);
  if (table.size() != size_t{units} * sizeof(uint32_t)) {
    return Error(Code::kCorrupt, "unit table has the wrong length");
  }
  std::vector<uint32_t> begins;
  begins.reserve(units + 1);
  Reader in(table);
  uint64_t begin = 0;
  for (uint32_t unit = 0; unit < units; ++unit) {
    begins.push_back(static_cast<uint32_t>(begin));
    const uint32_t length = in.u32();
    if (length == 0 || length > unit_length(logical_bytes, unit)) in.fail();
    begin += length;
    if (begin > payload_bytes) in.fail();
  }
  TRY(in.finish("unit table"));
  if (begin != payload_bytes) {
    return Error(Code::kCorrupt, "unit table does not add up to the payload");
  }
  begins.push_back(payload_bytes);
  return begins;
}

}  // namespace nacre::wire
