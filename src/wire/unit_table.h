// How a compressed block is cut: the lengths of its units, kept in the descriptor of its record.
// docs/format/device.md describes the bytes. Pure functions, safe from any thread.
//
// A block of L bytes has ⌈L / kUnitBytes⌉ units, all of kUnitBytes but the last. Each is stored
// compressed on its own, or as it is where that saves too little; a unit stored with its own
// length is stored as it is.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace nacre::wire {

inline constexpr uint32_t kUnitBytes = 64u << 10;

// Units of a block of that many bytes.
uint32_t unit_count(uint64_t logical_bytes);
// Of unit `unit` before compression.
uint32_t unit_length(uint64_t logical_bytes, uint32_t unit);

std::string encode_unit_table(std::span<const uint32_t> stored_lengths);
// Where each unit begins in the payload, and at last where the payload ends: one more than there
// are units. kCorrupt unless the lengths are possible and add up to `payload_bytes`.
Result<std::vector<uint32_t>> decode_unit_table(ByteView table, uint32_t logical_bytes,
                                                uint32_t payload_bytes);

}  // namespace nacre::wire
