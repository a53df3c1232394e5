// Counts and logs what goes wrong on the way to blocks: a decorator in front of any block store.
// The caller sees the same error; the log says which block and where.
//
// Thread-safe. `below` outlives it.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "block/store.h"
#include "os/clock.h"
#include "os/mutex.h"

namespace nacre::node {

struct ReadErrors {
  uint64_t corrupt = 0;  // reads that failed a checksum
  uint64_t io = 0;       // reads, writes and syncs that the host refused
};

class WatchedStore final : public block::Store {
 public:
  WatchedStore(block::Store& below, os::Clock& clock) : below_(below), clock_(clock) {}

  Status put(BlockId id, std::span<const ByteView> parts) override;
  Status sync() override;
  Status read(BlockId id, uint64_t offset, MutableBytes into) override;
  void prefetch(BlockId id, uint64_t offset, uint64_t length) override {
    below_.prefetch(id, offset, length);
  }
  Status remove(BlockId id) override { return watch("remove", below_.remove(id)); }
  Result<block::BlockInfo> info(BlockId id) override { return below_.info(id); }
  Status list(const std::function<bool(BlockId, const block::BlockInfo&)>& visit) override {
    return below_.list(visit);
  }
  block::Space space() override { return below_.space(); }
  Result<uint64_t> clean(uint64_t bytes) override { return below_.clean(bytes); }

  ReadErrors errors() const;

 private:
  Status watch(const char* operation, Status status);
  bool may_log() EXCLUDES(mutex_);

  block::Store& below_;
  os::Clock& clock_;
  std::atomic<uint64_t> corrupt_ = 0;
  std::atomic<uint64_t> io_ = 0;
  os::Mutex mutex_;  // a leaf
  std::optional<int64_t> window_start_ns_ GUARDED_BY(mutex_);
  uint64_t logged_ GUARDED_BY(mutex_) = 0;  // in the window
};

}  // namespace nacre::node
