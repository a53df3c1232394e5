// The decoders of names, descriptors and epochs on arbitrary bytes. A checksum stops nearly all of
// the objects, so what is behind it is tried with the checksum made good: the first byte chooses.
// What decodes must encode to the same bytes.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "wire/bucket_fault.h"
#include "wire/bucket_layout.h"
#include "wire/bucket_names.h"

namespace {

using namespace nacre;
using namespace nacre::wire;

void try_volume(std::string bytes) {
  bytes = with_good_sum(bytes);
  const Result<BucketVolume> volume = decode_bucket_volume(as_bytes(bytes));
  const Result<NameKey> name_key = open_name_key(as_bytes(bytes), {});
  if (!volume.ok() || !name_key.ok()) return;
  CHECK(encode_bucket_volume(*volume, *name_key, {}) == bytes);
}

void try_epoch(std::string bytes) {
  bytes = with_good_sum(bytes);
  const Result<EpochObject> epoch = decode_epoch(as_bytes(bytes), {}, 0);
  if (epoch.ok()) CHECK(encode_epoch(*epoch) == bytes);
}

std::string encoded(const ObjectName& name) {
  switch (name.kind) {
    case ObjectKind::kVolume:
      return volume_object_name(static_cast<uint32_t>(name.number));
    case ObjectKind::kPack:
      return pack_object_name(name.pack);
    case ObjectKind::kSegment:
      return segment_object_name(name.epoch, name.number);
    case ObjectKind::kCheckpointPart:
      return checkpoint_part_name(name.epoch, name.number, name.part);
    case ObjectKind::kCheckpointManifest:
      return checkpoint_manifest_name(name.epoch, name.number);
    case ObjectKind::kEpoch:
      return epoch_object_name(name.epoch);
  }
  return "";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const std::string bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  if (data[0] % 3 == 0) {
    try_volume(bytes);
  } else if (data[0] % 3 == 1) {
    try_epoch(bytes);
  } else if (const std::optional<ObjectName> name = parse_object_name(bytes)) {
    CHECK(encoded(*name) == bytes);
  }
  return 0;
}
