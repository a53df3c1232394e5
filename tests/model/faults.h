// Calls of a store that fail on request: the n-th from now, once, as when the disk is full or
// broken. Safe from any thread.
#pragma once

#include <optional>
#include <utility>

#include "base/result.h"
#include "kv/store.h"
#include "os/mutex.h"

namespace nacre::model {

class Faults {
 public:
  // The n-th call from now fails; 0: none does.
  void arm(uint64_t calls, Code code = Code::kNoSpace) {
    const os::Lock lock(mutex_);
    left_ = calls;
    code_ = code;
    struck_.reset();
  }
  // A store asks before it does anything.
  Status call() {
    const os::Lock lock(mutex_);
    if (left_ == 0) return {};
    --left_;
    if (left_ != 0) return {};
    struck_ = code_;
    return Error(code_, "by request");
  }
  // What failed with, if the fault struck since the last time this was asked.
  std::optional<Code> take_struck() {
    const os::Lock lock(mutex_);
    return std::exchange(struck_, std::nullopt);
  }

 private:
  os::Mutex mutex_;
  uint64_t left_ GUARDED_BY(mutex_) = 0;
  Code code_ GUARDED_BY(mutex_) = Code::kNoSpace;
  std::optional<Code> struck_ GUARDED_BY(mutex_);
};

// Rows whose writes fail on request.
class FaultyRows final : public kv::Store {
 public:
  FaultyRows(kv::Store& store, Faults& faults) : store_(store), faults_(faults) {}

  Result<std::optional<std::string>> get(kv::Family family, std::string_view key,
                                         const kv::Snapshot* at) override {
    return store_.get(family, key, at);
  }
  std::unique_ptr<kv::Iterator> iterate(kv::Family family, kv::Range range,
                                        const kv::Snapshot* at) override {
    return store_.iterate(family, std::move(range), at);
  }
  std::unique_ptr<kv::Snapshot> snapshot() override { return store_.snapshot(); }
  Status write(const kv::Batch& batch, kv::Durability durability) override {
    TRY(faults_.call());
    return store_.write(batch, durability);
  }
  Status sync() override {
    TRY(faults_.call());
    return store_.sync();
  }
  Result<kv::Usage> usage() override { return store_.usage(); }
  Status compact(kv::Family family, kv::Range range) override {
    return store_.compact(family, std::move(range));
  }
  Status verify(std::vector<std::string>& corrupt) override { return store_.verify(corrupt); }

 private:
  kv::Store& store_;
  Faults& faults_;
};

}  // namespace nacre::model
