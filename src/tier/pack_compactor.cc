#include "tier/pack_compactor.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>

#include "tier/pack_reader.h"
#include "wire/bucket_names.h"

namespace nacre::tier {
namespace {

constexpr uint64_t kSmallShare = 4;  // a pack is small with less than this part of a full one
constexpr size_t kMergedAtOnce = 8;  // small packs of about the same size
constexpr size_t kSizeClasses = 64;
constexpr std::chrono::hours kStaleAge{24};    // of an upload in parts: nobody goes on with it
constexpr size_t kMostPacks = 64;              // read for a new one
constexpr uint64_t kIndexEntryBytes = 64;      // more than a block of little takes
constexpr uint64_t kFrameBytes = 256;          // more than header and trailer
constexpr uint64_t kMostGapBytes = 64 * kKiB;  // read along, rather than asked around
constexpr uint64_t kMostRunBytes = 8 * kMiB;

// What a pack with these blocks alone would have at most.
uint64_t bytes_without_dead(const wire::PackRow& row) {
  return row.live_bytes + row.live_bytes / 4 + row.blocks * kIndexEntryBytes + kFrameBytes;
}

bool is_sparse(const wire::PackRow& row) { return row.object_bytes > 2 * bytes_without_dead(row); }

// Each class has packs up to eight times as large as the one before: so a block is merged a few
// times only before its pack is large.
size_t size_class(const wire::PackRow& row) {
  return static_cast<size_t>(std::bit_width(row.object_bytes)) / 3;
}

}  // namespace

PackCompactor::PackCompactor(const Parts& parts, const PackFormat& format,
                             const CompactOptions& options)
    : parts_(parts), format_(format), options_(options) {
  if (options_.background) thread_ = os::Thread("nacre-compact", [this] { run(); });
}

PackCompactor::~PackCompactor() {
  {
    const os::Lock lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  thread_.join();
}

void PackCompactor::run() {
  int64_t wait_ns = options_.first_wait_ns;
  for (;;) {
    {
      const os::Lock lock(mutex_);
      if (!stopping_) wake_.wait_for(mutex_, std::chrono::nanoseconds(wait_ns));
      if (stopping_) return;
    }
    const auto stepped = step();
    if (!stepped.ok()) {
      wait_ns = std::clamp(wait_ns * 2, options_.idle_wait_ns, options_.longest_wait_ns);
    } else {
      wait_ns = *stepped ? options_.busy_wait_ns : options_.idle_wait_ns;
    }
  }
}

Result<bool> PackCompactor::step() {
  const os::Lock step(step_mutex_);
  if (parts_.must_wait()) return false;
  auto done = work();
  const os::Lock lock(mutex_);
  const std::string trouble = done.ok() ? "" : done.error().to_string();
  if (!trouble.empty() && status_.trouble.empty()) {
    spdlog::warn("cleaning of the bucket waits: {}", trouble);
  }
  status_.trouble = trouble;
  return done;
}

Result<bool> PackCompactor::work() {
  TRY(parts_.locations.bury_empty(parts_.last_batch()));
  const int64_t now_ns = parts_.clock.monotonic_ns();
  if (now_ns >= next_sweep_ns_) {
    const uint64_t removed = TRY(sweep());
    next_sweep_ns_ = now_ns + options_.sweep_every_ns;
    if (removed > 0) return true;
  }
  const std::vector<wire::PackId> packs = TRY(choose());
  return packs.empty() ? Result<bool>(false) : rewrite(packs);
}

// A pack on its way is known before it is there.
Result<uint64_t> PackCompactor::sweep() {
  TRY(parts_.may_write());
  std::vector<wire::PackId> orphans;
  Status failed;
  TRY(parts_.bucket.list(std::string(wire::kPackObjects), [&](const bucket::ObjectInfo& info) {
    const auto name = wire::parse_object_name(info.key);
    if (!name || name->kind != wire::ObjectKind::kPack) return true;
    const auto known = parts_.locations.knows(name->pack);
    if (!known.ok()) {
      failed = known.error();
      return false;
    }
    if (!*known) orphans.push_back(name->pack);
    return true;
  }));
  TRY(std::move(failed));
  for (const wire::PackId pack : orphans) {
    TRY(parts_.may_write());
    spdlog::info("pack {} was left behind by an upload that did not end: removed", to_hex(pack));
    TRY(parts_.bucket.remove(wire::pack_object_name(pack)));
    const os::Lock lock(mutex_);
    ++status_.orphans_removed;
  }
  const auto aborted = parts_.bucket.abort_stale_uploads("", kStaleAge);
  if (!aborted.ok()) spdlog::info("unfinished uploads stay: {}", aborted.error().to_string());
  return orphans.size();
}

// The sparsest ones, up to what fills a pack; else small ones of the same size.
Result<std::vector<wire::PackId>> PackCompactor::choose() {
  std::vector<Candidate> sparse;
  std::array<std::vector<wire::PackId>, kSizeClasses> small;
  const std::set<wire::PackId> damaged = damaged_;
  TRY(parts_.locations.list_packs([&](wire::PackId id, const wire::PackRow& row) {
    if (row.blocks == 0 || damaged.contains(id)) return true;
    if (is_sparse(row)) {
      sparse.push_back({id, row});
    } else if (row.object_bytes < options_.pack_bytes / kSmallShare) {
      small[size_class(row)].push_back(id);
    }
    return true;
  }));
  std::ranges::sort(sparse, {}, [](const Candidate& pack) {
    return static_cast<double>(pack.row.live_bytes) / static_cast<double>(pack.row.object_bytes);
  });
  std::vector<wire::PackId> chosen;
  uint64_t bytes = 0;
  for (const Candidate& pack : sparse) {
    if (bytes >= options_.pack_bytes || chosen.size() >= kMostPacks) break;
    bytes += pack.row.live_bytes;
    chosen.push_back(pack.id);
  }
  if (!chosen.empty()) return chosen;
  for (const std::vector<wire::PackId>& same : small) {
    if (same.size() >= kMergedAtOnce) return same;
  }
  return chosen;
}

bool PackCompactor::is_full(const PackBuilder& builder) const {
  return builder.bytes() >= options_.pack_bytes || builder.blocks().size() >= wire::kMaxPackBlocks;
}

Result<bool> PackCompactor::rewrite(const std::vector<wire::PackId>& packs) {
  const wire::PackId id{parts_.random.next(), parts_.random.next()};
  Copy copy{.builder = PackBuilder(format_, id)};
  for (const wire::PackId pack : packs) {
    if (is_full(copy.builder)) break;
    Status copied = copy_pack(pack, copy);
    if (copied.ok()) continue;
    if (copied.code() != Code::kCorrupt && copied.code() != Code::kNotFound &&
        copied.code() != Code::kOutOfRange) {
      return copied.error();
    }
    // One that died meanwhile is gone, and nobody misses it.
    if (TRY(parts_.locations.members(pack)).empty()) continue;
    spdlog::error("pack {} cannot be read: {}", to_hex(pack), copied.error().to_string());
    damaged_.insert(pack);
    const os::Lock lock(mutex_);
    ++status_.damaged_packs;
  }
  if (copy.from.empty()) return true;
  Status stored = store(std::move(copy), id);
  if (!stored.ok()) {
    next_sweep_ns_ = INT64_MIN;  // it may be there
    return stored.error();
  }
  TRY(parts_.locations.bury_empty(parts_.last_batch()));
  return true;
}

// As much as fits.
Status PackCompactor::copy_pack(wire::PackId pack, Copy& copy) {
  const std::vector<wire::PackLocation> members = TRY(parts_.locations.members(pack));
  std::vector<wire::PackLocation> run;
  uint64_t run_bytes = 0;
  for (const wire::PackLocation& member : members) {
    if (is_full(copy.builder)) return {};
    if (parts_.local.info(member.block.id).ok() &&
        copy.builder.add(parts_.local, member.block.id).ok()) {
      copy.from.push_back(member);
      continue;
    }
    if (!run.empty()) {
      const wire::PackedBlock& last = run.back().block;
      const uint64_t end = last.offset_bytes + last.stored_bytes();
      const bool far = member.block.offset_bytes > end + kMostGapBytes;
      const bool full = run_bytes >= kMostRunBytes ||
                        copy.builder.bytes() + run_bytes >= options_.pack_bytes ||
                        copy.builder.blocks().size() + run.size() >= wire::kMaxPackBlocks;
      if (far || full) {
        TRY(copy_run(pack, run, copy));
        run_bytes = 0;
        if (is_full(copy.builder)) return {};
      }
    }
    run.push_back(member);
    run_bytes += member.block.stored_bytes();
  }
  return run.empty() ? Status() : copy_run(pack, run, copy);
}

// One request for blocks that lie close together; empties `run`.
Status PackCompactor::copy_run(wire::PackId pack, std::vector<wire::PackLocation>& run,
                               Copy& copy) {
  const uint64_t begin = run.front().block.offset_bytes;
  const wire::PackedBlock& last = run.back().block;
  std::string stored(last.offset_bytes + last.stored_bytes() - begin, '\0');
  if (!stored.empty()) {
    TRY(parts_.bucket.read(wire::pack_object_name(pack), begin, as_writable_bytes(stored)));
  }
  copy.bytes_read += stored.size();
  std::string opened;
  for (const wire::PackLocation& member : run) {
    const ByteView units =
        as_bytes(stored).subspan(member.block.offset_bytes - begin, member.block.stored_bytes());
    opened.resize(member.block.logical_bytes);
    TRY(open_units(member.block, 0, units, format_.protection, as_writable_bytes(opened)));
    copy.builder.add_stored(member.block, units);
    copy.from.push_back(member);
  }
  run.clear();
  return {};
}

Status PackCompactor::store(Copy copy, wire::PackId id) {
  StoredPack pack{.id = id, .written = parts_.clock.now(), .blocks = copy.builder.blocks()};
  const std::string object = copy.builder.finish();
  pack.object_bytes = object.size();
  const ByteView bytes = as_bytes(object);
  const std::string key = wire::pack_object_name(id);
  const PackOnItsWay on_its_way(parts_.locations, id);
  TRY(parts_.may_write());
  TRY(parts_.bucket.put(key, {&bytes, 1}));
  const std::string there = TRY(parts_.bucket.get(key, object.size()));
  if (there != object) {
    return Error(Code::kCorrupt, key + " reads back otherwise than it was put");
  }
  TRY(parts_.locations.move(std::move(pack), copy.from, parts_.last_batch()));
  const os::Lock lock(mutex_);
  ++status_.packs_written;
  status_.bytes_read += copy.bytes_read;
  status_.bytes_written += object.size();
  return {};
}

CompactStatus PackCompactor::status() {
  const os::Lock lock(mutex_);
  return status_;
}

}  // namespace nacre::tier
