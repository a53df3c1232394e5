// The names of the objects in a bucket. Names never change their content: packs have random ids,
// everything else counts up. Numbers have leading zeros, so that names sort as they do. Pure
// functions, safe from any thread; docs/format/bucket.md has the list.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wire/pack_layout.h"

namespace nacre::wire {

// What to list for each kind.
inline constexpr std::string_view kVolumeObjects = "volume/";
inline constexpr std::string_view kPackObjects = "packs/";
inline constexpr std::string_view kSegmentObjects = "rows/";
inline constexpr std::string_view kCheckpointObjects = "checkpoints/";
inline constexpr std::string_view kEpochObjects = "epochs/";

std::string volume_object_name(uint32_t generation);
std::string pack_object_name(PackId pack);
std::string segment_object_name(uint32_t epoch, uint64_t segment);
// Parts are numbered below kMaxCheckpointParts.
std::string checkpoint_part_name(uint32_t epoch, uint64_t batch, uint32_t part);
std::string checkpoint_manifest_name(uint32_t epoch, uint64_t batch);
std::string epoch_object_name(uint32_t epoch);

enum class ObjectKind { kVolume, kPack, kSegment, kCheckpointPart, kCheckpointManifest, kEpoch };

struct ObjectName {
  ObjectKind kind = ObjectKind::kVolume;
  PackId pack = {};     // of a pack
  uint32_t epoch = 0;   // of all but packs and volume descriptors
  uint64_t number = 0;  // generation of the descriptor, segment, or batch of the checkpoint
  uint32_t part = 0;    // of a part
  friend bool operator==(const ObjectName&, const ObjectName&) = default;
};
// Nothing for a name that none of the functions above gives.
std::optional<ObjectName> parse_object_name(std::string_view name);

}  // namespace nacre::wire
