// S3Bucket against canned answers: what it sends, and what it makes of what comes.
#include "bucket/s3_bucket.h"

#include "bucket/s3_under_test.h"
#include "bucket/xml.h"
#include "os/thread.h"

namespace nacre::bucket {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

class S3 : public S3UnderTest {};

TEST_F(S3, APutCarriesItsSumsAndASignature) {
  serve({.headers = {{"ETag", etag_of("bytes")}}});
  ASSERT_TRUE(put("a/b", "bytes").ok());
  const CannedRequest request = server_->requests().at(0);
  EXPECT_EQ(request.method, "PUT");
  EXPECT_EQ(request.target, "/bucket/volume/a/b");
  EXPECT_EQ(request.body, "bytes");
  const ByteView parts[] = {as_bytes("bytes")};
  EXPECT_EQ(request.headers.at("content-md5"), base64_of(md5_of(parts)));
  EXPECT_EQ(request.headers.at("x-amz-content-sha256"), hex_of(sha256_of(parts)));
  EXPECT_EQ(request.headers.at("x-amz-security-token"), kToken);
  EXPECT_FALSE(request.headers.contains("expect"));
  EXPECT_THAT(request.headers.at("authorization"),
              MatchesRegex("AWS4-HMAC-SHA256 Credential=AKIA/[0-9]+/us-east-1/s3/aws4_request,"
                           "SignedHeaders=content-md5;host;x-amz-content-sha256;x-amz-date;"
                           "x-amz-security-token,Signature=[0-9a-f]+"));
}

TEST_F(S3, ABucketMayBePartOfTheHost) {
  options_.virtual_hosted = true;
  options_.region = "eu-west-1";
  server_ = std::make_unique<CannedServer>(
      [](const CannedRequest&) { return CannedAnswer{.headers = {{"ETag", etag_of("x")}}}; });
  const std::string port = server_->url().substr(server_->url().rfind(':'));
  // Every name below localhost is loopback.
  open("http://localhost" + port);
  const Status done = put("a", "x");
  ASSERT_TRUE(done.ok()) << done.error().to_string();
  const CannedRequest request = server_->requests().at(0);
  EXPECT_EQ(request.target, "/volume/a");
  EXPECT_EQ(request.headers.at("host"), "bucket.localhost" + port);
  EXPECT_THAT(request.headers.at("authorization"), HasSubstr("/eu-west-1/s3/"));
}

TEST_F(S3, APutThatTheStoreHasOtherwiseIsCorrupt) {
  serve({.headers = {{"ETag", etag_of("other")}}});
  expect_error(put("a", "bytes"), Code::kCorrupt, "other bytes than were sent");
  serve(CannedAnswer{});
  expect_error(put("a", "bytes"), Code::kCorrupt, "no ETag");
}

TEST_F(S3, AnETagThatIsNoMd5IsNotCompared) {
  serve({.headers = {{"ETag", etag_of("other")}, {"x-amz-server-side-encryption", "aws:kms"}}});
  EXPECT_TRUE(put("a", "bytes").ok());
  serve({.headers = {{"ETag", "\"something-else\""}}});
  EXPECT_TRUE(put("a", "bytes").ok());
}

TEST_F(S3, AGetIsComparedWithItsETag) {
  serve({.headers = {{"ETag", etag_of("bytes")}}, .body = "bytes"});
  EXPECT_EQ(*bucket_->get("a", 100), "bytes");
  serve({.headers = {{"ETag", etag_of("bytes")}}, .body = "bytez"});
  expect_error(bucket_->get("a", 100), Code::kCorrupt, "not what its ETag says");
}

TEST_F(S3, AnAnswerIsNeverLongerThanItsBound) {
  serve({.body = std::string(1 << 20, 'x')});
  expect_error(bucket_->get("a", 100), Code::kTooBig, "more than the 100 bytes");
  expect_error(bucket_->get("a", 100000), Code::kTooBig, "more than the 100000 bytes");
  serve({.status = 500, .body = std::string(1 << 20, 'x')});
  expect_error(bucket_->get("a", 100), Code::kUnavailable, "HTTP 500");
}

TEST_F(S3, HeadersAreBounded) {
  CannedAnswer answer;
  for (int i = 0; i < 2000; ++i) answer.headers[fmt::format("x-{}", i)] = std::string(50, 'x');
  serve(answer);
  expect_error(bucket_->get("a", 100), Code::kCorrupt, "headers over all bounds");
}

TEST_F(S3, ARangeMustBeTheOneAskedFor) {
  const auto answer = [&](int status, const std::string& range, const std::string& body) {
    serve({.status = status, .headers = {{"Content-Range", range}}, .body = body});
    return read("a", 100, 4);
  };
  EXPECT_EQ(*answer(206, "bytes 100-103/1000", "abcd"), "abcd");
  EXPECT_EQ(server_->requests().at(0).headers.at("range"), "bytes=100-103");
  expect_error(answer(206, "bytes 0-3/1000", "abcd"), Code::kCorrupt, "another range");
  expect_error(answer(206, "bytes 100/1000", "abcd"), Code::kCorrupt, "another range");
  expect_error(answer(200, "", "abcd"), Code::kCorrupt, "not the range");
  expect_error(answer(206, "bytes 100-103/1000", "abc"), Code::kCorrupt, "cut off");
  expect_error(answer(206, "bytes 100-101/102", "ab"), Code::kOutOfRange, "ends at 102");
  EXPECT_EQ(*answer(206, "bytes 100-999/1000", std::string(900, 'x')), "xxxx");
  serve(refusal(416, "InvalidRange"));
  expect_error(read("a", 100, 4), Code::kOutOfRange, "shorter");
}

TEST_F(S3, AnAnswerThatBreaksOffIsCorrupt) {
  serve({.status = 206,
         .headers = {{"Content-Range", "bytes 0-99/1000"}},
         .body = std::string(100, 'x'),
         .body_bytes_sent = 50});
  expect_error(read("a", 0, 100), Code::kCorrupt, "cut off");
  serve({.body = std::string(100, 'x'), .body_bytes_sent = 50});
  expect_error(bucket_->get("a", 1000), Code::kCorrupt, "cut off");
}

TEST_F(S3, AStoreThatIsNotThereIsUnavailable) {
  const auto away = os::TcpListener::listen({"127.0.0.1", 0});
  const uint16_t port = (*away)->port();
  (*away)->close();
  open(fmt::format("http://127.0.0.1:{}", port));
  expect_error(put("a", "bytes"), Code::kUnavailable, "cannot be reached");
  open("http://no-such-host.invalid");
  expect_error(put("a", "bytes"), Code::kUnavailable, "no-such-host.invalid");
  serve({.hangs_up = true});
  expect_error(put("a", "bytes"), Code::kUnavailable, "broke the connection");
}

TEST_F(S3, AStoreThatSaysNothingIsUnavailableAfterAWhile) {
  serve({.is_silent = true});
  const int64_t began_ns = os::real_clock().monotonic_ns();
  expect_error(bucket_->get("a", 10), Code::kUnavailable, "does not answer, or too slowly");
  EXPECT_LT(os::real_clock().monotonic_ns() - began_ns, 10'000'000'000);
}

TEST_F(S3, StopEndsCallsUnderWayAndThoseThatWaitForTheirTurn) {
  options_.stall_timeout = std::chrono::seconds(60);
  options_.connections_max = 2;
  serve({.is_silent = true});
  const int64_t began_ns = os::real_clock().monotonic_ns();
  {
    std::vector<os::Thread> calls;
    for (int i = 0; i < 4; ++i) {
      calls.emplace_back(
          "call", [this] { expect_error(bucket_->get("a", 10), Code::kCancelled, "stopped"); });
    }
    while (server_->requests().size() < 2) {
    }
    bucket_->stop();
  }
  EXPECT_LT(os::real_clock().monotonic_ns() - began_ns, 10'000'000'000);
  EXPECT_EQ(server_->requests().size(), 2u);
  expect_error(put("a", "x"), Code::kCancelled, "stopped");
}

TEST_F(S3, ConnectionsAreUsedAgainAndBounded) {
  options_.connections_max = 3;
  serve({.headers = {{"ETag", etag_of("x")}}});
  {
    std::vector<os::Thread> calls;
    for (int i = 0; i < 8; ++i) {
      calls.emplace_back("call", [this] {
        for (int n = 0; n < 20; ++n) EXPECT_TRUE(put("a", "x").ok());
      });
    }
  }
  EXPECT_EQ(server_->requests().size(), 160u);
  EXPECT_LE(server_->connections(), 3u);
}

TEST_F(S3, AConnectionThatWasClosedMeanwhileIsReplaced) {
  // Every second request of a connection finds it closed, before anything is answered.
  std::atomic<size_t> served = 0;
  serve([&](const CannedRequest& request) {
    const bool closes = request.connection == 1 && ++served == 2;
    return CannedAnswer{.headers = {{"ETag", etag_of("bytes")}}, .hangs_up = closes};
  });
  EXPECT_TRUE(put("a", "bytes").ok());
  const Status second = put("a", "bytes");
  EXPECT_TRUE(second.ok()) << second.error().to_string();
  EXPECT_EQ(server_->requests().back().body, "bytes");
}

TEST_F(S3, InfoAsksAgainForTheWordsOfARefusal) {
  serve({.headers = {{"Content-Length", "1234"}}});
  EXPECT_EQ(bucket_->info("a")->bytes, 1234u);
  serve(refusal(404, "NoSuchKey"));
  expect_error(bucket_->info("a"), Code::kNotFound, "no such object");
  EXPECT_EQ(server_->requests().size(), 2u);
  serve(refusal(404, "NoSuchBucket"));
  expect_error(bucket_->info("a"), Code::kInvalid, "there is no bucket bucket");
  serve(refusal(503, "SlowDown"));
  expect_error(bucket_->info("a"), Code::kUnavailable, "HTTP 503");
  EXPECT_EQ(server_->requests().size(), 1u);
}

TEST_F(S3, AnObjectThatIsPutBetweenTheQuestionsOfInfoIsUnavailable) {
  serve([](const CannedRequest& request) {
    return request.method == "HEAD" ? refusal(404, "") : CannedAnswer{.body = "bytes"};
  });
  expect_error(bucket_->info("a"), Code::kUnavailable, "it is there");
}

TEST_F(S3, RemovingWhatIsNotThereIsFine) {
  serve({.status = 204});
  EXPECT_TRUE(bucket_->remove("a").ok());
  EXPECT_EQ(server_->requests().at(0).method, "DELETE");
  serve(refusal(404, "NoSuchKey"));
  EXPECT_TRUE(bucket_->remove("a").ok());
  serve(refusal(403, "AccessDenied"));
  expect_error(bucket_->remove("a"), Code::kAccess, "may not do that");
}

TEST_F(S3, AWaitThatTheStoreAsksForIsPassedOn) {
  serve({.status = 429, .headers = {{"Retry-After", "7"}}});
  const int64_t before_ns = os::real_clock().monotonic_ns();
  expect_error(put("a", "x"), Code::kUnavailable, "HTTP 429");
  EXPECT_GE(pacing_->until_ns(), before_ns + 7'000'000'000);
  EXPECT_LT(pacing_->until_ns(), before_ns + 17'000'000'000);
  serve({.status = 503, .headers = {{"Retry-After", "86400"}}});
  expect_error(put("a", "x"), Code::kUnavailable, "HTTP 503");
  EXPECT_LT(pacing_->until_ns(), before_ns + 400'000'000'000);
}

TEST_F(S3, SecretsThatTheStoreRepeatsAreNotShown) {
  serve(refusal(403, "SignatureDoesNotMatch", fmt::format("you sent {} and {}", kToken, kSecret)));
  expect_error(put("a", "x"), Code::kAccess, "you sent (secret) and (secret)");
}

TEST_F(S3, CredentialsThatCannotBeSentAreRefused) {
  for (const std::string& secret : {std::string(), std::string("a b"), std::string("hunter2\n")}) {
    const auto opened = S3Bucket::open(
        {.credentials = {.key_id = "AKIA", .secret = secret, .origin = "somewhere"}});
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.code(), Code::kInvalid);
    EXPECT_THAT(opened.error().context(), testing::Not(HasSubstr("hunter2")));
  }
}

// Listings.

std::string contents(const std::string& key, int bytes) {
  return fmt::format("<Contents><Key>{}</Key><Size>{}</Size></Contents>", key, bytes);
}
CannedAnswer page(const std::string& contents, const std::string& next = "") {
  return {.body = fmt::format(
              "<ListBucketResult><IsTruncated>{}</IsTruncated>{}{}"
              "</ListBucketResult>",
              next.empty() ? "false" : "true",
              next.empty() ? "" : "<NextContinuationToken>" + next + "</NextContinuationToken>",
              contents)};
}

TEST_F(S3, AListingGoesOnByItsTokens) {
  serve([](const CannedRequest& request) {
    if (request.target.find("continuation-token=t%2B1") != std::string::npos) {
      return page(contents("volume/c", 3));
    }
    return page(contents("volume/a", 1) + contents("volume/b", 2), "t+1");
  });
  std::string keys;
  EXPECT_TRUE(list(keys).ok());
  EXPECT_EQ(keys, "a:1 b:2 c:3 ");
  EXPECT_THAT(server_->requests().at(0).target,
              StartsWith("/bucket?list-type=2&max-keys=1000&prefix=volume%2F"));
}

TEST_F(S3, AListingThatCannotBeIsCorrupt) {
  std::string keys;
  serve(page(contents("volume/b", 1) + contents("volume/a", 1)));
  expect_error(list(keys), Code::kCorrupt, "not in order");
  serve(page(contents("volume/a", 1) + contents("volume/a", 1)));
  expect_error(list(keys), Code::kCorrupt, "not in order");
  serve(page(contents("other/a", 1)));
  expect_error(list(keys), Code::kCorrupt, "not in order");
  serve(page("", "same"));
  expect_error(list(keys), Code::kCorrupt, "in circles");
  serve(page("<Contents><Key>volume/a</Key></Contents>"));
  expect_error(list(keys), Code::kCorrupt, "no size");
  serve({.body = "<ListBucketResult></ListBucketResult>"});
  expect_error(list(keys), Code::kCorrupt, "truncated");
  serve({.body = "<html>Welcome to the hotel</html>"});
  expect_error(list(keys), Code::kCorrupt, "ListBucketResult");
  serve({.body = std::string(kMaxXmlBytes + 100, ' ')});
  expect_error(list(keys), Code::kCorrupt, "XML");
}

TEST_F(S3, WhatOthersPutThereIsNotListed) {
  serve(page(contents("volume/", 0) + contents("volume/a", 1) + contents("volume/a b", 1) +
             contents("volume/b&amp;c", 1) + contents("volume/d", 1)));
  std::string keys;
  EXPECT_TRUE(list(keys).ok());
  EXPECT_EQ(keys, "a:1 d:1 ");
}

}  // namespace
}  // namespace nacre::bucket
