#include "tier/ownership.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <set>

#include "wire/bucket_names.h"

namespace nacre::tier {
namespace {

// The highest number of which there is an object, by the listing and beyond it; 0: none.
Result<uint32_t> highest(bucket::Bucket& bucket, std::string_view prefix, wire::ObjectKind kind,
                         const std::function<uint32_t(const wire::ObjectName&)>& number_of,
                         const std::function<std::string(uint32_t)>& name_of) {
  uint32_t last = 0;
  TRY(bucket.list(std::string(prefix), [&](const bucket::ObjectInfo& object) {
    const auto name = wire::parse_object_name(object.key);
    if (name && name->kind == kind) last = std::max(last, number_of(*name));
    return true;
  }));
  for (;;) {
    const auto next = bucket.info(name_of(last + 1));
    if (!next.ok() && next.code() == Code::kNotFound) return last;
    if (!next.ok()) return next.error();
    ++last;
  }
}

}  // namespace

Result<FoundVolume> find_volume(bucket::Bucket& bucket) {
  const uint32_t generation = TRY(highest(
      bucket, wire::kVolumeObjects, wire::ObjectKind::kVolume,
      [](const wire::ObjectName& name) { return static_cast<uint32_t>(name.number); },
      wire::volume_object_name));
  if (generation == 0) return Error(Code::kNotFound, "there is no volume in the bucket");
  FoundVolume found;
  found.object =
      TRY(bucket.get(wire::volume_object_name(generation), wire::kMaxDescriptorObjectBytes));
  found.volume = TRY(wire::decode_bucket_volume(as_bytes(found.object)));
  return found;
}

Result<FreeBucket> find_free(bucket::Bucket& bucket, bool replace_name) {
  std::optional<std::string> content;  // any object that is more than a name
  uint32_t generation = 0;
  TRY(bucket.list("", [&](const bucket::ObjectInfo& object) {
    const auto name = wire::parse_object_name(object.key);
    const bool is_name =
        name && (name->kind == wire::ObjectKind::kVolume || name->kind == wire::ObjectKind::kEpoch);
    if (!is_name) content = object.key;
    return is_name;
  }));
  const auto there = find_volume(bucket);
  if (there.ok()) {
    generation = there->volume.generation;
  } else if (there.code() != Code::kNotFound) {
    return there.error();
  }
  if (content && there.ok()) {
    return Error(Code::kExists,
                 fmt::format("the bucket holds volume {} already: take another prefix",
                             to_hex(there->volume.volume)));
  }
  if (content) {
    return Error(Code::kExists, fmt::format("the bucket is not empty there: it holds '{}'; take "
                                            "another prefix",
                                            *content));
  }
  const uint32_t epoch = TRY(last_epoch(bucket));
  if (!replace_name && (generation > 0 || epoch > 0)) {
    return Error(Code::kExists,
                 fmt::format("the bucket holds the name of a volume already{}, and nothing that "
                             "was uploaded: --force takes its place, if nobody uses it",
                             there.ok() ? ", " + to_hex(there->volume.volume) : ""));
  }
  return FreeBucket{.generation = generation + 1, .epoch = epoch + 1};
}

Status remove_descriptors_before(bucket::Bucket& bucket, uint32_t generation) {
  std::set<std::string> names;
  if (generation > 1) names.insert(wire::volume_object_name(generation - 1));
  TRY(bucket.list(std::string(wire::kVolumeObjects), [&](const bucket::ObjectInfo& object) {
    const auto name = wire::parse_object_name(object.key);
    if (name && name->number < generation) names.insert(object.key);
    return true;
  }));
  for (const std::string& name : names) TRY(bucket.remove(name));
  return {};
}

Result<uint32_t> last_epoch(bucket::Bucket& bucket) {
  return highest(
      bucket, wire::kEpochObjects, wire::ObjectKind::kEpoch,
      [](const wire::ObjectName& name) { return name.epoch; }, wire::epoch_object_name);
}

Status begin_epoch(bucket::Bucket& bucket, const wire::EpochObject& epoch) {
  const std::string name = wire::epoch_object_name(epoch.epoch);
  const std::string object = wire::encode_epoch(epoch);
  const ByteView bytes = as_bytes(object);
  TRY(bucket.put(name, {&bytes, 1}));
  // Of two who put it at once the later has it.
  const std::string there = TRY(bucket.get(name, wire::kMaxDescriptorObjectBytes));
  if (there == object) return {};
  return Error(Code::kBusy, "another machine takes the volume over at this moment");
}

Status check_epoch(bucket::Bucket& bucket, wire::VolumeId volume, uint32_t epoch) {
  const auto next = bucket.get(wire::epoch_object_name(epoch + 1), wire::kMaxDescriptorObjectBytes);
  if (!next.ok() && next.code() == Code::kNotFound) return {};
  if (!next.ok()) return next.error();
  const auto other = wire::decode_epoch(as_bytes(*next), volume, epoch + 1);
  return Error(Code::kAccess,
               fmt::format("the volume was recovered elsewhere{}: this copy of it must no longer "
                           "write to the bucket",
                           other.ok() ? ", on " + other->host : ""));
}

}  // namespace nacre::tier
