// tier_*: how the blocks of a volume move between its disk and its bucket.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "meta/moments.h"
#include "node/commands.h"
#include "node/file_blocks.h"
#include "node/path_argument.h"

namespace nacre::node {
namespace {

constexpr int64_t kLookNs = 200'000'000;

// What a command is about: a file or directory of the present.
struct Subject {
  InodeId ino = {};
  std::string path = {};  // from the root of the volume
};
Result<Subject> subject_of(Call& call) {
  const PathArgument target = TRY(path_argument(call, "path", "mountpoints"));
  TRY(call.arguments.finish());
  TRY(tiered_of(call));
  if (target.at) return Error(Code::kInvalid, "only files of the present can be moved");
  TRY(settle(call));
  const std::vector<Tenure> tenures =
      TRY(tenures_of(call.directory.rows(), call.volume().settings().name_key, target.path));
  if (tenures.empty() || tenures.back().end) {
    return Error(Code::kNotFound, join_path(target.path));
  }
  return Subject{tenures.back().ino, join_path(target.path)};
}

Result<std::vector<BlockRange>> blocks_of(Call& call, const Subject& subject) {
  std::vector<BlockRange> all;
  TRY(visit_blocks_below(call.directory.rows(), nullptr, subject.ino,
                         [&](const BlockRange& range) { all.push_back(range); }));
  return all;
}

Result<Json> fetch_all(Call& call, const std::vector<BlockRange>& ranges) {
  TieredBlocks& tiered = *TRY(tiered_of(call));
  uint64_t total = 0;
  for (const BlockRange& range : ranges) total += range.length;
  uint64_t done = 0;
  for (const BlockRange& range : ranges) {
    TRY(tiered.tier().fetch(range.block, range.offset, range.length));
    done += range.length;
    if (!call.events.progress({"fetching", done, total, "bytes"})) return Error(Code::kCancelled);
  }
  return Json{{"bytes", total}};
}

Result<Json> json_of_pins(Call& call, TieredBlocks& tiered) {
  Json pins = Json::array();
  for (const Pin& pin : TRY(tiered.pins().list())) {
    uint64_t bytes = 0;
    uint64_t missing = 0;
    TRY(visit_blocks_below(call.directory.rows(), nullptr, pin.ino, [&](const BlockRange& range) {
      const auto here = tiered.tier().is_here(range.block);
      bytes += range.length;
      if (!here.ok() || !*here) missing += range.length;
    }));
    pins.push_back({{"inode", pin.ino.value},
                    {"path", json_of_bytes(pin.path)},
                    {"bytes", bytes},
                    {"missing_bytes", missing}});
  }
  return pins;
}

}  // namespace

Result<uint64_t> pinned_bytes(Call& call, const std::vector<BlockRange>& more) {
  std::map<BlockId, uint64_t> pinned;
  for (const BlockRange& range : more) pinned[range.block] += range.length;
  for (const Pin& pin : TRY(TRY(tiered_of(call))->pins().list())) {
    TRY(visit_blocks_below(call.directory.rows(), nullptr, pin.ino, [&](const BlockRange& range) {
      pinned.try_emplace(range.block, range.length);
    }));
  }
  uint64_t bytes = 0;
  for (const auto& [block, length] : pinned) bytes += length;
  return bytes;
}

Result<Json> run_tier_status(Call& call) {
  TRY(call.arguments.finish());
  TieredBlocks& tiered = *TRY(tiered_of(call));
  const tier::TierStatus status = tiered.tier().status();
  const tier::ShipStatus shipped =
      tiered.shipper() == nullptr ? tier::ShipStatus() : tiered.shipper()->status();
  const tier::CompactStatus compaction =
      tiered.compactor() == nullptr ? tier::CompactStatus() : tiered.compactor()->status();
  const int64_t now_ns = call.directory.host().clock.monotonic_ns();
  const auto age_ns = [&](const std::optional<tier::DirtyBlock>& block) {
    return block ? Json(std::max<int64_t>(now_ns - block->since_ns, 0)) : Json();
  };
  return Json{
      {"bucket", tiered.settings().bucket.to_string()},
      {"endpoint", tiered.settings().endpoint.to_string()},
      {"sealed", tiered.settings().key.has_value()},
      {"cache",
       {{"target_bytes", tiered.settings().cache_bytes},
        {"used_bytes", tiered.host_bytes()},
        {"clean_bytes", status.local.clean_bytes},
        {"blocks_evicted", status.blocks_evicted},
        {"bytes_evicted", status.bytes_evicted}}},
      {"dirty",
       {{"blocks", status.local.dirty_blocks},
        {"bytes", status.local.dirty_bytes},
        {"oldest_ns", age_ns(status.local.oldest)}}},
      {"upload",
       {{"paused", status.upload.paused},
        {"bytes_per_second", status.upload.bytes_per_second},
        {"packs", status.upload.packs},
        {"bytes", status.upload.bytes},
        {"failures", status.upload.failures},
        {"damaged_blocks", status.upload.damaged_blocks},
        {"trouble", status.upload.trouble}}},
      {"fetch",
       {{"requests", status.fetch.requests},
        {"bytes", status.fetch.bytes},
        {"damaged_answers", status.fetch.damaged_answers}}},
      {"rows",
       {{"last_batch", tiered.last_batch()},
        {"shipped_batch", shipped.shipped_batch},
        {"shipped_time",
         shipped.shipped_time.ns == 0 ? Json() : Json(meta::format_time(shipped.shipped_time))},
        {"bytes", shipped.bytes},
        {"checkpoints", shipped.checkpoints},
        {"segments", shipped.segments},
        {"packs_removed", shipped.packs_removed},
        {"trouble", shipped.trouble}}},
      {"pins", TRY(json_of_pins(call, tiered))},
      {"compaction",
       {{"packs_written", compaction.packs_written},
        {"bytes_read", compaction.bytes_read},
        {"bytes_written", compaction.bytes_written},
        {"orphans_removed", compaction.orphans_removed},
        {"damaged_packs", compaction.damaged_packs},
        {"trouble", compaction.trouble}}},
      {"remote",
       {{"blocks", status.bucket.blocks},
        {"bytes", status.bucket.live_bytes},
        {"packs", status.bucket.packs},
        {"pack_bytes", status.bucket.object_bytes},
        {"dead_packs", status.bucket.dead_packs}}}};
}

Result<Json> run_tier_pause(Call& call) {
  TRY(call.arguments.finish());
  TieredBlocks& tiered = *TRY(tiered_of(call));
  if (call.mounts == nullptr) {
    return Error(Code::kUnavailable, "the volume is not mounted: nothing is being uploaded");
  }
  tiered.tier().uploader().pause();
  return Json{{"paused", true}};
}

Result<Json> run_tier_resume(Call& call) {
  TRY(call.arguments.finish());
  TRY(tiered_of(call))->tier().uploader().resume();
  return Json{{"paused", false}};
}

// Until the bucket has all that was written before.
Result<Json> run_tier_flush(Call& call) {
  TRY(call.arguments.finish());
  TieredBlocks& tiered = *TRY(tiered_of(call));
  TRY(settle(call));
  tier::Uploader& uploader = tiered.tier().uploader();
  const tier::TierStatus before = tiered.tier().status();
  const uint64_t total = before.local.dirty_bytes;
  const uint64_t last_batch = tiered.last_batch();
  const uint64_t mark = tiered.tier().mark();
  uploader.flush();
  for (;;) {
    const tier::TierStatus status = tiered.tier().status();
    const uint64_t left = status.local.dirty_bytes;
    if (tiered.tier().is_uploaded_before(mark)) break;
    if (status.upload.paused) {
      return Error(Code::kBusy, "uploads are paused: nacre tier resume");
    }
    if (status.upload.failures > before.upload.failures && !tiered.settings().wait_while_away) {
      // What only somebody can set right: a key that is refused, a bucket that does not exist.
      const Code code = status.upload.trouble_code;
      const bool lasts = code == Code::kAccess || code == Code::kInvalid;
      return Error(lasts ? code : Code::kUnavailable,
                   "not all is in the bucket: " + status.upload.trouble);
    }
    const uint64_t done = total - std::min(left, total);
    if (!call.events.progress({"uploading", done, total, "bytes"})) return Error(Code::kCancelled);
    uploader.wait_for_progress(kLookNs);
  }
  call.events.progress({"uploading rows", 0, 0, ""});
  TRY(tiered.shipper()->ship_up_to(last_batch));
  return Json{{"bytes", tiered.tier().status().upload.bytes - before.upload.bytes}};
}

// What was released is removed once the rows that say so are in the bucket.
Result<Json> run_tier_compact(Call& call) {
  TRY(call.arguments.finish());
  TieredBlocks& tiered = *TRY(tiered_of(call));
  TRY(settle(call));
  TRY(tiered.shipper()->step());
  if (tiered.tier().uploader().status().paused) {
    return Error(Code::kBusy, "transfers are paused: nacre tier resume");
  }
  const tier::BucketTotals before = tiered.tier().locations().totals();
  const tier::CompactStatus since = tiered.compactor()->status();
  const uint64_t dead = before.object_bytes - std::min(before.object_bytes, before.live_bytes);
  while (TRY(tiered.compactor()->step())) {
    const tier::BucketTotals now = tiered.tier().locations().totals();
    const uint64_t left = now.object_bytes - std::min(now.object_bytes, now.live_bytes);
    const uint64_t done = dead - std::min(dead, left);
    if (!call.events.progress({"compacting", done, dead, "bytes"})) return Error(Code::kCancelled);
  }
  TRY(tiered.shipper()->step());
  const tier::CompactStatus status = tiered.compactor()->status();
  return Json{{"packs_written", status.packs_written - since.packs_written},
              {"bytes_before", before.object_bytes},
              {"bytes_after", tiered.tier().locations().totals().object_bytes},
              {"orphans_removed", status.orphans_removed - since.orphans_removed}};
}

Result<Json> run_tier_evict(Call& call) {
  const std::vector<BlockRange> ranges = TRY(blocks_of(call, TRY(subject_of(call))));
  TieredBlocks& tiered = *TRY(tiered_of(call));
  const auto pinned = tiered.pins().blocks();
  uint64_t evicted = 0;
  uint64_t busy = 0;
  uint64_t stayed = 0;
  std::set<BlockId> seen;
  for (const BlockRange& range : ranges) {
    if (!seen.insert(range.block).second) continue;
    if (pinned != nullptr && pinned->blocks().contains(range.block)) {
      ++stayed;
      continue;
    }
    const Result<bool> gone = tiered.tier().evict(range.block);
    if (!gone.ok() && gone.code() != Code::kBusy) return gone.error();
    if (!gone.ok()) ++busy;
    if (gone.ok() && *gone) ++evicted;
  }
  return Json{{"blocks", evicted}, {"not_uploaded", busy}, {"pinned", stayed}};
}

Result<Json> run_tier_fetch(Call& call) {
  return fetch_all(call, TRY(blocks_of(call, TRY(subject_of(call)))));
}

Result<Json> run_tier_pin(Call& call) {
  const Subject subject = TRY(subject_of(call));
  TieredBlocks& tiered = *TRY(tiered_of(call));
  const std::vector<BlockRange> ranges = TRY(blocks_of(call, subject));
  const uint64_t bytes = TRY(pinned_bytes(call, ranges));
  const uint64_t most = tiered.settings().cache_bytes / 100 * kMostPinnedPercent;
  if (bytes > most) {
    return Error(Code::kNoSpace,
                 fmt::format("{} bytes would be pinned, and {} of the {} bytes of cache may be",
                             bytes, most, tiered.settings().cache_bytes));
  }
  TRY(tiered.pins().add({subject.ino, subject.path}));
  return fetch_all(call, ranges);
}

Result<Json> run_tier_unpin(Call& call) {
  const Subject subject = TRY(subject_of(call));
  if (TRY(TRY(tiered_of(call))->pins().remove(subject.ino))) return Json{{"path", subject.path}};
  return Error(Code::kNotFound, subject.path + " is not pinned by itself");
}

}  // namespace nacre::node
