#include "cluster/scrubber.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <bit>
#include <chrono>

#include "rpc/call_group.h"

namespace nacre::cluster {
namespace {

constexpr size_t kGroupsPerRun = 256;
constexpr size_t kSuspectsMax = 1'000'000;  // 16 MiB; more wait for the next pass
constexpr size_t kObjectsKnownMax = 64;
constexpr int64_t kRestPerWork = 9;
constexpr int64_t kHealLimitNs = 10'000'000'000;

}  // namespace

Scrubber::Scrubber(Parts parts, ScrubberOptions options)
    : parts_(parts), options_(options), objects_(parts.blocks) {}

void Scrubber::start() {
  thread_ = os::Thread("scrubber", [this] { run(); });
}

void Scrubber::stop() {
  {
    const os::Lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

ScrubStatus Scrubber::status() {
  const os::Lock lock(mutex_);
  return status_;
}

bool Scrubber::stopping() {
  const os::Lock lock(mutex_);
  return stopping_;
}

void Scrubber::set_trouble(const Error& error) {
  trouble_ = error.to_string();
  is_thorough_ = false;
}

void Scrubber::run() {
  int64_t pause_ns = options_.grace_ns;
  for (;;) {
    {
      const os::Lock lock(mutex_);
      const int64_t until_ns = parts_.clock.monotonic_ns() + pause_ns;
      for (;;) {
        if (stopping_) return;
        const int64_t left_ns = until_ns - parts_.clock.monotonic_ns();
        if (left_ns <= 0) break;
        changed_.wait_for(mutex_, std::chrono::nanoseconds(left_ns));
      }
    }
    const int64_t begun_ns = parts_.clock.monotonic_ns();
    pass();
    const int64_t took_ns = parts_.clock.monotonic_ns() - begun_ns;
    pause_ns = std::max(options_.grace_ns, kRestPerWork * took_ns);
  }
}

void Scrubber::pass() {
  const Timestamp begun = parts_.clock.now();
  const std::shared_ptr<const block::ClusterView> view = parts_.views.view();
  trouble_.clear();
  new_suspects_.clear();
  // Groups may have come to this node.
  if (view->map.epoch != epoch_) settled_ = {};
  epoch_ = view->map.epoch;
  is_thorough_ = true;
  for (const wire::Pool& pool : view->map.pools) scrub_pool(*view, pool);
  std::ranges::sort(new_suspects_);
  suspects_ = std::move(new_suspects_);
  objects_known_.clear();
  if (stopping()) return;
  if (is_thorough_) settled_ = {begun.ns - options_.grace_ns};
  if (!trouble_.empty()) spdlog::info("scrubbing left something for later: {}", trouble_);
  count([&](ScrubStatus& status) {
    ++status.passes;
    status.trouble = trouble_;
  });
}

bool Scrubber::is_own(const block::ClusterView& view, wire::DeviceNumber device) {
  const wire::ClusterDevice* const known = view.map.find_device(device);
  return known != nullptr && parts_.devices.find(known->id).ok();
}

void Scrubber::scrub_pool(const block::ClusterView& view, const wire::Pool& pool) {
  const wire::PgTable& table = view.tables.at(pool.id);
  std::vector<uint32_t> pgs;
  for (uint32_t pg = 0; pg < table.size(); ++pg) {
    const bool settled = std::ranges::all_of(
        table.sources(pg), [](wire::DeviceNumber source) { return source == wire::kNoDevice; });
    if (!is_own(view, table.devices(pg).front())) continue;
    if (settled)
      pgs.push_back(pg);
    else
      is_thorough_ = false;
  }
  for (size_t at = 0; at < pgs.size() && !stopping(); at += kGroupsPerRun) {
    const auto these = std::span(pgs).subspan(at, std::min(kGroupsPerRun, pgs.size() - at));
    Run run{view, pool, take_census({parts_.clock, parts_.clients}, view, pool, these)};
    if (run.census.trouble) set_trouble(*run.census.trouble);
    const auto is_of_others = [&](BlockId id) {
      return !std::ranges::binary_search(these, pool.pg_of(wire::placement_of(id)));
    };
    std::erase_if(run.census.has, [&](const auto& each) { return is_of_others(each.first); });
    std::erase_if(run.census.deleted, is_of_others);
    std::erase_if(run.census.fenced, is_of_others);
    scrub(run);
  }
}

void Scrubber::scrub(const Run& run) {
  const auto is_whole = [&](BlockId id) {
    return run.census.is_whole(run.pool.pg_of(wire::placement_of(id)), run.pool.code.n());
  };
  for (const auto& [id, has] : run.census.has) {
    if (stopping()) return;
    if (run.census.deleted.contains(id)) {
      remove(id);
    } else {
      scrub_block(run, id, has, is_whole(id));
    }
  }
  for (const BlockId id : run.census.deleted) {
    if (stopping()) return;
    // Needed as long as anybody may still have a fragment, or bring one: a put that was cut off.
    const bool nobody_has_it = is_whole(id) && !run.census.has.contains(id);
    if (nobody_has_it && suspected_before(id)) forget(id, block::Removal::kMark);
  }
  for (const BlockId id : run.census.fenced) {
    if (stopping()) return;
    // Its writer was faster. Else it may come back however late, and the fence stays.
    if (run.census.has.contains(id)) forget(id, block::Removal::kFence);
  }
}

void Scrubber::scrub_block(const Run& run, BlockId id, uint32_t has, bool whole) {
  count([](ScrubStatus& status) { ++status.blocks; });
  const block::Location location = run.view.group(run.pool, run.pool.pg_of(wire::placement_of(id)));
  Result<wire::FragmentNote> note =
      parts_.fragments.note({.device = location.devices.front(), .id = id});
  if (!note.ok()) {
    const auto start = parts_.blocks.read_start(id, 0);
    if (!start.ok() && start.code() == Code::kNotFound) return;  // deleted meanwhile
    if (!start.ok()) return set_trouble(start.error());
    note = start->note;
  }
  const codec::FragmentLayout layout(note->code, note->block_bytes);
  uint32_t wanted = 0;
  for (unsigned i = 0; i < layout.code().n(); ++i) wanted |= layout.is_stored(i) ? 1u << i : 0;
  const uint32_t listed = run.census.listed.at(location.pg);
  const uint32_t missing = wanted & ~has & listed;
  if (missing != 0) {
    // A put or delete may be under way.
    is_thorough_ = false;
    if (!suspected_before(id)) return;
    const bool can_be_read =
        std::popcount(wanted & ~missing) >= static_cast<int>(layout.data_stored());
    if (can_be_read) return complete(run, id, missing);
    if (whole) return remove(id);
    return;
  }
  if (note->kind == wire::BlockKind::kPart) scrub_part(id, *note);
}

// Has the devices that lack their fragments make them.
void Scrubber::complete(const Run& run, BlockId id, uint32_t missing) {
  const block::Location location = run.view.group(run.pool, run.pool.pg_of(wire::placement_of(id)));
  rpc::CallGroup calls(parts_.clock);
  const int64_t deadline_ns = parts_.clock.monotonic_ns() + kHealLimitNs;
  for (unsigned i = 0; i < location.devices.size(); ++i) {
    const wire::ClusterNode* const node = run.view.node_of(location.devices[i]);
    if ((missing & 1u << i) == 0 || node == nullptr) continue;
    const auto client = parts_.clients.of(*node);
    if (!client.ok()) continue;
    const block::HealFragment call{
        .place = {.device = location.devices[i], .id = id, .fragment = static_cast<uint16_t>(i)}};
    calls.start(**client,
                {.method = static_cast<uint16_t>(block::Method::kHealFragment),
                 .header = encode(call),
                 .deadline_ns = deadline_ns},
                i);
  }
  while (calls.next(deadline_ns)) continue;
  count([](ScrubStatus& status) { ++status.incomplete; });
}

void Scrubber::scrub_part(BlockId id, const wire::FragmentNote& note) {
  const bool may_be_unfinished = note.written.ns > parts_.clock.now().ns - options_.grace_ns;
  if (may_be_unfinished || note.written < settled_) return;
  const auto parts = parts_of(note.object);
  // Its writer lives, or was faster.
  const bool has_writer = parts.code() == Code::kBusy || parts.code() == Code::kExists;
  if (has_writer) is_thorough_ = false;
  if (!parts.ok()) return has_writer ? void() : set_trouble(parts.error());
  if (*parts == nullptr || !(*parts)->contains(id)) remove(id);
}

Result<Scrubber::PartSet> Scrubber::parts_of(BlockId object) {
  const auto known = objects_known_.find(object);
  if (known != objects_known_.end()) return known->second;
  const auto manifest = objects_.manifest_of(object);
  PartSet parts;
  if (manifest.ok()) {
    parts =
        std::make_shared<const std::set<BlockId>>(manifest->parts.begin(), manifest->parts.end());
  } else if (manifest.code() == Code::kNotFound) {
    TRY(parts_.blocks.fence(object));
  } else {
    return manifest.error();
  }
  if (objects_known_.size() >= kObjectsKnownMax) objects_known_.clear();
  objects_known_[object] = parts;
  return parts;
}

void Scrubber::forget(BlockId id, block::Removal mark_or_fence) {
  if (!is_up_to_date()) return;
  const Status forgotten = parts_.blocks.forget(id, mark_or_fence);
  if (!forgotten.ok()) return set_trouble(forgotten.error());
  count([](ScrubStatus& status) { ++status.marks_forgotten; });
}

// By an old map what is whole may look like garbage: nothing goes unless the one by which it was
// judged is still the newest.
bool Scrubber::is_up_to_date() {
  const Status refreshed = parts_.views.refresh();
  if (!refreshed.ok()) {
    set_trouble(refreshed.error());
  } else if (parts_.views.view()->map.epoch != epoch_) {
    set_trouble(Error(Code::kBusy, "the map has changed meanwhile"));
  } else {
    return true;
  }
  return false;
}

void Scrubber::remove(BlockId id) {
  if (!is_up_to_date()) return;
  const Status removed = parts_.blocks.remove(id);
  if (!removed.ok()) return set_trouble(removed.error());
  count([](ScrubStatus& status) { ++status.garbage_removed; });
}

// Whether it was a suspect in the last pass, which is a grace time ago; if not, it is one now.
bool Scrubber::suspected_before(BlockId id) {
  if (std::ranges::binary_search(suspects_, id)) return true;
  if (new_suspects_.size() < kSuspectsMax) new_suspects_.push_back(id);
  return false;
}

}  // namespace nacre::cluster
