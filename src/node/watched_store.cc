#include "node/watched_store.h"

#include <spdlog/spdlog.h>

namespace nacre::node {
namespace {

// A dying disk must not fill the log.
constexpr int64_t kWindowNs = 60'000'000'000;
constexpr uint64_t kLinesPerWindow = 20;

}  // namespace

bool WatchedStore::may_log() {
  const int64_t now_ns = clock_.monotonic_ns();
  const os::Lock lock(mutex_);
  if (!window_start_ns_ || now_ns - *window_start_ns_ >= kWindowNs) {
    window_start_ns_ = now_ns;
    logged_ = 0;
  }
  return ++logged_ <= kLinesPerWindow;
}

Status WatchedStore::watch(const char* operation, Status status) {
  if (status.ok()) return status;
  const bool corrupt = status.code() == Code::kCorrupt;
  if (!corrupt && status.code() != Code::kIo) return status;
  ++(corrupt ? corrupt_ : io_);
  if (may_log()) spdlog::error("{} of blocks: {}", operation, status.error().to_string());
  return status;
}

Status WatchedStore::put(BlockId id, std::span<const ByteView> parts) {
  return watch("write", below_.put(id, parts));
}

Status WatchedStore::sync() { return watch("sync", below_.sync()); }

Status WatchedStore::read(BlockId id, uint64_t offset, MutableBytes into) {
  return watch("read", below_.read(id, offset, into));
}

ReadErrors WatchedStore::errors() const { return {corrupt_, io_}; }

}  // namespace nacre::node
