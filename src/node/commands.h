// The commands of the service, one file each family (command_*.cc), and the table that names them.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "node/file_blocks.h"
#include "node/mounts.h"
#include "node/protocol.h"
#include "node/volume_directory.h"
#include "os/mutex.h"

namespace nacre::node {

// One command under way.
struct Call {
  VolumeDirectory& directory;
  Mounts* mounts;  // null where nothing is mounted
  Arguments& arguments;
  Events& events;
  os::Mutex& snapshot_mutex;

  fs::Volume& volume() { return directory.volume(); }
};

struct Command {
  std::string_view name;
  bool changes = false;  // refused on a volume that is open read-only
  Result<Json> (*run)(Call&);
};
std::span<const Command> commands();

// {} → everything there is to know about the volume, see command_status.cc.
Result<Json> run_status(Call& call);
// {path, mountpoints?} → items {version, inode, begin, end, time, until, type, size, mode, uid,
// gid, mtime, changes}, oldest first; {path, versions, deleted}.
Result<Json> run_history(Call& call);
// {path, mountpoints?, recursive?} → items {path, inode, type, size, mtime, sequence, time}; {path,
// names}.
Result<Json> run_deleted(Call& call);
// {path, mountpoints?, at? | version?, to? to_mountpoints? | to_host?, force?} → {restored, to,
// warnings}.
Result<Json> run_restore(Call& call);
// {name?} → {name, sequence, time}.
Result<Json> run_snapshot_create(Call& call);
// {} → {snapshots: [{name, sequence, time, created}]}.
Result<Json> run_snapshot_list(Call& call);
// {name} → {name}.
Result<Json> run_snapshot_delete(Call& call);
// {} → {keep_ns, budget_percent, clock_suspect, oldest, oldest_time}.
Result<Json> run_retention_show(Call& call);
// {keep_ns?, budget_percent?} → as retention_show.
Result<Json> run_retention_set(Call& call);
// {} → as retention_show.
Result<Json> run_confirm_clock(Call& call);
// {before?} → {dropped, pinned, floor}.
Result<Json> run_prune(Call& call);
// {} → {blocks_freed, bytes_written, bytes_freed, damaged}.
Result<Json> run_compact(Call& call);
// {deep?, repair?} → items {where, what, repaired}; {problems, repaired, ...}.
Result<Json> run_check(Call& call);
// {path, mountpoints?} → {files, versions, bytes_freed, present}.
Result<Json> run_forget(Call& call);
// {} → {sequence}.
Result<Json> run_flush(Call& call);
// {} → what is where, and how it moves: see command_tier.cc. As the others, kUnsupported for a
// volume without a bucket.
Result<Json> run_tier_status(Call& call);
// {} → {paused}.
Result<Json> run_tier_pause(Call& call);
Result<Json> run_tier_resume(Call& call);
// {} → {bytes}.
Result<Json> run_tier_flush(Call& call);
// {} → {packs_written, bytes_before, bytes_after, orphans_removed}.
Result<Json> run_tier_compact(Call& call);
// {path, mountpoints?} → {blocks, not_uploaded, pinned}.
Result<Json> run_tier_evict(Call& call);
// {path, mountpoints?} → {bytes}.
Result<Json> run_tier_fetch(Call& call);
// {path, mountpoints?} → {bytes}: pinned, then fetched. kNoSpace for more than may be pinned.
Result<Json> run_tier_pin(Call& call);
// {path, mountpoints?} → {path}. kNotFound if it is not pinned.
Result<Json> run_tier_unpin(Call& call);
// {cache_bytes?, credentials_file?, offline?, sync_remote?} → what holds now, and {used_bytes}.
Result<Json> run_volume_set(Call& call);
// {mountpoint, source, options?, at?, read_only?, single_threaded?, noatime?} → {mountpoint}.
Result<Json> run_mount(Call& call);
// {mountpoint, lazy?} → {mountpoint, closing}.
Result<Json> run_unmount(Call& call);

// What several of them do.

// Everything that programs wrote so far is committed, unless the volume is open read-only.
Status settle(Call& call);
// kUnsupported for a volume without a bucket.
Result<TieredBlocks*> tiered_of(Call& call);
// What pins, and these ranges besides, keep on the disk.
Result<uint64_t> pinned_bytes(Call& call, const std::vector<BlockRange>& more = {});
// A time as text; null where the change feed does not know the commit any more.
Json json_of_time(Call& call, Sequence sequence);
std::string_view name_of(meta::FileType type);

}  // namespace nacre::node
