// A bucket of an S3 store, or of Backblaze B2 through its S3 dialect. Safe from any thread.
//
// One try for each call: RetryingBucket repeats. Objects of up to 16 MiB are one request; larger
// ones are uploaded in parts of 8 MiB, some at once, and appear when the last is there. With each
// request goes its MD5 and SHA-256, so that the store refuses what was damaged on the way, and the
// ETag that it answers with is compared with ours.
//
// A bucket that keeps versions, as those of Backblaze do unless told otherwise, keeps what was
// removed or replaced: its lifecycle rules must drop old versions.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>

#include "bucket/bucket.h"
#include "bucket/s3_client.h"

namespace nacre::bucket {

class S3Bucket final : public Bucket {
 public:
  // Connects when first used. kInvalid without key id or secret, or when they cannot be sent.
  static Result<std::unique_ptr<S3Bucket>> open(S3Options options);

  Status put(const std::string& key, std::span<const ByteView> parts) override;
  Status read(const std::string& key, uint64_t offset, MutableBytes into) override;
  Result<std::string> get(const std::string& key, uint64_t limit_bytes) override;
  Result<ObjectInfo> info(const std::string& key) override;
  Status list(const std::string& prefix,
              const std::function<bool(const ObjectInfo&)>& visit) override;
  Status remove(const std::string& key) override;
  void stop() override { client_.stop(); }
  Result<size_t> abort_stale_uploads(const std::string& prefix, std::chrono::seconds age) override;

 private:
  friend class MultipartUpload;

  explicit S3Bucket(S3Options options) : client_(std::move(options)) {}

  std::string whole(const std::string& key) const { return client_.options().bucket.prefix + key; }
  Status put_at_once(const std::string& key, std::span<const ByteView> parts);
  Result<ObjectInfo> info_by_get(const std::string& key);
  Result<std::string> list_page(const std::string& prefix, const std::string& token,
                                std::string& last, bool& ended,
                                const std::function<bool(const ObjectInfo&)>& visit);
  Status expect_stored(const std::string& key, std::span<const ByteView> parts);
  Status abort_upload(const std::string& whole_key, const std::string& id);

  S3Client client_;
  // Some stores make the ETags of uploads in parts in ways of their own. Once one was found to be
  // so although all of the object is there, they are no longer compared.
  std::atomic<bool> has_own_etags_ = false;
};

}  // namespace nacre::bucket
