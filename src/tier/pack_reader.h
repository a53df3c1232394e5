// Opens what packs hold. Pure; safe from any thread.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/protection.h"
#include "wire/pack_layout.h"

namespace nacre::tier {

// Fills `into`, which ends where a unit does, with the units of the block from `first_unit` on, of
// which `stored` are the bytes in the pack. kCorrupt when they are not what was stored.
Status open_units(const wire::PackedBlock& block, uint32_t first_unit, ByteView stored,
                  const codec::Protection& protection, MutableBytes into);

}  // namespace nacre::tier
