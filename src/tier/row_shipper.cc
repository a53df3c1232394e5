#include "tier/row_shipper.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <vector>

#include "tier/ownership.h"
#include "wire/bucket_names.h"
#include "wire/checkpoint_layout.h"
#include "wire/row_segment.h"
#include "wire/rows.h"

namespace nacre::tier {
namespace {

constexpr size_t kDeadPacksPerStep = 100;
constexpr uint64_t kMaxSegmentObjectBytes = 512 * kMiB;
constexpr int64_t kSettleLookNs = 200'000'000;

constexpr kv::Family kFamilies[] = {kv::Family::kVolume, kv::Family::kLive, kv::Family::kPast,
                                    kv::Family::kChanges, kv::Family::kBlocks};

}  // namespace

RowShipper::RowShipper(const Parts& parts, const PackFormat& format, const ShipOptions& options)
    : parts_(parts), format_(format), options_(options) {
  if (options_.background) thread_ = os::Thread("nacre-ship", [this] { run(); });
}

RowShipper::~RowShipper() {
  {
    const os::Lock lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  thread_.join();
}

void RowShipper::run() {
  int64_t pause_ns = 0;  // at first it is found out whether the bucket can be used
  for (;;) {
    {
      const os::Lock lock(mutex_);
      if (!stopping_ && pause_ns > 0) wake_.wait_for(mutex_, std::chrono::nanoseconds(pause_ns));
      if (stopping_) return;
    }
    pause_ns = step().ok()
                   ? options_.interval_ns
                   : std::clamp(2 * pause_ns, options_.interval_ns, options_.longest_pause_ns);
  }
}

Result<bool> RowShipper::work() {
  TRY(look_at_bucket());
  const uint64_t before = status().shipped_batch;
  // What a power cut may take back must not go.
  TRY(parts_.rows.sync());
  const uint64_t settled = parts_.settled_batch();
  if (!has_checkpoint_ || settled > before) TRY(ship(settled));
  bool removed = false;
  TRY(remove_dead_packs(removed));
  return removed || status().shipped_batch > before;
}

Result<bool> RowShipper::step() {
  const os::Lock step(step_mutex_);
  auto done = work();
  const os::Lock lock(mutex_);
  const std::string trouble = done.ok() ? "" : done.error().to_string();
  const bool is_new = !trouble.empty() && status_.trouble.empty();
  if (is_new && done.code() != Code::kCancelled) spdlog::warn("rows wait: {}", trouble);
  status_.trouble = trouble;
  status_.last_batch = parts_.rows.last();
  return done;
}

Status RowShipper::ship_up_to(uint64_t batch) {
  while (status().shipped_batch < batch) {
    if (!TRY(step()) && status().shipped_batch < batch) {
      return Error(Code::kBusy, "some blocks are not in the bucket yet");
    }
  }
  return {};
}

ShipStatus RowShipper::status() {
  const os::Lock lock(mutex_);
  return status_;
}

// What an earlier process brought there.
Status RowShipper::look_at_bucket() {
  TRY(check_epoch(parts_.bucket, format_.volume, options_.epoch));
  if (looked_) return {};
  TRY(find_checkpoint());
  TRY(find_segments());
  if (status().shipped_batch > parts_.rows.last()) {
    return Error(Code::kAccess,
                 "the bucket has later changes than this copy of the volume, which must not "
                 "replace them: make it anew with nacre volume recover");
  }
  looked_ = true;
  const os::Lock lock(mutex_);
  status_.compared = true;
  return {};
}

Status RowShipper::find_checkpoint() {
  std::vector<uint64_t> batches;
  TRY(parts_.bucket.list(
      std::string(wire::kCheckpointObjects), [&](const bucket::ObjectInfo& info) {
        const auto name = wire::parse_object_name(info.key);
        const bool own = name && name->kind == wire::ObjectKind::kCheckpointManifest &&
                         name->epoch == options_.epoch;
        if (own) batches.push_back(name->number);
        return true;
      }));
  std::ranges::sort(batches, std::greater<>());
  for (const uint64_t batch : batches) {
    const auto object = TRY(parts_.bucket.get(wire::checkpoint_manifest_name(options_.epoch, batch),
                                              wire::kMaxManifestBytes));
    const auto manifest = wire::decode_checkpoint_manifest(
        as_bytes(object), {format_.volume, options_.epoch, batch}, format_.protection);
    if (!manifest.ok()) continue;
    has_checkpoint_ = true;
    checkpoint_batch_ = batch;
    for (const wire::CheckpointPart& part : manifest->parts) checkpoint_bytes_ += part.object_bytes;
    const os::Lock lock(mutex_);
    status_.shipped_batch = batch;
    status_.shipped_time = manifest->time;
    return {};
  }
  return {};
}

// In the order of their numbers, as far as each follows the one before.
Status RowShipper::find_segments() {
  uint64_t first = UINT64_MAX;
  uint64_t next = next_segment_;
  TRY(parts_.bucket.list(std::string(wire::kSegmentObjects), [&](const bucket::ObjectInfo& info) {
    const auto name = wire::parse_object_name(info.key);
    if (!name || name->kind != wire::ObjectKind::kSegment || name->epoch != options_.epoch) {
      return true;
    }
    first = std::min(first, name->number);
    next = std::max(next, name->number + 1);
    return true;
  }));
  next_segment_ = next;
  if (!has_checkpoint_) return {};
  for (uint64_t number = std::min(first, next_segment_);; ++number) {
    const auto object = parts_.bucket.get(wire::segment_object_name(options_.epoch, number),
                                          kMaxSegmentObjectBytes);
    if (!object.ok() && object.code() == Code::kNotFound) return {};
    if (!object.ok()) return object.error();
    next_segment_ = std::max(next_segment_, number + 1);
    const auto segment = wire::SegmentReader::open(as_bytes(*object), format_.volume,
                                                   options_.epoch, number, format_.protection);
    if (!segment.ok()) return segment.error();
    const os::Lock lock(mutex_);
    if (segment->header().last_batch <= status_.shipped_batch) continue;
    if (segment->header().first_batch > status_.shipped_batch + 1) return {};
    status_.shipped_batch = segment->header().last_batch;
    status_.shipped_time = segment->header().last_time;
    segment_bytes_ += object->size();
  }
}

Status RowShipper::ship(uint64_t up_to) {
  const uint64_t shipped = status().shipped_batch;
  const bool gap = parts_.rows.log().complete_after() > shipped;
  const bool much = segment_bytes_ > std::max(options_.least_segments_bytes, 2 * checkpoint_bytes_);
  if (!has_checkpoint_ || gap || much) return ship_checkpoint();
  while (status().shipped_batch < up_to) TRY(ship_segment(up_to));
  return parts_.rows.log().drop(status().shipped_batch);
}

Status RowShipper::ship_segment(uint64_t up_to) {
  wire::SegmentWriter writer(format_.volume, options_.epoch, next_segment_);
  uint64_t last = 0;
  Timestamp time;
  Status failed;
  TRY(parts_.rows.log().visit(status().shipped_batch, up_to, [&](const wire::RowBatch& batch) {
    failed = writer.append(batch);
    if (!failed.ok()) return false;
    last = batch.number;
    time = batch.time;
    return writer.object_bytes() < options_.object_bytes;
  }));
  TRY(std::move(failed));
  if (last == 0) return Error(Code::kCorrupt, "the row log ends before its last batch");
  const std::string object = writer.finish(format_.protection);
  TRY(put(wire::segment_object_name(options_.epoch, next_segment_), object));
  ++next_segment_;
  segment_bytes_ += object.size();
  const os::Lock lock(mutex_);
  ++status_.segments;
  status_.shipped_batch = last;
  status_.shipped_time = time;
  return {};
}

Status RowShipper::put(const std::string& key, const std::string& object) {
  TRY(check_epoch(parts_.bucket, format_.volume, options_.epoch));
  const ByteView bytes = as_bytes(object);
  TRY(parts_.bucket.put(key, {&bytes, 1}));
  const os::Lock lock(mutex_);
  status_.bytes += object.size();
  return {};
}

Status RowShipper::ship_checkpoint() {
  const LoggedRows::Moment moment = parts_.rows.moment();
  TRY(parts_.rows.sync());
  const wire::CheckpointPlace place{format_.volume, options_.epoch, moment.last};
  wire::CheckpointManifest manifest{.place = place, .time = parts_.clock.now()};
  std::optional<wire::CheckpointPartWriter> writer;
  const auto close_part = [&]() -> Status {
    const std::string object = writer->finish(format_.protection);
    const auto part = static_cast<uint32_t>(manifest.parts.size());
    TRY(put(wire::checkpoint_part_name(options_.epoch, moment.last, part), object));
    manifest.parts.push_back(wire::part_of(as_bytes(object)));
    writer.reset();
    return {};
  };
  for (const kv::Family family : kFamilies) {
    const auto rows = parts_.rows.iterate(family, {}, moment.rows.get());
    for (rows->seek_to_first(); rows->valid(); rows->next()) {
      if (!writer) {
        writer.emplace(place, manifest.time, static_cast<uint32_t>(manifest.parts.size()));
      }
      TRY(writer->append({static_cast<uint8_t>(family), rows->key(), rows->value()}));
      ++manifest.rows;
      manifest.row_bytes += rows->key().size() + rows->value().size();
      if (family == kv::Family::kVolume && rows->key() == wire::kStateKey) {
        const wire::StateRow state = TRY(wire::decode_state(rows->value()));
        manifest.committed = state.committed;
        manifest.inodes = state.inodes;
        manifest.live_bytes = state.live_bytes;
      }
      if (writer->object_bytes() >= options_.object_bytes) TRY(close_part());
    }
    TRY(rows->status());
  }
  if (writer) TRY(close_part());
  // The rows may refer to blocks that are on their way still.
  if (parts_.settled_batch() < moment.last) parts_.hurry();
  while (parts_.settled_batch() < moment.last) {
    const os::Lock lock(mutex_);
    if (stopping_ || !options_.background) {
      return Error(Code::kBusy, "some blocks are not in the bucket yet");
    }
    wake_.wait_for(mutex_, std::chrono::nanoseconds(kSettleLookNs));
  }
  TRY(put(wire::checkpoint_manifest_name(options_.epoch, moment.last),
          wire::encode_checkpoint_manifest(manifest, format_.protection)));
  has_checkpoint_ = true;
  checkpoint_batch_ = moment.last;
  checkpoint_bytes_ = 0;
  for (const wire::CheckpointPart& part : manifest.parts) checkpoint_bytes_ += part.object_bytes;
  segment_bytes_ = 0;
  {
    const os::Lock lock(mutex_);
    ++status_.checkpoints;
    status_.shipped_batch = moment.last;
    status_.shipped_time = manifest.time;
  }
  TRY(parts_.rows.log().drop(moment.last));
  return remove_replaced(moment.last);
}

// Older checkpoints and segments, of earlier epochs too. That this one can be read is seen before.
Status RowShipper::remove_replaced(uint64_t batch) {
  const auto object = TRY(parts_.bucket.get(wire::checkpoint_manifest_name(options_.epoch, batch),
                                            wire::kMaxManifestBytes));
  const auto manifest = TRY(wire::decode_checkpoint_manifest(
      as_bytes(object), {format_.volume, options_.epoch, batch}, format_.protection));
  for (uint32_t part = 0; part < manifest.parts.size(); ++part) {
    const auto there =
        TRY(parts_.bucket.info(wire::checkpoint_part_name(options_.epoch, batch, part)));
    if (there.bytes != manifest.parts[part].object_bytes) {
      return Error(Code::kCorrupt, there.key + " is not as it was put: what it replaces stays");
    }
  }
  std::vector<std::string> old;
  const uint64_t next_segment = next_segment_;
  for (const auto prefix : {wire::kCheckpointObjects, wire::kSegmentObjects}) {
    TRY(parts_.bucket.list(std::string(prefix), [&](const bucket::ObjectInfo& info) {
      const auto name = wire::parse_object_name(info.key);
      if (!name || name->epoch > options_.epoch) return true;
      const bool own = name->epoch == options_.epoch;
      const bool replaced = name->kind == wire::ObjectKind::kSegment
                                ? !own || name->number < next_segment
                                : !own || name->number != batch;
      if (replaced) old.push_back(info.key);
      return true;
    }));
  }
  // A manifest goes before its parts.
  std::ranges::partition(old, [](const std::string& key) { return key.ends_with("manifest"); });
  for (const std::string& key : old) TRY(parts_.bucket.remove(key));
  return {};
}

Status RowShipper::remove_dead_packs(bool& removed) {
  const std::vector<wire::PackId> dead =
      TRY(parts_.locations.dead(status().shipped_batch, kDeadPacksPerStep));
  for (const wire::PackId pack : dead) {
    TRY(parts_.bucket.remove(wire::pack_object_name(pack)));
    TRY(parts_.locations.forget_dead(pack));
    const os::Lock lock(mutex_);
    ++status_.packs_removed;
    removed = true;
  }
  return {};
}

}  // namespace nacre::tier
