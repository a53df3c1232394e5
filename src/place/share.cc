#include "place/share.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace nacre::place {
namespace {

// The level at which sum(level) reaches `wanted`, by bisection; `sum` never falls.
template <class Sum>
double level_of(double wanted, double lightest, Sum sum) {
  double low = 0, high = 1 / lightest;  // there every device is full
  for (int i = 0; i < 100 && low < high; ++i) {
    const double middle = low + (high - low) / 2;
    (sum(middle) < wanted ? low : high) = middle;
  }
  return high;
}

// Devices filled to a level: each to level × weight but at most 1, its node and its zone at most to
// their caps.
class Filling {
 public:
  explicit Filling(const Topology& topology) : topology_(topology) {
    for (uint32_t slot = 0; slot < topology.slots(); ++slot) {
      lightest_ = std::min(lightest_, topology.weight(slot));
    }
  }

  std::vector<double> shares() {
    shares_.resize(topology_.slots());
    const double level =
        level_of(topology_.capacity(), lightest_, [&](double each) { return all(each); });
    for (uint32_t zone = 0; zone < topology_.zones().size(); ++zone) settle_zone(zone, level);
    return std::move(shares_);
  }

 private:
  double devices(uint32_t node, double level) const {
    const SlotRange slots = topology_.nodes()[node];
    double sum = 0;
    for (uint32_t slot = slots.begin; slot < slots.end; ++slot) {
      sum += std::min(1.0, level * topology_.weight(slot));
    }
    return sum;
  }
  double node(uint32_t node, double level) const {
    return std::min<double>(topology_.node_cap(), devices(node, level));
  }
  double nodes(uint32_t zone, double level) const {
    const SlotRange nodes = topology_.zone_nodes()[zone];
    double sum = 0;
    for (uint32_t each = nodes.begin; each < nodes.end; ++each) sum += node(each, level);
    return sum;
  }
  double all(double level) const {
    double sum = 0;
    for (uint32_t zone = 0; zone < topology_.zones().size(); ++zone) {
      sum += std::min<double>(topology_.zone_cap(), nodes(zone, level));
    }
    return sum;
  }

  // A full zone, and then a full node, has a lower level of its own.
  void settle_zone(uint32_t zone, double level) {
    const double cap = topology_.zone_cap();
    if (nodes(zone, level) > cap) {
      level = level_of(cap, lightest_, [&](double each) { return nodes(zone, each); });
    }
    const SlotRange nodes = topology_.zone_nodes()[zone];
    for (uint32_t each = nodes.begin; each < nodes.end; ++each) settle_node(each, level);
  }
  void settle_node(uint32_t node, double level) {
    const double cap = topology_.node_cap();
    if (devices(node, level) > cap) {
      level = level_of(cap, lightest_, [&](double each) { return devices(node, each); });
    }
    const SlotRange slots = topology_.nodes()[node];
    for (uint32_t slot = slots.begin; slot < slots.end; ++slot) {
      shares_[slot] = std::min(1.0, level * topology_.weight(slot));
    }
  }

  const Topology& topology_;
  double lightest_ = INFINITY;
  std::vector<double> shares_;
};

// What one of several has a right to, what it may have at most and what it has now.
struct Claim {
  double wanted = 0;
  uint64_t cap = 0;
  uint64_t count = 0;
  uint64_t given = 0;
};

// Differences that come from rounding of doubles, in fragments.
constexpr double kNothing = 1e-4;

double fraction_of(const Claim& claim) { return claim.wanted - static_cast<double>(claim.given); }

// Gives out `total`: to each what it wants, rounded down or up.
void divide(std::vector<Claim>& claims, uint64_t total) {
  uint64_t sum = 0;
  for (Claim& claim : claims) {
    claim.given = std::min(claim.cap, static_cast<uint64_t>(claim.wanted + kNothing));
    sum += claim.given;
  }
  std::vector<Claim*> order;
  for (Claim& claim : claims) order.push_back(&claim);
  std::ranges::sort(order, [](const Claim* a, const Claim* b) {
    const auto rank = [](const Claim& claim) {
      return fraction_of(claim) < kNothing ? 2 : claim.count > claim.given ? 0 : 1;
    };
    const int ours = rank(*a), theirs = rank(*b);
    if (ours != theirs) return ours < theirs;
    return fraction_of(*a) != fraction_of(*b) ? fraction_of(*a) > fraction_of(*b) : a < b;
  });
  while (sum < total) {
    const uint64_t before = sum;
    for (Claim* const claim : order) {
      if (sum == total) break;
      if (claim->given == claim->cap) continue;
      ++claim->given;
      ++sum;
    }
    if (sum == before) break;
  }
  for (size_t i = order.size(); i-- > 0 && sum > total;) {
    if (order[i]->given == 0) continue;
    --order[i]->given;
    --sum;
  }
}

// Divides the fragments among zones, those of each among its nodes, those of each among its
// devices.
class Division {
 public:
  Division(const Topology& topology, uint32_t pg_count, std::span<const uint32_t> counts)
      : topology_(topology), pg_count_(pg_count), counts_(counts), shares_(shares_of(topology)) {}

  std::vector<uint32_t> targets() {
    targets_.resize(topology_.slots());
    std::vector<Claim> claims;
    for (const SlotRange zone : topology_.zones()) {
      claims.push_back(claim(zone, topology_.zone_cap()));
    }
    divide(claims, uint64_t{topology_.capacity()} * pg_count_);
    for (uint32_t zone = 0; zone < claims.size(); ++zone) divide_zone(zone, claims[zone].given);
    return std::move(targets_);
  }

 private:
  Claim claim(SlotRange slots, unsigned cap) const {
    Claim claim{.cap = std::min<uint64_t>(cap, slots.size()) * pg_count_};
    for (uint32_t slot = slots.begin; slot < slots.end; ++slot) {
      claim.wanted += shares_[slot] * pg_count_;
      claim.count += counts_[slot];
    }
    return claim;
  }
  void divide_zone(uint32_t zone, uint64_t total) {
    const SlotRange nodes = topology_.zone_nodes()[zone];
    std::vector<Claim> claims;
    for (uint32_t node = nodes.begin; node < nodes.end; ++node) {
      claims.push_back(claim(topology_.nodes()[node], topology_.node_cap()));
    }
    divide(claims, total);
    for (uint32_t i = 0; i < claims.size(); ++i) divide_node(nodes.begin + i, claims[i].given);
  }
  void divide_node(uint32_t node, uint64_t total) {
    const SlotRange slots = topology_.nodes()[node];
    std::vector<Claim> claims;
    for (uint32_t slot = slots.begin; slot < slots.end; ++slot) {
      claims.push_back(claim({slot, slot + 1}, 1));
    }
    divide(claims, total);
    for (uint32_t i = 0; i < claims.size(); ++i) {
      targets_[slots.begin + i] = static_cast<uint32_t>(claims[i].given);
    }
  }

  const Topology& topology_;
  const uint32_t pg_count_;
  const std::span<const uint32_t> counts_;
  const std::vector<double> shares_;
  std::vector<uint32_t> targets_;
};

}  // namespace

std::vector<double> shares_of(const Topology& topology) { return Filling(topology).shares(); }

std::vector<uint32_t> targets_of(const Topology& topology, uint32_t pg_count,
                                 std::span<const uint32_t> counts) {
  return Division(topology, pg_count, counts).targets();
}

}  // namespace nacre::place
