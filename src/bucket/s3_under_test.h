// An S3Bucket in front of a CannedServer, and what its answers look like. For tests.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <memory>
#include <string>
#include <utility>

#include "bucket/canned_server.h"
#include "bucket/digest.h"
#include "bucket/s3_bucket.h"

namespace nacre::bucket {

inline std::string etag_of(std::string_view bytes) {
  const ByteView parts[] = {as_bytes(bytes)};
  return "\"" + hex_of(md5_of(parts)) + "\"";
}

inline CannedAnswer refusal(int status, const std::string& code, const std::string& message = "m",
                            const std::string& more = "") {
  return {.status = status,
          .body = fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code>"
                              "<Message>{}</Message>{}</Error>",
                              code, message, more)};
}

class S3UnderTest : public testing::Test {
 protected:
  static constexpr const char* kSecret = "hunter2secret";
  static constexpr const char* kToken = "sessiontokenhunter2";

  void SetUp() override {
    // A proxy in the environment is not for loopback.
    ASSERT_EQ(::setenv("no_proxy", "127.0.0.1", 1), 0);
  }

  void serve(CannedServer::Answerer answer) {
    bucket_.reset();
    server_ = std::make_unique<CannedServer>(std::move(answer));
    open(server_->url());
  }
  void serve(CannedAnswer answer) {
    serve([answer = std::move(answer)](const CannedRequest&) { return answer; });
  }
  void open(const std::string& endpoint) {
    S3Options options = options_;
    options.endpoint = parse_endpoint(endpoint).take();
    options.bucket = parse_bucket_url("s3://bucket/volume").take();
    options.credentials = {
        .key_id = "AKIA", .secret = kSecret, .session_token = kToken, .origin = "the environment"};
    options.pacing = pacing_;
    auto opened = S3Bucket::open(std::move(options));
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    bucket_ = opened.take();
  }

  Status put(const std::string& key, std::string_view bytes) {
    const ByteView parts[] = {as_bytes(bytes)};
    return bucket_->put(key, parts);
  }
  Result<std::string> read(const std::string& key, uint64_t offset, size_t size) {
    std::string bytes(size, '?');
    TRY(bucket_->read(key, offset, as_writable_bytes(bytes)));
    return bytes;
  }
  Status list(std::string& keys) {
    return bucket_->list("", [&](const ObjectInfo& each) {
      keys += each.key + ":" + std::to_string(each.bytes) + " ";
      return true;
    });
  }
  template <class T>
  static void expect_error(const Result<T>& outcome, Code code, const std::string& words) {
    ASSERT_FALSE(outcome.ok());
    const std::string& context = outcome.error().context();
    EXPECT_EQ(outcome.code(), code) << context;
    EXPECT_THAT(context, testing::HasSubstr(words));
    EXPECT_THAT(context, testing::Not(testing::HasSubstr(kSecret)));
    EXPECT_THAT(context, testing::Not(testing::HasSubstr(kToken)));
  }

  S3Options options_ = {.connect_timeout = std::chrono::seconds(2),
                        .stall_timeout = std::chrono::seconds(1)};
  std::shared_ptr<Pacing> pacing_ = std::make_shared<Pacing>();
  std::unique_ptr<CannedServer> server_;
  std::unique_ptr<S3Bucket> bucket_;
};

}  // namespace nacre::bucket
