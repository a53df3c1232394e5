#include "bucket/memory_bucket.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "bucket/key.h"

namespace nacre::bucket {
namespace {

Error missing(const std::string& key) {
  return Error(Code::kNotFound, fmt::format("{} is not in the bucket in memory", key));
}

}  // namespace

Status MemoryBucket::begin(Operation operation, Effect& effect) {
  const auto index = static_cast<size_t>(operation);
  ++calls_[index];
  if (stopped_) return Error(Code::kCancelled, "the bucket in memory was stopped");
  Fault& fault = faults_[index];
  if (fault.calls == 0) return {};
  if (fault.good > 0) {
    --fault.good;
    return {};
  }
  --fault.calls;
  effect = fault.effect;
  return fault.error;
}

Status MemoryBucket::put(const std::string& key, std::span<const ByteView> parts) {
  TRY(check_key(key));
  uint64_t total = 0;
  for (const ByteView part : parts) total += part.size();
  if (total > kMaxObjectBytes) {
    return Error(Code::kTooBig, fmt::format("{}: {} bytes are too many", key, total));
  }
  std::string bytes;
  bytes.reserve(total);
  for (const ByteView part : parts) bytes += as_text(part);
  const os::Lock lock(mutex_);
  Effect effect = Effect::kNone;
  Status begun = begin(Operation::kPut, effect);
  if (begun.ok() && bytes_with(key, total) > capacity_bytes_) {
    return Error(Code::kNoSpace, "the bucket in memory is full");
  }
  if (begun.ok() || effect == Effect::kDone) objects_[key] = {std::move(bytes), ++puts_};
  return begun;
}

// Bytes of all objects, if that one had so many.
uint64_t MemoryBucket::bytes_with(const std::string& key, uint64_t bytes) const {
  for (const auto& [other, object] : objects_) bytes += other == key ? 0 : object.bytes.size();
  return bytes;
}

void MemoryBucket::set_capacity(uint64_t bytes) {
  const os::Lock lock(mutex_);
  capacity_bytes_ = bytes;
}

Status MemoryBucket::read(const std::string& key, uint64_t offset, MutableBytes into) {
  TRY(check_key(key));
  const os::Lock lock(mutex_);
  Effect effect = Effect::kNone;
  TRY(begin(Operation::kRead, effect));
  const auto found = TRY(find(key));
  const std::string& bytes = found->second.bytes;
  if (offset > bytes.size() || into.size() > bytes.size() - offset) {
    return Error(Code::kOutOfRange, fmt::format("{} has {} bytes", key, bytes.size()));
  }
  if (into.empty()) return {};
  std::memcpy(into.data(), bytes.data() + offset, into.size());
  size_t length = into.size();
  damage(into, length);
  std::memset(into.data() + length, 0, into.size() - length);
  return {};
}

Result<std::string> MemoryBucket::get(const std::string& key, uint64_t limit_bytes) {
  TRY(check_key(key));
  const os::Lock lock(mutex_);
  Effect effect = Effect::kNone;
  TRY(begin(Operation::kGet, effect));
  const auto found = TRY(find(key));
  std::string bytes = found->second.bytes;
  if (bytes.size() > limit_bytes) {
    return Error(Code::kTooBig, fmt::format("{} has {} bytes, more than the {} expected", key,
                                            bytes.size(), limit_bytes));
  }
  size_t length = bytes.size();
  damage(as_writable_bytes(bytes), length);
  bytes.resize(length);
  return bytes;
}

Result<ObjectInfo> MemoryBucket::info(const std::string& key) {
  TRY(check_key(key));
  const os::Lock lock(mutex_);
  Effect effect = Effect::kNone;
  TRY(begin(Operation::kInfo, effect));
  const auto found = TRY(find(key));
  return ObjectInfo{key, found->second.bytes.size()};
}

Status MemoryBucket::list(const std::string& prefix,
                          const std::function<bool(const ObjectInfo&)>& visit) {
  TRY(check_prefix(prefix));
  std::vector<ObjectInfo> listed;
  {
    const os::Lock lock(mutex_);
    Effect effect = Effect::kNone;
    TRY(begin(Operation::kList, effect));
    const uint64_t last = last_listed();
    for (auto each = objects_.lower_bound(prefix);
         each != objects_.end() && each->first.starts_with(prefix); ++each) {
      if (each->second.put_number <= last) {
        listed.push_back({each->first, each->second.bytes.size()});
      }
    }
  }
  for (const ObjectInfo& each : listed) {
    if (!visit(each)) break;
  }
  return {};
}

Status MemoryBucket::remove(const std::string& key) {
  TRY(check_key(key));
  const os::Lock lock(mutex_);
  Effect effect = Effect::kNone;
  Status begun = begin(Operation::kRemove, effect);
  if (begun.ok() || effect == Effect::kDone) objects_.erase(key);
  return begun;
}

void MemoryBucket::stop() {
  const os::Lock lock(mutex_);
  stopped_ = true;
}

void MemoryBucket::fail_next(Operation operation, uint64_t calls, Error error, Effect effect) {
  const os::Lock lock(mutex_);
  faults_[static_cast<size_t>(operation)] = {0, calls, std::move(error), effect};
}

void MemoryBucket::fail_from(Operation operation, uint64_t good, Error error, Effect effect) {
  const os::Lock lock(mutex_);
  faults_[static_cast<size_t>(operation)] = {good, UINT64_MAX, std::move(error), effect};
}

void MemoryBucket::damage_next_reads(uint64_t calls, Damage damage) {
  const os::Lock lock(mutex_);
  damaged_reads_ = calls;
  damage_ = damage;
}

void MemoryBucket::hide_newest(size_t count) {
  const os::Lock lock(mutex_);
  hidden_ = count;
}

uint64_t MemoryBucket::calls(Operation operation) const {
  const os::Lock lock(mutex_);
  return calls_[static_cast<size_t>(operation)];
}

Result<MemoryBucket::Objects::const_iterator> MemoryBucket::find(const std::string& key) const {
  const auto found = objects_.find(key);
  if (found == objects_.end()) return missing(key);
  return found;
}

void MemoryBucket::damage(MutableBytes bytes, size_t& length) {
  if (damaged_reads_ == 0 || bytes.empty()) return;
  --damaged_reads_;
  if (damage_ == Damage::kCut) {
    length = bytes.size() / 2;
  } else {
    bytes[bytes.size() / 2] ^= std::byte{1};
  }
}

// The number of the newest put that listings show.
uint64_t MemoryBucket::last_listed() const {
  std::vector<uint64_t> numbers;
  for (const auto& [key, object] : objects_) numbers.push_back(object.put_number);
  if (hidden_ == 0) return UINT64_MAX;
  if (hidden_ >= numbers.size()) return 0;
  std::ranges::sort(numbers);
  return numbers[numbers.size() - hidden_ - 1];
}

}  // namespace nacre::bucket
