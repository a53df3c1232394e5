// A Store in memory: the oracle of the contract suite, and the store of simulations, where the
// threads of RocksDB cannot run. Keeps of each row the versions that some snapshot or iterator
// still sees. Nothing is durable; what is written lives as long as the object.
#pragma once

#include <map>
#include <set>

#include "kv/store.h"
#include "os/mutex.h"

namespace nacre::kv {

class MemoryStore final : public Store {
 public:
  MemoryStore() = default;
  ~MemoryStore() override;

  Result<std::optional<std::string>> get(Family family, std::string_view key,
                                         const Snapshot* at = nullptr) override;
  std::unique_ptr<Iterator> iterate(Family family, Range range,
                                    const Snapshot* at = nullptr) override;
  std::unique_ptr<Snapshot> snapshot() override;
  Status write(const Batch& batch, Durability durability) override;
  Status sync() override { return {}; }
  // memory_bytes counts keys and values of all versions kept.
  Result<Usage> usage() override;
  // Drops the versions that nothing sees any more.
  Status compact(Family family, Range range) override;
  Status verify(std::vector<std::string>& /*corrupt*/) override { return {}; }

 private:
  class MemorySnapshot;
  class MemoryIterator;
  using Moment = uint64_t;  // how many batches were written
  // What the row became at each moment, ascending; none: erased.
  using Versions = std::map<Moment, std::optional<std::string>>;
  using Rows = std::map<std::string, Versions, std::less<>>;

  Moment hold();
  Moment hold(Moment moment);
  void release(Moment moment);
  void drop_unseen(Versions& versions) REQUIRES(mutex_);
  static const std::string* value_at(const Versions& versions, Moment moment);
  static size_t index_of(Family family) { return static_cast<size_t>(family); }

  os::Mutex mutex_;
  std::array<Rows, kFamilyCount> families_ GUARDED_BY(mutex_);
  Moment now_ GUARDED_BY(mutex_) = 0;
  std::multiset<Moment> held_ GUARDED_BY(mutex_);  // by snapshots and iterators
};

}  // namespace nacre::kv
