// Uploads in parts, against a small store of canned answers.
#include <algorithm>
#include <atomic>
#include <map>

#include "bucket/s3_sums.h"
#include "bucket/s3_under_test.h"
#include "bucket/test_bytes.h"
#include "os/mutex.h"

namespace nacre::bucket {
namespace {

using testing::HasSubstr;

// What a store does with uploads in parts, and how it goes wrong.
class PartsStore {
 public:
  CannedAnswer answer(const CannedRequest& request) {
    const os::Lock lock(mutex);
    if (request.is("POST", "?uploads=")) {
      return {.body =
                  "<InitiateMultipartUploadResult><UploadId>u/1+</UploadId>"
                  "</InitiateMultipartUploadResult>"};
    }
    if (request.is("PUT", "partNumber=")) return part(request);
    if (request.is("POST", "?uploadId=u%2F1%2B")) return complete();
    if (request.is("DELETE", "?uploadId=u%2F1%2B")) {
      ++aborts;
      return {.status = 204};
    }
    if (request.method == "HEAD")
      return {.headers = {{"Content-Length", std::to_string(object.size())}}};
    return range(request);
  }

  os::Mutex mutex;
  std::map<int, std::string> received = {};
  std::string object = {};
  int aborts = 0;
  int failing_part = 0;       // its number
  std::string own_etag = {};  // instead of the right one
  bool damages = false;
  CannedAnswer completed_with = {};

 private:
  CannedAnswer part(const CannedRequest& request) {
    const size_t at = request.target.find("partNumber=") + 11;
    const int number = request.target[at] - '0';
    if (number == failing_part) return refusal(500, "InternalError");
    received[number] = request.body;
    return {.headers = {{"ETag", etag_of(request.body)}}};
  }
  CannedAnswer complete() {
    if (!completed_with.body.empty()) return completed_with;
    std::vector<Md5> sums;
    for (const auto& [number, bytes] : received) {
      object += bytes;
      const ByteView parts[] = {as_bytes(bytes)};
      sums.push_back(md5_of(parts));
    }
    if (damages) object[object.size() / 2] ^= 1;
    const std::string etag = own_etag.empty() ? multipart_etag(sums) : own_etag;
    return {.body = fmt::format("<CompleteMultipartUploadResult><ETag>&quot;{}&quot;</ETag>"
                                "</CompleteMultipartUploadResult>",
                                etag)};
  }
  CannedAnswer range(const CannedRequest& request) {
    const std::string& range = request.headers.at("range");
    const size_t first = std::stoul(range.substr(6));
    const size_t last = std::stoul(range.substr(range.find('-') + 1));
    return {
        .status = 206,
        .headers = {{"Content-Range", fmt::format("bytes {}-{}/{}", first, last, object.size())}},
        .body = object.substr(first, last - first + 1)};
  }
};

class S3Parts : public S3UnderTest {
 protected:
  void SetUp() override {
    S3UnderTest::SetUp();
    options_.stall_timeout = std::chrono::seconds(20);
    serve([this](const CannedRequest& request) { return store_.answer(request); });
  }
  ~S3Parts() override { server_.reset(); }
  size_t requests_of(const std::string& method) const {
    size_t count = 0;
    for (const CannedRequest& each : server_->requests()) count += each.method == method ? 1 : 0;
    return count;
  }

  PartsStore store_;
  const std::string bytes_ = noise(20 * kMiB + 5);
};

TEST_F(S3Parts, AreOfEightMebibytesAndMakeTheWhole) {
  const Status done = put("large", bytes_);
  ASSERT_TRUE(done.ok()) << done.error().to_string();
  EXPECT_TRUE(store_.object == bytes_);
  ASSERT_EQ(store_.received.size(), 3u);
  EXPECT_EQ(store_.received[1].size(), 8 * kMiB);
  EXPECT_EQ(store_.received[3].size(), 4 * kMiB + 5);
  EXPECT_EQ(store_.aborts, 0);
  EXPECT_EQ(requests_of("GET"), 0u);
  for (const CannedRequest& each : server_->requests()) {
    EXPECT_EQ(each.headers.contains("content-md5"), each.method == "PUT");
    if (each.is("POST", "?uploadId=")) {
      EXPECT_THAT(each.body, HasSubstr("<Part><PartNumber>3</PartNumber><ETag>\""));
    }
  }
}

TEST_F(S3Parts, AreSentAtOnceUpToABound) {
  options_.parallel_parts = 2;
  std::atomic<int> now = 0;
  std::atomic<int> most = 0;
  os::Mutex mutex;
  os::CondVar changed;
  serve([&](const CannedRequest& request) {
    if (request.method != "PUT") return store_.answer(request);
    {
      const os::Lock lock(mutex);
      most = std::max<int>(most, ++now);
      // The others have the time to come.
      changed.wait_for(mutex, std::chrono::milliseconds(300));
      --now;
    }
    return store_.answer(request);
  });
  ASSERT_TRUE(put("large", bytes_).ok());
  EXPECT_EQ(most, 2);
  server_.reset();
}

TEST_F(S3Parts, WhatIsOnTheBorderIsOneRequest) {
  const auto serve_whole = [](const CannedRequest& request) {
    return CannedAnswer{.headers = {{"ETag", etag_of(request.body)}}};
  };
  serve(serve_whole);
  EXPECT_TRUE(put("border", std::string_view(bytes_).substr(0, kAtOnceBytesMax)).ok());
  EXPECT_EQ(server_->requests().size(), 1u);
}

TEST_F(S3Parts, AnUploadThatFailsIsEnded) {
  store_.failing_part = 2;
  expect_error(put("large", bytes_), Code::kUnavailable, "InternalError");
  EXPECT_EQ(store_.aborts, 1);
  EXPECT_EQ(store_.object, "");
}

TEST_F(S3Parts, AnErrorInASuccessIsAnError) {
  store_.completed_with = {.body = "<Error><Code>InternalError</Code></Error>"};
  expect_error(put("large", bytes_), Code::kUnavailable, "InternalError");
  EXPECT_EQ(store_.aborts, 1);
  store_.completed_with = {.body = "<CompleteMultipartUploadResult/>"};
  expect_error(put("large", bytes_), Code::kCorrupt, "no ETag");
}

TEST_F(S3Parts, OtherBytesAtTheStoreAreFound) {
  store_.damages = true;
  store_.own_etag = std::string(32, 'a') + "-3";
  expect_error(put("large", bytes_), Code::kCorrupt, "other bytes than were sent");
  EXPECT_EQ(store_.aborts, 1);
}

TEST_F(S3Parts, AStoreWithETagsOfItsOwnIsReadBackOnce) {
  store_.own_etag = "of-our-own";
  ASSERT_TRUE(put("large", bytes_).ok());
  EXPECT_EQ(requests_of("GET"), 3u);
  store_.object.clear();
  ASSERT_TRUE(put("large", bytes_).ok());
  EXPECT_EQ(requests_of("GET"), 3u);
}

TEST_F(S3Parts, AnETagOfTheWholeIsGood) {
  store_.own_etag = etag_of(bytes_).substr(1, 32);
  ASSERT_TRUE(put("large", bytes_).ok());
  EXPECT_EQ(requests_of("GET"), 0u);
}

TEST_F(S3Parts, StaleUploadsAreEnded) {
  os::ManualClock clock({1'767'323'045'000'000'000});  // 2026-01-02T03:04:05Z
  options_.clock = &clock;
  std::vector<std::string> ended;
  os::Mutex mutex;
  const auto upload = [](const std::string& key, const std::string& id, const std::string& began) {
    return fmt::format(
        "<Upload><Key>{}</Key><UploadId>{}</UploadId><Initiated>{}</Initiated>"
        "</Upload>",
        key, id, began);
  };
  serve([&](const CannedRequest& request) -> CannedAnswer {
    if (request.method == "DELETE") {
      const os::Lock lock(mutex);
      ended.push_back(request.target);
      return {.status = 204};
    }
    if (request.target.find("key-marker=volume%2Fb") != std::string::npos) {
      return {.body = "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>" +
                      upload("volume/pack/c", "3", "2026-01-01T00:00:00.000Z") +
                      upload("elsewhere/d", "4", "2026-01-01T00:00:00.000Z") +
                      "</ListMultipartUploadsResult>"};
    }
    return {.body =
                "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated>"
                "<NextKeyMarker>volume/b</NextKeyMarker>"
                "<NextUploadIdMarker>2</NextUploadIdMarker>" +
                upload("volume/pack/a", "1", "2026-01-02T02:04:05.000Z") +
                upload("volume/pack/b", "2", "2026-01-02T02:04:06.000Z") +
                "</ListMultipartUploadsResult>"};
  });
  const auto count = bucket_->abort_stale_uploads("pack/", std::chrono::hours(1));
  ASSERT_TRUE(count.ok()) << count.error().to_string();
  EXPECT_EQ(*count, 2u);
  EXPECT_THAT(ended, testing::ElementsAre("/bucket/volume/pack/a?uploadId=1",
                                          "/bucket/volume/pack/c?uploadId=3"));
  EXPECT_THAT(server_->requests().at(0).target,
              HasSubstr("/bucket?prefix=volume%2Fpack%2F&uploads="));
}

TEST(Slice, IsAnyPartOfTheWhole) {
  const ByteView parts[] = {as_bytes("abc"), {}, as_bytes("d"), as_bytes("efgh")};
  const auto text = [&](uint64_t offset, uint64_t length) {
    std::string joined;
    for (const ByteView part : slice(parts, offset, length)) joined += as_text(part);
    return joined;
  };
  const std::string whole = "abcdefgh";
  for (uint64_t offset = 0; offset <= 8; ++offset) {
    for (uint64_t length = 0; length <= 8 - offset; ++length) {
      EXPECT_EQ(text(offset, length), whole.substr(offset, length));
    }
  }
}

}  // namespace
}  // namespace nacre::bucket
