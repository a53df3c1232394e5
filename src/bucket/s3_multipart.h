// One object, uploaded in parts. Private to S3Bucket, which outlives it.
#pragma once

#include <string>
#include <vector>

#include "bucket/digest.h"
#include "bucket/s3_bucket.h"

namespace nacre::bucket {

class MultipartUpload {
 public:
  MultipartUpload(S3Bucket& bucket, const std::string& key, std::span<const ByteView> parts);

  // Begins the upload, sends the parts, some at once, and completes it; aborts it when that fails,
  // so that nothing is left behind. What cannot be aborted, since the store is away, is left to
  // Bucket::abort_stale_uploads().
  Status run();

 private:
  Result<std::string> begin();
  Status send_parts();
  void send_some();
  Status send(size_t number);
  Result<HttpAnswer> complete();
  // Whether the store has what we sent.
  Status verify(const HttpAnswer& completed);
  S3Request request(const char* method, Query query) const;

  S3Bucket& bucket_;
  const std::string key_;
  const std::span<const ByteView> bytes_;
  uint64_t total_ = 0;
  std::string id_;
  std::vector<Md5> sums_;           // each written by the thread that sends the part
  std::vector<std::string> etags_;  // likewise

  // A leaf: hands out parts and keeps the first error.
  os::Mutex mutex_;
  size_t next_ GUARDED_BY(mutex_) = 0;
  Status outcome_ GUARDED_BY(mutex_);
};

}  // namespace nacre::bucket
