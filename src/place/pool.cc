#include "place/pool.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace nacre::place {
namespace {

constexpr uint64_t kFragmentsPerDevice = 200;
constexpr uint64_t kMinPgCount = 4096;

// Whether a pool of that range would share no placement with another.
bool is_free(const wire::ClusterMap& map, const wire::Pool& pool) {
  return std::ranges::none_of(map.pools, [&](const wire::Pool& other) {
    return other.owns(pool.first_placement) || pool.owns(other.first_placement);
  });
}

}  // namespace

Status validate(const wire::ClusterMap& map) {
  if (std::string fault = wire::fault_of(map); !fault.empty()) {
    return Error(Code::kInvalid, "the cluster map contradicts itself: " + fault);
  }
  return {};
}

uint32_t choose_pg_count(const wire::ClusterMap& map, codec::ErasureCode code, uint8_t span_bits) {
  CHECK(code.is_valid() && span_bits <= wire::kPlacementBits);
  const uint64_t fragments = map.devices.size() * kFragmentsPerDevice;
  const uint64_t wanted = std::max(kMinPgCount, std::bit_ceil(fragments / code.n()));
  return static_cast<uint32_t>(std::min(wanted, uint64_t{1} << span_bits));
}

const wire::Pool* find_pool(const wire::ClusterMap& map, codec::ErasureCode code) {
  const auto found = std::ranges::find(map.pools, code, &wire::Pool::code);
  return found == map.pools.end() ? nullptr : &*found;
}

Result<wire::Pool> add_pool(wire::ClusterMap& map, codec::ErasureCode code) {
  CHECK(code.is_valid());
  if (const wire::Pool* const pool = find_pool(map, code)) {
    return Error(Code::kExists, fmt::format("pool {} protects its blocks by {} already", pool->id,
                                            codec::to_string(code)));
  }
  wire::Pool pool{.code = code};
  pool.span_bits = map.pools.empty() ? kDefaultPoolSpanBits : kOtherPoolSpanBits;
  pool.pg_count = choose_pg_count(map, code, pool.span_bits);
  pool.id = map.pools.empty() ? uint16_t{1} : static_cast<uint16_t>(map.pools.back().id + 1);
  for (uint64_t first = 0; first < wire::kPlacements; first += pool.span()) {
    pool.first_placement = static_cast<uint32_t>(first);
    if (pool.id == 0 || !is_free(map, pool)) continue;
    map.pools.push_back(pool);
    return pool;
  }
  return Error(Code::kNoSpace,
               fmt::format("no pool for {} can be made: the {} pools there are have all placements",
                           codec::to_string(code), map.pools.size()));
}

}  // namespace nacre::place
