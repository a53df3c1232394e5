#include "bucket/s3_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucket/s3_answers.h"

namespace nacre::bucket {
namespace {

using testing::HasSubstr;

const S3Asked kAsked{.what = "put s3://bucket/key at https://host",
                     .bucket = "bucket",
                     .endpoint = "https://host",
                     .region = "us-east-1",
                     .credentials_origin = "the environment",
                     .our_time_s = 1'767'323'045};

Error error_for(long status, const std::string& code, const std::string& message = "",
                const std::string& date = "") {
  const std::string body =
      code.empty() ? message
                   : "<Error><Code>" + code + "</Code><Message>" + message + "</Message></Error>";
  return error_of(parse_refusal(status, body, "", date), kAsked);
}

TEST(S3Error, HasOurCodeAndSaysWhatToDo) {
  const std::tuple<long, std::string, Code, std::string> table[] = {
      {404, "NoSuchKey", Code::kNotFound, "no such object"},
      {404, "NoSuchBucket", Code::kInvalid, "there is no bucket bucket at https://host: create it"},
      {403, "AccessDenied", Code::kAccess, "needs the rights to read, write, list"},
      {403, "InvalidAccessKeyId", Code::kAccess, "credentials from the environment: check"},
      {403, "SignatureDoesNotMatch", Code::kAccess, "check the key id and the key"},
      {400, "ExpiredToken", Code::kAccess, "expired"},
      {301, "PermanentRedirect", Code::kInvalid, "another region"},
      {307, "TemporaryRedirect", Code::kInvalid, "another region"},
      {400, "BadDigest", Code::kCorrupt, "damaged on the way"},
      {400, "XAmzContentSHA256Mismatch", Code::kCorrupt, "damaged on the way"},
      {400, "RequestTimeout", Code::kUnavailable, "too slow"},
      {503, "SlowDown", Code::kUnavailable, "throttles"},
      {500, "InternalError", Code::kUnavailable, "try later"},
      {503, "SomethingNew", Code::kUnavailable, "try later"},
      {403, "SomethingNew", Code::kAccess, "may not do that"},
      {400, "SomethingNew", Code::kInvalid, "check the endpoint"},
      {507, "", Code::kNoSpace, "full"},
      {403, "QuotaExceeded", Code::kNoSpace, "quota"},
      {429, "", Code::kUnavailable, "throttles"},
      {503, "", Code::kUnavailable, "throttles"},
      {416, "InvalidRange", Code::kOutOfRange, "shorter"},
      {400, "EntityTooLarge", Code::kTooBig, "size"},
  };
  for (const auto& [status, code, as, words] : table) {
    const Error error = error_for(status, code);
    EXPECT_EQ(error.code(), as) << error.to_string();
    EXPECT_THAT(error.context(), HasSubstr(words));
    EXPECT_THAT(error.context(), HasSubstr("put s3://bucket/key at https://host: "));
    EXPECT_THAT(error.context(), HasSubstr("HTTP " + std::to_string(status)));
  }
}

// A captive portal, say: what it does not have may well be in the bucket.
TEST(S3Error, AnAnswerThatIsNotOfAStoreDoesNotSayThatAnythingIsMissing) {
  for (const char* body : {"", "<html>404</html>", "<Error><Code>NoSuchKey</Code>"}) {
    const Error error = error_for(404, "", body);
    EXPECT_EQ(error.code(), Code::kUnavailable) << error.to_string();
    EXPECT_THAT(error.context(), HasSubstr("no object store"));
  }
}

TEST(S3Error, ACapOfBackblazeIsTold) {
  const Error error = error_for(403, "AccessDenied", "Cannot upload files, storage cap exceeded.");
  EXPECT_EQ(error.code(), Code::kNoSpace);
  EXPECT_THAT(error.context(), HasSubstr("storage cap exceeded"));
}

TEST(S3Error, AClockThatIsWrongIsToldByHowMuch) {
  const auto words = [](const std::string& date) {
    const Error error = error_for(403, "RequestTimeTooSkewed", "too large", date);
    EXPECT_EQ(error.code(), Code::kInvalid);
    return error.context();
  };
  EXPECT_THAT(words("Fri, 02 Jan 2026 03:27:05 GMT"),
              HasSubstr("the clock of this machine is 23 min behind that of the endpoint"));
  EXPECT_THAT(words("Fri, 02 Jan 2026 00:04:05 GMT"),
              HasSubstr("the clock of this machine is 3 h ahead of that of the endpoint"));
  EXPECT_THAT(words(""), HasSubstr("the clock of this machine is too far off from that"));
}

TEST(S3Error, TheRegionThatIsWantedIsTold) {
  const std::string body =
      "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>";
  const Error error = error_of(parse_refusal(400, body, "", ""), kAsked);
  EXPECT_EQ(error.code(), Code::kInvalid);
  EXPECT_THAT(error.context(), HasSubstr("(region eu-west-1); we use https://host with region "
                                         "us-east-1"));
  const Error moved = error_of(parse_refusal(301, "", "eu-west-2", ""), kAsked);
  EXPECT_THAT(moved.context(), HasSubstr("(region eu-west-2)"));
}

TEST(S3Error, WordsOfTheStoreAreOneShortLine) {
  const Error error = error_for(500, "A{}\n\x1b[31m", std::string(5000, 'x'));
  EXPECT_LT(error.context().size(), 600u);
  EXPECT_EQ(error.context().find_first_of("\n\x1b"), std::string::npos);
}

TEST(S3Answers, TimesAreOfIso8601) {
  EXPECT_EQ(*parse_iso_time("2026-01-02T03:04:05.000Z"), 1'767'323'045);
  EXPECT_EQ(*parse_iso_time("1970-01-01T00:00:00Z"), 0);
  for (const char* text : {"", "Z", "2026-01-02", "2026-01-02T03:04:05", "2026-01-02 03:04:05Z",
                           "x026-01-02T03:04:05Z", "2026-01-02T03:04:0Z"}) {
    EXPECT_EQ(parse_iso_time(text).code(), Code::kCorrupt) << text;
  }
}

TEST(S3Answers, RangesAreOfBytes) {
  EXPECT_EQ(*parse_content_range("bytes 5-9/10"), (ContentRange{5, 9}));
  EXPECT_EQ(*parse_content_range("bytes 0-0/*"), (ContentRange{0, 0}));
  for (const char* text :
       {"", "bytes", "bytes 5-9", "bytes 9-5/10", "bytes */10", "bytes -5/10", "bytes 5-/10",
        "items 5-9/10", "bytes 5-99999999999999999999/1", "bytes /5-9"}) {
    EXPECT_EQ(parse_content_range(text).code(), Code::kCorrupt) << text;
  }
}

}  // namespace
}  // namespace nacre::bucket
