#include "cluster/healer.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <bit>
#include <chrono>

#include "block/ordered_pipeline.h"
#include "cluster/layout_changes.h"

namespace nacre::cluster {
namespace {

constexpr size_t kAskedMax = 10'000;
constexpr size_t kGroupsPerRun = 256;
constexpr size_t kSweepMax = 10'000;
constexpr uint64_t kCleanBytes = 1 * kGiB;  // at a time
// Those that it was cut off from may not be reached at once.
constexpr int kComeBackTries = 10;
constexpr auto kComeBackPause = std::chrono::seconds(1);

}  // namespace

Healer::Healer(os::Clock& clock, Registry& registry, block::ClusterBlocks& blocks,
               block::NodeClients& clients, DeviceSet& devices, FragmentService& fragments,
               HealerOptions options)
    : clock_(clock),
      registry_(registry),
      blocks_(blocks),
      clients_(clients),
      devices_(devices),
      fragments_(fragments),
      options_(options) {}

void Healer::start() {
  thread_ = os::Thread("healer", [this] { run(); });
}

void Healer::look_again() {
  const os::Lock lock(mutex_);
  view_changed_ = true;
  changed_.notify_all();
}

void Healer::was_away() {
  const os::Lock lock(mutex_);
  fragments_.close_for_reads();
  was_away_ = true;
  status_.caught_up = false;
  changed_.notify_all();
}

void Healer::stop() {
  {
    const os::Lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void Healer::ask(const block::FragmentPlace& place) {
  const os::Lock lock(mutex_);
  const bool known = std::ranges::find(asked_, place) != asked_.end();
  if (known || asked_.size() >= kAskedMax) return;
  asked_.push_back(place);
  changed_.notify_all();
}

HealStatus Healer::status() {
  const os::Lock lock(mutex_);
  return status_;
}

bool Healer::stopping() {
  const os::Lock lock(mutex_);
  return stopping_;
}

void Healer::set_trouble(const std::string& words) {
  const os::Lock lock(mutex_);
  if (status_.trouble == words) return;
  status_.trouble = words;
  if (!words.empty()) spdlog::warn("healing: {}", words);
}

// False when it is to stop.
bool Healer::wait_for_work() {
  const os::Lock lock(mutex_);
  const int64_t pause_ns = unfinished_ ? options_.retry_ns : options_.sweep_ns;
  const int64_t until_ns = clock_.monotonic_ns() + pause_ns;
  while (!stopping_ && !view_changed_ && !was_away_ && asked_.empty()) {
    const int64_t left_ns = until_ns - clock_.monotonic_ns();
    if (left_ns <= 0) break;
    changed_.wait_for(mutex_, std::chrono::nanoseconds(left_ns));
  }
  view_changed_ = false;
  return !stopping_;
}

// What was deleted while the node was away, as far as those know that are up. Whether all of them
// answered.
bool Healer::forget_deleted() {
  const std::shared_ptr<const block::ClusterView> view = registry_.view();
  bool all_answered = true;
  for (const wire::DeviceNumber device : own_devices(*view)) {
    for (const wire::Pool& pool : view->map.pools) {
      const std::vector<Duty> duties = duties_of(*view, pool, device);
      std::map<uint32_t, unsigned> positions;
      for (const Duty& duty : duties) positions[duty.pg] = duty.position;
      for (size_t at = 0; at < duties.size() && !stopping(); at += kGroupsPerRun) {
        const size_t count = std::min(kGroupsPerRun, duties.size() - at);
        const Census found = look(*view, pool, device, std::span(duties).subspan(at, count));
        all_answered = all_answered && !found.trouble;
        for (const BlockId id : found.deleted) {
          const auto position = positions.find(pool.pg_of(wire::placement_of(id)));
          if (position == positions.end()) continue;
          const auto fragment = static_cast<uint16_t>(position->second);
          (void)fragments_.remove({.device = device, .id = id, .fragment = fragment},
                                  block::Removal::kFragment);
        }
      }
    }
  }
  return all_answered && !stopping();
}

void Healer::come_back() {
  {
    const os::Lock lock(mutex_);
    if (!was_away_) return;
    was_away_ = false;
  }
  catch_up_ = true;
  for (int i = 0; i < kComeBackTries && !forget_deleted() && !stopping(); ++i) {
    const os::Lock lock(mutex_);
    if (!stopping_) changed_.wait_for(mutex_, kComeBackPause);
  }
  const os::Lock lock(mutex_);
  if (!was_away_) fragments_.open_for_reads();
}

// Nothing is given out before it is known what was deleted.
void Healer::run() {
  forget_deleted();
  fragments_.open_for_reads();
  while (wait_for_work()) {
    come_back();
    heal_asked();
    const bool done = fill_all();
    {
      const os::Lock lock(mutex_);
      unfinished_ = !done;
      if (done) {
        status_.caught_up = true;
        status_.groups_waiting = 0;
      }
    }
    if (done) {
      catch_up_ = false;
      set_trouble("");
    }
    if (clock_.monotonic_ns() - swept_ns_ > options_.sweep_ns) {
      sweep();
      swept_ns_ = clock_.monotonic_ns();
    }
  }
}

void Healer::heal_asked() {
  for (;;) {
    block::FragmentPlace place;
    {
      const os::Lock lock(mutex_);
      if (asked_.empty() || stopping_) return;
      place = asked_.front();
    }
    heal_one(place);
    const os::Lock lock(mutex_);
    asked_.pop_front();
  }
}

// Somebody's word is not proof: a fragment that is good stays.
void Healer::heal_one(const block::FragmentPlace& place) {
  const auto note = fragments_.verify(place);
  if (note.ok()) return;
  const bool damaged = note.code() == Code::kCorrupt || note.code() == Code::kIo;
  if (!damaged && note.code() != Code::kNotFound) return;
  const auto made = blocks_.read_start(place.id, 0);
  if (!made.ok()) return;
  auto bytes = blocks_.rebuild(place.id, made->note.block_bytes, place.fragment);
  if (!bytes.ok()) {
    spdlog::error("block {}, fragment {} cannot be repaired: {}", to_hex(place.id), place.fragment,
                  bytes.error().to_string());
    return;
  }
  // The others hold the block: this one may go before the new one is there.
  if (damaged && !fragments_.remove(place, block::Removal::kFragment).ok()) return;
  if (!fragments_.store(place, made->note, bytes->parts.front()).ok()) return;
  spdlog::warn("block {}, fragment {} was {} and is repaired: {}", to_hex(place.id), place.fragment,
               damaged ? "damaged" : "missing", note.error().context());
  const os::Lock lock(mutex_);
  ++status_.fragments_repaired;
}

std::vector<wire::DeviceNumber> Healer::own_devices(const block::ClusterView& view) {
  std::vector<wire::DeviceNumber> numbers;
  for (const OpenDevice& open : devices_.list()) {
    const wire::DeviceId id = open.device->identity().device;
    const auto found = std::ranges::find(view.map.devices, id, &wire::ClusterDevice::id);
    if (found != view.map.devices.end()) numbers.push_back(found->number);
  }
  return numbers;
}

// Whether nothing is left to do.
bool Healer::fill_all() {
  const std::shared_ptr<const block::ClusterView> view = registry_.view();
  bool done = true;
  for (const wire::DeviceNumber device : own_devices(*view)) {
    for (const wire::Pool& pool : view->map.pools) {
      if (!fill_device(*view, pool, device)) done = false;
      if (stopping()) return false;
    }
  }
  return done;
}

std::vector<Healer::Duty> Healer::duties_of(const block::ClusterView& view, const wire::Pool& pool,
                                            wire::DeviceNumber device) const {
  const wire::PgTable& table = view.tables.at(pool.id);
  std::vector<Duty> duties;
  for (uint32_t pg = 0; pg < table.size(); ++pg) {
    for (unsigned i = 0; i < table.n(); ++i) {
      if (table.devices(pg)[i] != device) continue;
      const bool moving = table.sources(pg)[i] != wire::kNoDevice;
      if (moving || catch_up_) duties.push_back({pg, i, moving});
    }
  }
  return duties;
}

bool Healer::fill_device(const block::ClusterView& view, const wire::Pool& pool,
                         wire::DeviceNumber device) {
  const std::vector<Duty> duties = duties_of(view, pool, device);
  {
    const os::Lock lock(mutex_);
    status_.groups_waiting = duties.size();
  }
  bool done = true;
  for (size_t at = 0; at < duties.size() && !stopping(); at += kGroupsPerRun) {
    const size_t count = std::min(kGroupsPerRun, duties.size() - at);
    if (!fill_run(view, pool, device, std::span(duties).subspan(at, count))) done = false;
  }
  return done && !stopping();
}

// What the other devices of these groups have. One that does not answer is left out.
Census Healer::look(const block::ClusterView& view, const wire::Pool& pool,
                    wire::DeviceNumber device, std::span<const Duty> run) {
  std::vector<uint32_t> pgs;
  for (const Duty& duty : run) pgs.push_back(duty.pg);
  Census census = take_census({clock_, clients_}, view, pool, pgs, device);
  if (census.trouble) set_trouble(census.trouble->to_string());
  return census;
}

bool Healer::fill_run(const block::ClusterView& view, const wire::Pool& pool,
                      wire::DeviceNumber device, std::span<const Duty> run) {
  const Census found = look(view, pool, device, run);
  std::map<uint32_t, Duty> duties;
  for (const Duty& duty : run) {
    const auto listed = found.listed.find(duty.pg);
    const int answered = listed == found.listed.end() ? 0 : std::popcount(listed->second);
    // Those that did not answer, this one among them, might hold all that is left of a block.
    if (static_cast<int>(pool.code.n()) - answered > std::max<int>(pool.code.m, 1)) continue;
    duties.emplace(duty.pg, duty);
  }
  std::set<uint32_t> failed;
  auto next = found.has.begin();
  const block::Feed<BlockId> feed = [&]() -> Result<std::optional<BlockId>> {
    if (next == found.has.end() || stopping()) return std::optional<BlockId>();
    return std::optional((next++)->first);
  };
  using Failure = std::optional<uint32_t>;
  const block::Step<BlockId, Failure> step = [&](BlockId id) -> Result<Failure> {
    const uint32_t pg = pool.pg_of(wire::placement_of(id));
    const auto duty = duties.find(pg);
    if (duty == duties.end()) return Failure();
    const block::FragmentPlace place{
        .device = device, .id = id, .fragment = static_cast<uint16_t>(duty->second.position)};
    const Status filled = found.deleted.contains(id)
                              ? fragments_.remove(place, block::Removal::kFragment)
                              : fill(place);
    if (filled.ok()) return Failure();
    set_trouble(filled.error().to_string());
    return Failure(pg);
  };
  const block::Take<Failure> take = [&](Failure pg) {
    if (pg) failed.insert(*pg);
    return Status();
  };
  (void)block::run_ordered<BlockId, Failure>(options_.parallel, feed, step, take);
  if (stopping()) return false;
  const bool done = failed.empty() && duties.size() == run.size();
  std::erase_if(
      duties, [&](const auto& duty) { return failed.contains(duty.first) || !duty.second.moving; });
  if (duties.empty()) return done;
  const Status stored = registry_.change([&](ClusterState& state) -> Status {
    for (const auto& [pg, duty] : duties) {
      TRY(finish_move(state, pool.id, pg, duty.position, device));
    }
    return forget_empty_devices(state);
  });
  if (!stored.ok()) set_trouble(stored.error().to_string());
  return done && stored.ok();
}

// Makes the fragment if it is to be here and is not.
Status Healer::fill(const block::FragmentPlace& place) {
  if (fragments_.has(place)) return {};
  const auto start = blocks_.read_start(place.id, 0);
  // Deleted meanwhile.
  if (!start.ok() && start.code() == Code::kNotFound) return {};
  if (!start.ok()) return start.error();
  const wire::FragmentNote& note = start->note;
  const codec::FragmentLayout layout(note.code, note.block_bytes);
  if (place.fragment >= note.code.n() || !layout.is_stored(place.fragment)) return {};
  const auto made = blocks_.rebuild(place.id, note.block_bytes, place.fragment);
  // What was never stored whole cannot be made whole: whoever sweeps takes it away.
  if (!made.ok() && (made.code() == Code::kCorrupt || made.code() == Code::kNotFound)) return {};
  if (!made.ok()) return made.error();
  TRY(fragments_.store(place, note, made->parts.front()));
  const os::Lock lock(mutex_);
  ++status_.fragments_rebuilt;
  status_.bytes_rebuilt += made->size();
  return {};
}

// What was deleted takes room until its segments are written anew. A full device does so by itself;
// here it is done before that, where it is worth while.
void Healer::clean(device::Device& device) {
  const device::Space space = device.space();
  const uint64_t dead = space.used_bytes - std::min(space.used_bytes, space.live_bytes);
  if (dead < kCleanBytes || dead < space.used_bytes / 5) return;
  const auto cleaned = device.clean(std::min(dead, kCleanBytes));
  if (!cleaned.ok()) spdlog::warn("cleaning: {}", cleaned.error().to_string());
}

// Fragments that moved elsewhere, where the map says that this is done.
void Healer::sweep() {
  const std::shared_ptr<const block::ClusterView> view = registry_.view();
  for (const OpenDevice& open : devices_.list()) {
    const wire::DeviceId id = open.device->identity().device;
    const auto known = std::ranges::find(view->map.devices, id, &wire::ClusterDevice::id);
    if (known == view->map.devices.end()) continue;
    const wire::DeviceNumber number = known->number;
    std::vector<block::ListedFragment> gone;
    open.device->list([&](BlockId block, uint16_t fragment, const device::FragmentInfo&) {
      const auto location = view->locate(block);
      const unsigned position = fragment & ~unsigned{block::kDeletedMark | block::kFence};
      if (!location.ok() || position >= location->devices.size()) return true;
      const bool stays = location->devices[position] == number ||
                         location->sources[position] == number ||
                         location->devices[position] == wire::kNoDevice ||
                         location->sources[position] != wire::kNoDevice;
      if (!stays) gone.push_back({block, fragment});
      return gone.size() < kSweepMax && !stopping();
    });
    for (const block::ListedFragment& each : gone) {
      if (!open.device->remove(each.id, each.fragment).ok()) break;
    }
    if (!gone.empty()) (void)open.device->sync();
    clean(*open.device);
    const os::Lock lock(mutex_);
    status_.fragments_swept += gone.size();
  }
}

}  // namespace nacre::cluster
