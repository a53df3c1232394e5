// A bucket in memory, for tests and simulation, with faults on demand. Safe from any thread.
//
//   MemoryBucket bucket;
//   bucket.fail_next(Operation::kPut, 2, Error(Code::kUnavailable, "away"));
//   bucket.damage_next_reads(1, Damage::kFlip);
#pragma once

#include <array>
#include <map>
#include <string>

#include "bucket/bucket.h"
#include "os/mutex.h"

namespace nacre::bucket {

enum class Operation { kPut, kRead, kGet, kInfo, kList, kRemove };
inline constexpr size_t kOperations = 6;

// What a failing call left behind.
enum class Effect {
  kNone,  // nothing was done
  kDone,  // it was done, but the answer was lost
};

// How read() and get() lie.
enum class Damage {
  kFlip,  // one bit is another
  kCut,   // the second half is missing: zeros in read(), a shorter string from get()
};

class MemoryBucket final : public Bucket {
 public:
  MemoryBucket() = default;

  Status put(const std::string& key, std::span<const ByteView> parts) override;
  Status read(const std::string& key, uint64_t offset, MutableBytes into) override;
  Result<std::string> get(const std::string& key, uint64_t limit_bytes) override;
  Result<ObjectInfo> info(const std::string& key) override;
  Status list(const std::string& prefix,
              const std::function<bool(const ObjectInfo&)>& visit) override;
  Status remove(const std::string& key) override;
  // There are none.
  Result<size_t> abort_stale_uploads(const std::string&, std::chrono::seconds) override {
    return size_t{0};
  }
  void stop() override;

  // The next `calls` of the kind end with `error`; replaces what was asked for that kind before.
  void fail_next(Operation operation, uint64_t calls, Error error, Effect effect = Effect::kNone);
  // All calls of the kind end so after the next `good` ones.
  void fail_from(Operation operation, uint64_t good, Error error, Effect effect = Effect::kNone);
  // The next `calls` of read() and get() succeed with wrong bytes.
  void damage_next_reads(uint64_t calls, Damage damage);
  // From now on listings leave out the `count` objects that were put last. Zero ends it.
  void hide_newest(size_t count);
  // From now on a put() with which there would be more than `bytes` ends with kNoSpace.
  void set_capacity(uint64_t bytes);
  // How often an operation was called.
  uint64_t calls(Operation operation) const;

 private:
  struct Object {
    std::string bytes = {};
    uint64_t put_number = 0;
  };
  struct Fault {
    uint64_t good = 0;  // that come before
    uint64_t calls = 0;
    Error error = Error(Code::kUnavailable);
    Effect effect = Effect::kNone;
  };
  using Objects = std::map<std::string, Object>;

  // Counts the call. The error that it ends with; `effect` says whether it is to be done first.
  Status begin(Operation operation, Effect& effect) REQUIRES(mutex_);
  Result<Objects::const_iterator> find(const std::string& key) const REQUIRES(mutex_);
  void damage(MutableBytes bytes, size_t& length) REQUIRES(mutex_);
  uint64_t bytes_with(const std::string& key, uint64_t bytes) const REQUIRES(mutex_);
  uint64_t last_listed() const REQUIRES(mutex_);

  // A leaf: nothing is called with it held.
  mutable os::Mutex mutex_;
  Objects objects_ GUARDED_BY(mutex_);
  uint64_t puts_ GUARDED_BY(mutex_) = 0;
  std::array<Fault, kOperations> faults_ GUARDED_BY(mutex_);
  std::array<uint64_t, kOperations> calls_ GUARDED_BY(mutex_) = {};
  uint64_t damaged_reads_ GUARDED_BY(mutex_) = 0;
  Damage damage_ GUARDED_BY(mutex_) = Damage::kFlip;
  size_t hidden_ GUARDED_BY(mutex_) = 0;
  uint64_t capacity_bytes_ GUARDED_BY(mutex_) = UINT64_MAX;
  bool stopped_ GUARDED_BY(mutex_) = false;
};

}  // namespace nacre::bucket
