// status: what there is to know about an open volume.
#include <unistd.h>

#include "meta/moments.h"
#include "node/commands.h"

namespace nacre::node {
namespace {

Json json_of_space(const fs::VolumeUsage& usage) {
  Json space = {{"capacity_bytes", usage.capacity}, {"used_bytes", usage.used},
                {"live_bytes", usage.live},         {"history_bytes", usage.reclaimable},
                {"rows_bytes", usage.rows},         {"available_bytes", usage.available},
                {"dirty_bytes", usage.dirty},       {"inodes", usage.inodes}};
  if (usage.referenced) space["referenced_bytes"] = *usage.referenced;
  return space;
}

Json json_of_devices(VolumeDirectory& directory) {
  Json list = Json::array();
  for (const auto& device : directory.devices().devices()) {
    const device::Space space = device->space();
    const device::Health health = device->health();
    const device::Identity identity = device->identity();
    list.push_back(
        {{"path", json_of_bytes(device->name())},
         {"id", to_hex(identity.device)},
         {"kind", identity.backing == device::BackingKind::kDirectory ? "directory" : "image"},
         {"capacity_bytes", space.capacity_bytes},
         {"used_bytes", space.used_bytes},
         {"live_bytes", space.live_bytes},
         {"free_bytes", space.free_bytes},
         {"corrupt_reads", health.corrupt_reads},
         {"io_errors", health.io_errors},
         {"damaged_segments", health.damaged_segments},
         {"lost_places", health.lost_places},
         {"failed", health.failed}});
  }
  return list;
}

Json json_of_mounts(const Mounts* mounts) {
  Json list = Json::array();
  if (mounts == nullptr) return list;
  for (const MountState& mount : mounts->list()) {
    list.push_back({{"mountpoint", json_of_bytes(mount.mountpoint)},
                    {"at", mount.at ? Json(mount.at->value) : Json()},
                    {"read_only", mount.read_only},
                    {"requests", mount.requests}});
  }
  return list;
}

// Null for a volume without one; what is wrong with it, as far as it was asked for anything.
Json json_of_bucket(VolumeDirectory& directory) {
  TieredBlocks* const tiered = directory.tiered();
  if (tiered == nullptr) return {};
  std::string trouble = tiered->tier().status().upload.trouble;
  if (trouble.empty() && tiered->shipper() != nullptr)
    trouble = tiered->shipper()->status().trouble;
  return {{"name", tiered->settings().bucket.to_string()}, {"trouble", trouble}};
}

Json json_of_keeper(VolumeDirectory& directory) {
  const keeper::KeeperStatus status = directory.keeper().status();
  return {{"rows_pruned", status.rows_pruned},
          {"blocks_compacted", status.blocks_compacted},
          {"compaction_bytes_written", status.compaction_bytes_written},
          {"compaction_bytes_freed", status.compaction_bytes_freed},
          {"bytes_cleaned", status.bytes_cleaned},
          {"blocks_damaged", status.blocks_damaged},
          {"last_error", status.last_error}};
}

}  // namespace

Result<Json> run_status(Call& call) {
  TRY(call.arguments.finish());
  VolumeDirectory& directory = call.directory;
  const wire::VolumeSuperblock& superblock = directory.superblock();
  const ReadErrors errors = directory.read_errors();
  const auto snapshots = TRY(meta::list_snapshots(directory.rows()));
  const fs::Volume& volume = call.volume();
  return Json{{"volume", json_of_bytes(directory.path())},
              {"id", to_hex(superblock.volume)},
              {"created", meta::format_time(superblock.created)},
              {"block_size", superblock.block_size},
              {"compression", codec::name_of(superblock.compression)},
              {"read_only", directory.read_only()},
              {"process", ::getpid()},
              {"space", json_of_space(call.volume().usage())},
              {"committed",
               {{"sequence", volume.committed().value},
                {"time", meta::format_time(volume.committed_time())}}},
              {"history", TRY(run_retention_show(call))},
              {"snapshots", snapshots.size()},
              {"devices", json_of_devices(directory)},
              {"bucket", json_of_bucket(directory)},
              {"errors", {{"corrupt", errors.corrupt}, {"io", errors.io}}},
              {"keeper", json_of_keeper(directory)},
              {"superblock_problems", directory.superblock_problems()},
              {"mounts", json_of_mounts(call.mounts)}};
}

}  // namespace nacre::node
