#include "rpc/buffer.h"

#include <array>
#include <bit>
#include <vector>

#include "base/units.h"
#include "os/mutex.h"

namespace nacre::rpc {
namespace {

constexpr size_t kSmallestKept = 64 * kKiB;
constexpr size_t kLargestKept = 8 * kMiB;
constexpr size_t kKeptBytesMax = 64 * kMiB;

// Free buffers of the whole process, by powers of two.
class Pool {
 public:
  std::byte* take(size_t capacity) {
    {
      const os::Lock lock(mutex_);
      auto& shelf = shelves_[shelf_of(capacity)];
      if (!shelf.empty()) {
        std::byte* const bytes = shelf.back();
        shelf.pop_back();
        kept_bytes_ -= capacity;
        return bytes;
      }
    }
    return new std::byte[capacity];
  }

  void give_back(std::byte* bytes, size_t capacity) {
    {
      const os::Lock lock(mutex_);
      if (kept_bytes_ + capacity <= kKeptBytesMax) {
        kept_bytes_ += capacity;
        shelves_[shelf_of(capacity)].push_back(bytes);
        return;
      }
    }
    delete[] bytes;
  }

 private:
  static size_t shelf_of(size_t capacity) {
    return static_cast<size_t>(std::countr_zero(capacity)) -
           static_cast<size_t>(std::countr_zero(kSmallestKept));
  }

  os::Mutex mutex_;  // a leaf
  std::array<std::vector<std::byte*>, 8> shelves_ GUARDED_BY(mutex_);
  size_t kept_bytes_ GUARDED_BY(mutex_) = 0;
};

// Never destroyed: buffers may come back while the process ends.
Pool& pool() {
  static Pool& kept = *new Pool;
  return kept;
}

bool is_kept(size_t capacity) { return capacity >= kSmallestKept && capacity <= kLargestKept; }

}  // namespace

Buffer::Buffer(size_t size) : size_(size) {
  if (size == 0) return;
  const size_t capacity = is_kept(size) ? std::bit_ceil(size) : size;
  std::byte* const bytes = is_kept(capacity) ? pool().take(capacity) : new std::byte[capacity];
  bytes_ = {bytes, Return{capacity}};
}

void Buffer::Return::operator()(std::byte* bytes) const {
  if (is_kept(capacity)) {
    pool().give_back(bytes, capacity);
  } else {
    delete[] bytes;
  }
}

}  // namespace nacre::rpc
