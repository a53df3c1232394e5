#include "bucket/replaceable_bucket.h"

#include <utility>

namespace nacre::bucket {

std::shared_ptr<Bucket> ReplaceableBucket::below() const {
  const os::Lock lock(mutex_);
  return below_;
}

void ReplaceableBucket::replace(std::unique_ptr<Bucket> below) {
  std::shared_ptr<Bucket> before = std::move(below);
  {
    const os::Lock lock(mutex_);
    std::swap(before, below_);
    if (stopped_) below_->stop();
  }
  before->stop();
}

void ReplaceableBucket::stop() {
  const os::Lock lock(mutex_);
  stopped_ = true;
  below_->stop();
}

}  // namespace nacre::bucket
