#include "os/memory_stream.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "os/mutex.h"

namespace nacre::os {
namespace {

// One direction.
class Pipe {
 public:
  explicit Pipe(size_t limit) : limit_(limit) {}

  Result<size_t> read(MutableBytes into, int64_t timeout_ns) {
    const Lock lock(mutex_);
    while (bytes_.empty() && !closed_) {
      if (timeout_ns == 0) {
        changed_.wait(mutex_);
      } else if (!changed_.wait_for(mutex_, std::chrono::nanoseconds(timeout_ns)) &&
                 bytes_.empty() && !closed_) {
        return Error(Code::kTimeout, "read from memory");
      }
    }
    const size_t count = std::min(into.size(), bytes_.size());
    std::memcpy(into.data(), bytes_.data(), count);
    bytes_.erase(0, count);
    changed_.notify_all();
    return count;
  }

  Status write(ByteView bytes) {
    const Lock lock(mutex_);
    while (!bytes.empty()) {
      while (bytes_.size() >= limit_ && !closed_) changed_.wait(mutex_);
      if (closed_) return Error(Code::kUnavailable, "the other end in memory is closed");
      const size_t count = std::min(bytes.size(), limit_ - bytes_.size());
      bytes_.append(as_text(bytes.first(count)));
      bytes = bytes.subspan(count);
      changed_.notify_all();
    }
    return {};
  }

  bool has_room(size_t count) {
    const Lock lock(mutex_);
    return bytes_.size() + count <= limit_;
  }

  void close() {
    const Lock lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

 private:
  const size_t limit_;
  Mutex mutex_;
  CondVar changed_;
  std::string bytes_ GUARDED_BY(mutex_);
  bool closed_ GUARDED_BY(mutex_) = false;
};

class MemoryStream final : public ByteStream {
 public:
  MemoryStream(std::shared_ptr<Pipe> in, std::shared_ptr<Pipe> out)
      : in_(std::move(in)), out_(std::move(out)) {}
  ~MemoryStream() override { shutdown_both(); }

  Result<size_t> read_some(MutableBytes into) override { return in_->read(into, timeout_ns_); }
  Status write_all(std::span<const ByteView> parts) override {
    for (const ByteView part : parts) TRY(out_->write(part));
    return {};
  }
  bool can_write() override { return out_->has_room(64 * 1024); }
  void set_read_timeout(int64_t ns) override { timeout_ns_ = ns; }
  void shutdown() override { shutdown_both(); }
  const std::string& peer() const override { return peer_; }

 private:
  void shutdown_both() {
    in_->close();
    out_->close();
  }

  const std::shared_ptr<Pipe> in_;
  const std::shared_ptr<Pipe> out_;
  const std::string peer_ = "memory";
  int64_t timeout_ns_ = 0;
};

}  // namespace

std::pair<std::unique_ptr<ByteStream>, std::unique_ptr<ByteStream>> make_memory_streams(
    size_t buffer_bytes) {
  const auto there = std::make_shared<Pipe>(buffer_bytes);
  const auto back = std::make_shared<Pipe>(buffer_bytes);
  return {std::make_unique<MemoryStream>(there, back), std::make_unique<MemoryStream>(back, there)};
}

}  // namespace nacre::os
