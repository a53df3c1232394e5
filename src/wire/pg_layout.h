// The table of placement groups of one pool: which device holds which fragment of the blocks of
// each group, as a value and as bytes. It is stored in chunks of kPgsPerChunk groups, since a value
// in etcd may not be large. The bytes are described in docs/format/cluster.md; this is the only
// place that writes or reads them. Plain values: safe from any thread that does not share one.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/cluster_layout.h"

namespace nacre::wire {

// Among the sources: no device has the fragment, it is being rebuilt from the others.
inline constexpr DeviceNumber kLost{UINT32_MAX};

struct PlacementGroup {
  // For each of the n fragments the device that holds it, or is to hold it. kNoDevice: nobody yet.
  std::vector<DeviceNumber> devices = {};
  // For each fragment where it still is while it moves to its device, or kLost while it is rebuilt.
  // kNoDevice: it is in place, or the device is kNoDevice.
  std::vector<DeviceNumber> sources = {};
  uint64_t epoch = 0;  // of the map when the group changed last
  bool stale = false;  // some member may lack fragments; so it is whenever one is kLost
  friend bool operator==(const PlacementGroup&, const PlacementGroup&) = default;
};

// What is wrong with a group of a pool of `n` fragments, for people; empty when nothing is. No
// device may stand twice in a group, be it as a device or as a source.
std::string fault_of(const PlacementGroup& group, unsigned n);

// All groups of a pool, 9 + 8n bytes each.
class PgTable {
 public:
  // All positions empty.
  PgTable() = default;
  PgTable(uint16_t pool, unsigned n, uint32_t pg_count);
  explicit PgTable(const Pool& pool) : PgTable(pool.id, pool.code.n(), pool.pg_count) {}

  uint16_t pool() const { return pool_; }
  unsigned n() const { return n_; }
  uint32_t size() const { return static_cast<uint32_t>(epochs_.size()); }

  // Views of n positions each, valid until the table is assigned to.
  std::span<const DeviceNumber> devices(uint32_t pg) const {
    return std::span(devices_).subspan(size_t{pg} * n_, n_);
  }
  std::span<DeviceNumber> devices(uint32_t pg) {
    return std::span(devices_).subspan(size_t{pg} * n_, n_);
  }
  std::span<const DeviceNumber> sources(uint32_t pg) const {
    return std::span(sources_).subspan(size_t{pg} * n_, n_);
  }
  std::span<DeviceNumber> sources(uint32_t pg) {
    return std::span(sources_).subspan(size_t{pg} * n_, n_);
  }
  uint64_t epoch(uint32_t pg) const { return epochs_[pg]; }
  void set_epoch(uint32_t pg, uint64_t epoch) { epochs_[pg] = epoch; }
  bool stale(uint32_t pg) const { return stale_[pg] != 0; }
  void set_stale(uint32_t pg, bool stale) { stale_[pg] = stale ? 1 : 0; }

  PlacementGroup group(uint32_t pg) const;
  // `group` has n positions.
  void set_group(uint32_t pg, const PlacementGroup& group);

  friend bool operator==(const PgTable&, const PgTable&) = default;

 private:
  uint16_t pool_ = 0;
  unsigned n_ = 0;
  std::vector<DeviceNumber> devices_;
  std::vector<DeviceNumber> sources_;
  std::vector<uint64_t> epochs_;
  std::vector<uint8_t> stale_;
};

inline constexpr uint32_t kPgsPerChunk = 512;
// No chunk is longer: with varints of 5 bytes for 2 × 32 positions of each group.
inline constexpr size_t kMaxPgChunkBytes = 256 * 1024;
inline constexpr Features kKnownPgFeatures{};

inline uint32_t chunk_count_of(uint32_t pg_count) {
  return (pg_count + kPgsPerChunk - 1) / kPgsPerChunk;
}
inline uint32_t chunk_of(uint32_t pg) { return pg / kPgsPerChunk; }

// The groups from chunk × kPgsPerChunk on; none of them may have a fault.
std::string encode_pg_chunk(const PgTable& table, uint32_t chunk);
// Puts a chunk into the table it belongs to and gives its number. kCorrupt when it is no chunk, is
// damaged, contradicts itself or is of another table; kNewerFormat when it needs a later version of
// Nacre. The table then stays as it was.
Result<uint32_t> apply_pg_chunk(ByteView bytes, PgTable& table);

}  // namespace nacre::wire
