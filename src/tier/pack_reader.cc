#include "tier/pack_reader.h"

#include <algorithm>

#include "codec/pack_unit.h"

namespace nacre::tier {

Status open_units(const wire::PackedBlock& block, uint32_t first_unit, ByteView stored,
                  const codec::Protection& protection, MutableBytes into) {
  const auto units = static_cast<uint32_t>(block.unit_bytes.size());
  codec::UnitOpener opener(block.compression, protection);
  for (uint32_t unit = first_unit; !into.empty(); ++unit) {
    const size_t bytes = std::min<size_t>(into.size(), codec::kPackUnitBytes);
    TRY(opener.open(stored.first(block.unit_bytes[unit]), {block.id, unit, units},
                    into.first(bytes)));
    into = into.subspan(bytes);
    stored = stored.subspan(block.unit_bytes[unit]);
  }
  return {};
}

}  // namespace nacre::tier
