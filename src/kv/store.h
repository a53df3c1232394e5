// Ordered rows: the one interface over RocksDB (rocks_store.h) and memory (memory_store.h). Both
// run the same contract suite (store_contract.h).
//
// A store has a fixed set of families, each an ordered map from byte strings to byte strings
// (memcmp order). Every method may be called from any thread. A write is atomic over all families.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nacre::kv {

// What each family holds is docs/format/rows.md.
enum class Family : uint8_t {
  kVolume,   // configuration, counters, snapshots, orphans: a few rows, no history
  kLive,     // the present: inodes, dentries, extents, attributes
  kPast,     // replaced rows: key and end sequence
  kChanges,  // sequence → time and keys touched
  kBlocks,   // block accounting: counts and owners
};
inline constexpr size_t kFamilyCount = 5;

// Rows to put and erase, applied together in order.
class Batch {
 public:
  struct Change {
    Family family;
    std::string key;
    std::optional<std::string> value;  // none: erase
  };
  void put(Family family, std::string key, std::string value) {
    bytes_ += key.size() + value.size();
    changes_.push_back({family, std::move(key), std::move(value)});
  }
  void erase(Family family, std::string key) {
    bytes_ += key.size();
    changes_.push_back({family, std::move(key), std::nullopt});
  }
  const std::vector<Change>& changes() const { return changes_; }
  bool empty() const { return changes_.empty(); }
  // Bytes of keys and values.
  size_t bytes() const { return bytes_; }

 private:
  std::vector<Change> changes_;
  size_t bytes_ = 0;
};

enum class Durability {
  kBuffered,  // ordered after earlier writes; a power cut may lose it with all that follow
  kSynced,    // survives a power cut on return, as do all earlier writes
};

// A position in one family, between [lower, upper). Not thread-safe. Sees the store as of its
// making (or of its snapshot), whatever is written later.
class Iterator {
 public:
  virtual ~Iterator() = default;
  virtual void seek(std::string_view key) = 0;           // first key ≥ key
  virtual void seek_for_prev(std::string_view key) = 0;  // last key ≤ key
  virtual void seek_to_first() = 0;
  virtual void next() = 0;
  virtual void prev() = 0;
  virtual bool valid() const = 0;
  // Valid until the next move.
  virtual std::string_view key() const = 0;
  virtual std::string_view value() const = 0;
  // kCorrupt or kIo when valid() turned false because of damage, not at the end.
  virtual Status status() const = 0;
};

// One moment of all families. Released when destroyed, before its store.
class Snapshot {
 public:
  virtual ~Snapshot() = default;
};

struct Range {
  std::string lower;  // inclusive
  std::string upper;  // exclusive; empty: no bound
};

struct Usage {
  uint64_t disk_bytes = 0;    // files of the store, with its write-ahead log
  uint64_t memory_bytes = 0;  // write buffers, caches and indexes
};

class Store {
 public:
  virtual ~Store() = default;
  // The value, none if the row does not exist. kCorrupt names the family and the damage.
  virtual Result<std::optional<std::string>> get(Family family, std::string_view key,
                                                 const Snapshot* at = nullptr) = 0;
  virtual std::unique_ptr<Iterator> iterate(Family family, Range range,
                                            const Snapshot* at = nullptr) = 0;
  virtual std::unique_ptr<Snapshot> snapshot() = 0;
  virtual Status write(const Batch& batch, Durability durability) = 0;
  // Makes all earlier buffered writes durable.
  virtual Status sync() = 0;
  virtual Result<Usage> usage() = 0;
  // Reclaims the space of erased rows in the range, now rather than later.
  virtual Status compact(Family family, Range range) = 0;
  // Reads and checks every row's stored checksum. `corrupt` receives one line per damaged file.
  virtual Status verify(std::vector<std::string>& corrupt) = 0;
};

// The smallest key greater than every key that starts with `prefix`; empty when there is none.
std::string prefix_end(std::string_view prefix);
// All keys that start with `prefix`.
inline Range prefix_range(std::string_view prefix) {
  return {std::string(prefix), prefix_end(prefix)};
}

}  // namespace nacre::kv
