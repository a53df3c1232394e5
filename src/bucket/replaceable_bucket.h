// A bucket in front of another that may be replaced at any time: by the same bucket with other
// credentials. Calls under way end with the one they began with. Safe from any thread.
#pragma once

#include <memory>
#include <string>

#include "bucket/bucket.h"
#include "os/mutex.h"

namespace nacre::bucket {

class ReplaceableBucket final : public Bucket {
 public:
  explicit ReplaceableBucket(std::unique_ptr<Bucket> below) : below_(std::move(below)) {}

  // The one before is stopped.
  void replace(std::unique_ptr<Bucket> below);

  Status put(const std::string& key, std::span<const ByteView> parts) override {
    return below()->put(key, parts);
  }
  Status read(const std::string& key, uint64_t offset, MutableBytes into) override {
    return below()->read(key, offset, into);
  }
  Result<std::string> get(const std::string& key, uint64_t limit_bytes) override {
    return below()->get(key, limit_bytes);
  }
  Result<ObjectInfo> info(const std::string& key) override { return below()->info(key); }
  Status list(const std::string& prefix,
              const std::function<bool(const ObjectInfo&)>& visit) override {
    return below()->list(prefix, visit);
  }
  Status remove(const std::string& key) override { return below()->remove(key); }
  Result<size_t> abort_stale_uploads(const std::string& prefix, std::chrono::seconds age) override {
    return below()->abort_stale_uploads(prefix, age);
  }
  void stop() override;

 private:
  std::shared_ptr<Bucket> below() const;

  mutable os::Mutex mutex_;  // a leaf
  std::shared_ptr<Bucket> below_ GUARDED_BY(mutex_);
  bool stopped_ GUARDED_BY(mutex_) = false;
};

}  // namespace nacre::bucket
