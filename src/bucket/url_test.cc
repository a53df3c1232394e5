#include "bucket/url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nacre::bucket {
namespace {

TEST(BucketUrl, IsABucketAndMaybeAPrefix) {
  const std::pair<std::string, BucketUrl> table[] = {
      {"s3://bucket", {"bucket", ""}},
      {"s3://bucket/", {"bucket", ""}},
      {"s3://my-bucket.1/volumes/a", {"my-bucket.1", "volumes/a/"}},
      {"s3://bucket/volumes/a/", {"bucket", "volumes/a/"}},
      {"s3://abc/x", {"abc", "x/"}},
  };
  for (const auto& [text, expected] : table) {
    const auto url = parse_bucket_url(text);
    ASSERT_TRUE(url.ok()) << text << ": " << url.error().to_string();
    EXPECT_EQ(*url, expected) << text;
    EXPECT_EQ(*parse_bucket_url(url->to_string()), expected);
  }
}

TEST(BucketUrl, ThatIsNoneIsRefusedInWords) {
  const std::pair<std::string, std::string> table[] = {
      {"", "s3://BUCKET"},
      {"bucket", "s3://BUCKET"},
      {"S3://bucket", "s3://BUCKET"},
      {"https://bucket", "s3://BUCKET"},
      {"s3://", "name of a bucket"},
      {"s3://ab", "name of a bucket"},
      {"s3://" + std::string(64, 'a'), "name of a bucket"},
      {"s3://Bucket", "name of a bucket"},
      {"s3://-bucket", "name of a bucket"},
      {"s3://bucket-", "name of a bucket"},
      {"s3://buc..ket", "name of a bucket"},
      {"s3://buc ket", "name of a bucket"},
      {"s3://bucket?x", "name of a bucket"},
      {"s3://bucket//", "prefix"},
      {"s3://bucket//a", "prefix"},
      {"s3://bucket/a//b", "prefix"},
      {"s3://bucket/a/../b", "prefix"},
      {"s3://bucket/a?b", "prefix"},
      {"s3://bucket/a%20b", "prefix"},
      {"s3://bucket/" + std::string(100, 'a'), "prefix"},
  };
  for (const auto& [text, words] : table) {
    const auto url = parse_bucket_url(text);
    ASSERT_EQ(url.ok() ? Code::kIo : url.code(), Code::kInvalid) << text;
    EXPECT_THAT(url.error().context(), testing::HasSubstr(words)) << text;
  }
}

TEST(Endpoint, IsASchemeAHostAndMaybeAPort) {
  const std::pair<std::string, Endpoint> table[] = {
      {"https://s3.eu-central-003.backblazeb2.com", {true, "s3.eu-central-003.backblazeb2.com", 0}},
      {"http://localhost:9000/", {false, "localhost", 9000}},
      {"http://127.0.0.1:80", {false, "127.0.0.1", 0}},
      {"https://host:443", {true, "host", 0}},
      {"https://host:80", {true, "host", 80}},
      {"https://[::1]:9000", {true, "::1", 9000}},
      {"https://[fe80::1]", {true, "fe80::1", 0}},
  };
  for (const auto& [text, expected] : table) {
    const auto endpoint = parse_endpoint(text);
    ASSERT_TRUE(endpoint.ok()) << text << ": " << endpoint.error().to_string();
    EXPECT_EQ(*endpoint, expected) << text;
    EXPECT_EQ(*parse_endpoint(endpoint->to_string()), expected) << text;
  }
  EXPECT_EQ(parse_endpoint("https://[::1]:9000")->authority(), "[::1]:9000");
}

TEST(Endpoint, ThatIsNoneIsRefusedInWords) {
  for (const char* text : {"",
                           "host",
                           "ftp://host",
                           "https://",
                           "https:///",
                           "https://host:",
                           "https://host:0",
                           "https://host:65536",
                           "https://host:1x",
                           "https://host:+1",
                           "https://host/bucket",
                           "https://host?x",
                           "https://host#x",
                           "https://ho st",
                           "https://.host",
                           "https://host..x",
                           "https://-host",
                           "https://[::1",
                           "https://[]",
                           "https://[::1]x",
                           "https://[host]",
                           "https://::1",
                           "HTTPS://host",
                           "https://host\n"}) {
    const auto endpoint = parse_endpoint(text);
    ASSERT_EQ(endpoint.ok() ? Code::kIo : endpoint.code(), Code::kInvalid) << text;
    EXPECT_THAT(endpoint.error().context(), testing::HasSubstr("endpoint")) << text;
  }
}

TEST(Url, WithASecretInItIsRefusedWithoutRepeatingIt) {
  for (const Error& error : {parse_endpoint("https://id:hunter2@host").error(),
                             parse_bucket_url("s3://id:hunter2@bucket").error()}) {
    EXPECT_EQ(error.code(), Code::kInvalid);
    EXPECT_THAT(error.context(), testing::HasSubstr("credentials come from"));
    EXPECT_THAT(error.context(), testing::Not(testing::HasSubstr("hunter2")));
  }
}

TEST(Endpoint, TellsItsRegion) {
  const std::pair<std::string, std::string> table[] = {
      {"https://s3.eu-central-003.backblazeb2.com", "eu-central-003"},
      {"https://s3.eu-west-1.amazonaws.com", "eu-west-1"},
      {"https://s3.amazonaws.com", "us-east-1"},
      {"https://s3.a.b.amazonaws.com", "us-east-1"},
      {"http://127.0.0.1:9000", "us-east-1"},
  };
  for (const auto& [text, region] : table) {
    EXPECT_EQ(region_of(*parse_endpoint(text)), region) << text;
  }
}

}  // namespace
}  // namespace nacre::bucket
