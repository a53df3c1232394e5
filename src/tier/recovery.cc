#include "tier/recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "wire/bucket_names.h"
#include "wire/checkpoint_layout.h"
#include "wire/row_segment.h"

namespace nacre::tier {
namespace {

constexpr uint64_t kMaxObjectBytes = 512 * kMiB;
constexpr size_t kRowsPerWrite = 4096;

Error of_object(const std::string& key, const Error& error) {
  return Error(error.code(), fmt::format("{}: {}", key, error.context()));
}

Result<kv::Family> family_of(uint8_t stored) {
  if (stored < kv::kFamilyCount) return static_cast<kv::Family>(stored);
  return Error(Code::kNewerFormat, fmt::format("rows of family {} are of a later version", stored));
}

class Recovery {
 public:
  Recovery(bucket::Bucket& bucket, wire::VolumeId volume, const codec::Protection& protection,
           kv::Store& into, const RecoveryProgress& progress)
      : bucket_(bucket),
        volume_(volume),
        protection_(protection),
        into_(into),
        progress_(progress) {}

  Result<Recovered> run() {
    const wire::CheckpointManifest manifest = TRY(newest_checkpoint());
    found_.epoch = manifest.place.epoch;
    found_.batch = manifest.place.batch;
    found_.time = manifest.time;
    found_.rows = manifest.rows;
    TRY(load_checkpoint(manifest));
    TRY(apply_segments());
    return found_;
  }

 private:
  // The last of the last epoch that has one.
  Result<wire::CheckpointManifest> newest_checkpoint() {
    std::set<std::pair<uint32_t, uint64_t>, std::greater<>> there;
    TRY(bucket_.list(std::string(wire::kCheckpointObjects), [&](const bucket::ObjectInfo& info) {
      const auto name = wire::parse_object_name(info.key);
      if (name && name->kind == wire::ObjectKind::kCheckpointManifest) {
        there.emplace(name->epoch, name->number);
      }
      return true;
    }));
    if (there.empty()) {
      return Error(Code::kNotFound,
                   "the bucket has no rows of a volume: nothing of it was uploaded");
    }
    const auto [epoch, batch] = *there.begin();
    const std::string key = wire::checkpoint_manifest_name(epoch, batch);
    const std::string object = TRY(bucket_.get(key, wire::kMaxManifestBytes));
    auto manifest =
        wire::decode_checkpoint_manifest(as_bytes(object), {volume_, epoch, batch}, protection_);
    if (!manifest.ok()) return of_object(key, manifest.error());
    return manifest;
  }

  Status load_checkpoint(const wire::CheckpointManifest& manifest) {
    uint64_t total = 0;
    uint64_t done = 0;
    for (const wire::CheckpointPart& part : manifest.parts) total += part.object_bytes;
    kv::Batch rows;
    uint64_t count = 0;
    for (uint32_t i = 0; i < manifest.parts.size(); ++i) {
      const std::string key =
          wire::checkpoint_part_name(manifest.place.epoch, manifest.place.batch, i);
      const auto object = bucket_.get(key, kMaxObjectBytes);
      if (!object.ok()) {
        const bool gone = object.code() == Code::kNotFound;
        return gone ? Error(Code::kCorrupt, key + " is missing") : object.error();
      }
      if (wire::part_of(as_bytes(*object)) != manifest.parts[i]) {
        return Error(Code::kCorrupt, key + " is not as it was uploaded");
      }
      const Status read = wire::visit_checkpoint_part(
          as_bytes(*object), manifest.place, i, protection_,
          [&](const wire::CheckpointRow& row) -> Status {
            rows.put(TRY(family_of(row.family)), std::string(row.key), std::string(row.value));
            ++count;
            if (rows.changes().size() < kRowsPerWrite) return {};
            return into_.write(std::exchange(rows, {}), kv::Durability::kBuffered);
          });
      if (!read.ok()) return of_object(key, read.error());
      done += object->size();
      if (progress_) progress_(done, total);
    }
    if (count != manifest.rows) {
      return Error(Code::kCorrupt, fmt::format("the checkpoint has {} rows, and should have {}",
                                               count, manifest.rows));
    }
    return into_.write(rows, kv::Durability::kBuffered);
  }

  // Each follows the one before; what a listing may lack is asked for by the next number.
  Status apply_segments() {
    uint64_t first = UINT64_MAX;
    uint64_t last = 0;
    TRY(bucket_.list(std::string(wire::kSegmentObjects), [&](const bucket::ObjectInfo& info) {
      const auto name = wire::parse_object_name(info.key);
      if (name && name->kind == wire::ObjectKind::kSegment && name->epoch == found_.epoch) {
        first = std::min(first, name->number);
        last = std::max(last, name->number);
      }
      return true;
    }));
    if (first == UINT64_MAX) first = 1;
    for (uint64_t number = first;; ++number) {
      const std::string key = wire::segment_object_name(found_.epoch, number);
      const auto object = bucket_.get(key, kMaxObjectBytes);
      if (!object.ok() && object.code() == Code::kNotFound) {
        if (number > last) return {};
        return Error(Code::kCorrupt, key + " is missing, and later ones are there");
      }
      if (!object.ok()) return object.error();
      const Status applied = apply(as_bytes(*object), number);
      if (!applied.ok()) return of_object(key, applied.error());
    }
  }

  Status apply(ByteView object, uint64_t number) {
    const auto segment =
        TRY(wire::SegmentReader::open(object, volume_, found_.epoch, number, protection_));
    if (segment.header().last_batch <= found_.batch) return {};
    if (segment.header().first_batch > found_.batch + 1) {
      return Error(Code::kCorrupt, fmt::format("it begins with batch {}, and {} comes next",
                                               segment.header().first_batch, found_.batch + 1));
    }
    TRY(segment.visit([&](const wire::RowBatch& batch) -> Status {
      if (batch.number <= found_.batch) return {};
      kv::Batch rows;
      for (const wire::RowChange& change : batch.changes) {
        const kv::Family family = TRY(family_of(change.family));
        if (change.value) {
          rows.put(family, std::string(change.key), std::string(*change.value));
        } else {
          rows.erase(family, std::string(change.key));
        }
      }
      TRY(into_.write(rows, kv::Durability::kBuffered));
      found_.batch = batch.number;
      found_.time = batch.time;
      ++found_.batches;
      return {};
    }));
    ++found_.segments;
    return {};
  }

  bucket::Bucket& bucket_;
  const wire::VolumeId volume_;
  const codec::Protection& protection_;
  kv::Store& into_;
  const RecoveryProgress& progress_;
  Recovered found_;
};

}  // namespace

Result<Recovered> recover_rows(bucket::Bucket& bucket, wire::VolumeId volume,
                               const codec::Protection& protection, kv::Store& into,
                               const RecoveryProgress& progress) {
  return Recovery(bucket, volume, protection, into, progress).run();
}

}  // namespace nacre::tier
