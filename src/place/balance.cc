#include "place/balance.h"

#include <algorithm>
#include <cstdlib>
#include <span>
#include <vector>

#include "place/shuffle.h"

namespace nacre::place {
namespace {

// Bounds on the search for chains: fragments of each device, devices for each fragment, devices,
// and fragments in all.
constexpr size_t kFragmentsTried = 512;
constexpr size_t kDevicesTried = 16;
constexpr size_t kDevicesVisited = 256;
constexpr int64_t kTriesMax = 200'000;

class Balancer {
 public:
  explicit Balancer(Arrangement& arrangement) : arrangement_(arrangement) {}

  void run() {
    find_over();
    if (over_.empty()) return;
    collect([&](uint32_t slot) { return arrangement_.excess(slot) > 0; });
    for (const uint32_t slot : over_) give_directly(slot);
    find_far_off();
    if (far_off_.empty()) return;
    collect([](uint32_t) { return true; });
    for (const uint32_t slot : over_) {
      while (arrangement_.excess(slot) > 0 && give_through_others(slot)) {
        std::erase_if(far_off_, [&](uint32_t each) { return !is_far_off(each); });
        if (far_off_.empty()) return;
      }
      if (tries_ > kTriesMax) return;
    }
  }

 private:
  void find_over() {
    for (uint32_t slot = 0; slot < arrangement_.topology().slots(); ++slot) {
      if (arrangement_.excess(slot) > 0) over_.push_back(slot);
    }
  }

  // Over or under its target by more than a fiftieth.
  bool is_far_off(uint32_t slot) const {
    const int64_t excess = arrangement_.excess(slot);
    return std::abs(excess) > (arrangement_.counts()[slot] - excess) / 50;
  }

  void find_far_off() {
    for (uint32_t slot = 0; slot < arrangement_.topology().slots(); ++slot) {
      if (is_far_off(slot)) far_off_.push_back(slot);
    }
  }

  // What the wanted slots hold, in random order.
  template <class Wanted>
  void collect(Wanted wanted) {
    held_.assign(arrangement_.topology().slots(), {});
    const wire::PgTable& table = arrangement_.table();
    for (uint32_t pg = 0; pg < table.size(); ++pg) {
      for (uint32_t i = 0; i < table.n(); ++i) {
        const uint32_t slot = arrangement_.slot({pg, i});
        if (slot != kNoSlot && wanted(slot)) held_[slot].push_back({pg, i});
      }
    }
    for (auto& positions : held_) shuffle(std::span(positions), arrangement_.random());
  }

  void give_directly(uint32_t slot) {
    std::ranges::partition(held_[slot],
                           [&](Position at) { return arrangement_.is_on_its_way(at); });
    for (const Position at : held_[slot]) {
      if (arrangement_.excess(slot) <= 0) return;
      const uint32_t to = arrangement_.choose(at, AnyDevice::kNo);
      if (to != kNoSlot) arrangement_.move(at, to);
    }
    for (const Position at : held_[slot]) {
      if (arrangement_.excess(slot) <= 0) return;
      if (arrangement_.slot(at) == slot) arrangement_.swap_with_source(at, AnyDevice::kNo);
    }
  }

  // Looks, breadth first, for the shortest chain of devices from `slot` to one that lacks, each of
  // which can pass a fragment on to the next. False when none was found.
  bool give_through_others(uint32_t slot) {
    steps_ = {{.slot = slot}};
    seen_.assign(arrangement_.topology().slots(), false);
    seen_[slot] = true;
    for (size_t i = 0; i < steps_.size() && i < kDevicesVisited; ++i) {
      size_t tried = 0;
      for (const Position at : held_[steps_[i].slot]) {
        if (arrangement_.slot(at) != steps_[i].slot) continue;
        if (++tried > kFragmentsTried || ++tries_ > kTriesMax) break;
        const uint32_t to = arrangement_.choose(at, AnyDevice::kNo);
        if (to != kNoSlot) {
          pass_on(i, at, to);
          return true;
        }
        for (const uint32_t next : arrangement_.choose_several(at, kDevicesTried)) {
          if (seen_[next]) continue;
          seen_[next] = true;
          steps_.push_back({.slot = next, .from = i, .fragment = at});
        }
      }
    }
    return false;
  }

  // The last fragment of the chain moves first. Where the others moved within the same group the
  // rest of the chain may be barred; then it is tried again from what is so far.
  void pass_on(size_t step, Position fragment, uint32_t to) {
    for (;; fragment = steps_[step].fragment, to = steps_[step].slot, step = steps_[step].from) {
      if (!arrangement_.may_hold(fragment, to)) return;
      arrangement_.move(fragment, to);
      held_[to].push_back(fragment);
      if (step == 0) return;
    }
  }

  // A device that a chain reaches, and the fragment that would come to it from the device before.
  struct Step {
    uint32_t slot = 0;
    size_t from = 0;
    Position fragment = {};
  };

  Arrangement& arrangement_;
  std::vector<uint32_t> over_, far_off_;
  std::vector<std::vector<Position>> held_;  // by slot; some may have moved since
  std::vector<Step> steps_;
  std::vector<bool> seen_;  // by slot
  int64_t tries_ = 0;
};

}  // namespace

void balance(Arrangement& arrangement) { Balancer(arrangement).run(); }

}  // namespace nacre::place
