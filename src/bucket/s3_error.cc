#include "bucket/s3_error.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "bucket/xml.h"

namespace nacre::bucket {
namespace {

struct Known {
  std::string_view code;
  Code as;
  std::string_view to_do;  // {bucket}, {endpoint}, {region}, {wanted}, {origin} are filled in
};

constexpr std::string_view kCheckKey =
    "the endpoint does not take the credentials from {origin}: check the key id and the key, and "
    "that they are this endpoint's";
constexpr std::string_view kCheckRegion =
    "the bucket is of another region or endpoint{wanted}; we use {endpoint} with region {region}";
constexpr std::string_view kCheckRights =
    "the credentials from {origin} may not do that: the key needs the rights to read, write, list "
    "and delete in bucket {bucket}";
constexpr std::string_view kDamagedUp = "what was sent was damaged on the way";
constexpr std::string_view kQuota = "a quota or cap of the account is used up: raise it there";

constexpr std::array kKnown = {
    Known{"NoSuchKey", Code::kNotFound, "there is no such object"},
    Known{
        "NoSuchBucket", Code::kInvalid,
        "there is no bucket {bucket} at {endpoint}: create it, or check its name and the endpoint"},
    Known{"NoSuchUpload", Code::kUnavailable, "the store gave the upload up"},
    Known{"InvalidRange", Code::kOutOfRange, "the object is shorter"},
    Known{"AccessDenied", Code::kAccess, kCheckRights},
    Known{"AllAccessDisabled", Code::kAccess, kCheckRights},
    Known{"UnauthorizedAccess", Code::kAccess, kCheckRights},
    Known{"AccountProblem", Code::kAccess, "something is wrong with the account: look there"},
    Known{"NotSignedUp", Code::kAccess, "something is wrong with the account: look there"},
    Known{"InvalidAccessKeyId", Code::kAccess, kCheckKey},
    Known{"SignatureDoesNotMatch", Code::kAccess, kCheckKey},
    Known{"InvalidToken", Code::kAccess, kCheckKey},
    Known{"ExpiredToken", Code::kAccess,
          "the session token from {origin} has expired: get a new one"},
    Known{"AuthorizationHeaderMalformed", Code::kInvalid, kCheckRegion},
    Known{"PermanentRedirect", Code::kInvalid, kCheckRegion},
    Known{"TemporaryRedirect", Code::kInvalid, kCheckRegion},
    Known{"Redirect", Code::kInvalid, kCheckRegion},
    Known{"IllegalLocationConstraintException", Code::kInvalid, kCheckRegion},
    Known{"InvalidBucketName", Code::kInvalid, "no bucket can have the name {bucket}"},
    Known{"RequestTimeTooSkewed", Code::kInvalid, ""},
    Known{"BadDigest", Code::kCorrupt, kDamagedUp},
    Known{"InvalidDigest", Code::kCorrupt, kDamagedUp},
    Known{"XAmzContentSHA256Mismatch", Code::kCorrupt, kDamagedUp},
    Known{"IncompleteBody", Code::kCorrupt, kDamagedUp},
    Known{"InvalidPart", Code::kCorrupt, "a part of the upload got lost"},
    Known{"EntityTooLarge", Code::kTooBig, "the store does not take objects of that size"},
    Known{"QuotaExceeded", Code::kNoSpace, kQuota},
    Known{"InsufficientStorage", Code::kNoSpace, kQuota},
    Known{"XMinioStorageFull", Code::kNoSpace, "the store is full"},
    Known{"RequestTimeout", Code::kUnavailable, "the upload was too slow for the store"},
    Known{"OperationAborted", Code::kUnavailable,
          "something else is being done with it; try later"},
    Known{"SlowDown", Code::kUnavailable, "the store throttles; try later"},
    Known{"TooManyRequests", Code::kUnavailable, "the store throttles; try later"},
    Known{"ServiceUnavailable", Code::kUnavailable, "the store is overloaded; try later"},
    Known{"InternalError", Code::kUnavailable, "the store failed; try later"},
};

// Where a code is not known, or the answer has none.
Known by_status(const S3Refusal& refusal) {
  const long status = refusal.status;
  const bool is_s3 = !refusal.code.empty();
  if (status == 507) return {{}, Code::kNoSpace, "the store is full"};
  if (status == 408 || status == 425 || status == 429 || status >= 500) {
    return {{}, Code::kUnavailable, "the store throttles or fails; try later"};
  }
  if (status == 401 || status == 403) return {{}, Code::kAccess, kCheckRights};
  if (status / 100 == 3) return {{}, Code::kInvalid, kCheckRegion};
  if (status / 100 == 4 && is_s3) {
    return {{}, Code::kInvalid, "the store does not take such requests: check the endpoint"};
  }
  return {{},
          Code::kUnavailable,
          "something that is no object store answered: check the endpoint, and what is between"};
}

Known known_of(const S3Refusal& refusal) {
  // Backblaze tells its caps by words alone.
  const bool refused = refusal.status == 403 || refusal.status == 400;
  if (refused && refusal.message.find("cap exceeded") != std::string::npos) {
    return {{}, Code::kNoSpace, kQuota};
  }
  const auto found =
      std::ranges::find_if(kKnown, [&](const Known& each) { return each.code == refusal.code; });
  return found == kKnown.end() ? by_status(refusal) : *found;
}

std::string skew_words(const S3Refusal& refusal, const S3Asked& asked) {
  const std::string difference = refusal.server_time_s
                                     ? clock_difference(asked.our_time_s, *refusal.server_time_s)
                                     : "too far off from";
  return fmt::format("the clock of this machine is {} that of the endpoint: set it, best by NTP",
                     difference);
}

}  // namespace

S3Refusal parse_refusal(long status, std::string_view body, std::string_view region_header,
                        std::string_view date_header) {
  S3Refusal refusal{.status = status, .region = shown(region_header)};
  const time_t date = curl_getdate(std::string(date_header).c_str(), nullptr);
  if (date > 0) refusal.server_time_s = date;
  const Result<XmlElement> root = parse_xml(body);
  if (!root.ok() || root->name != "Error") return refusal;
  refusal.code = shown(root->text_of("Code"));
  refusal.message = shown(root->text_of("Message"));
  if (!root->text_of("Region").empty()) refusal.region = shown(root->text_of("Region"));
  return refusal;
}

Error error_of(const S3Refusal& refusal, const S3Asked& asked) {
  const Known known = known_of(refusal);
  std::string to_do;
  if (refusal.code == "RequestTimeTooSkewed") {
    to_do = skew_words(refusal, asked);
  } else {
    const std::string wanted =
        refusal.region.empty() ? "" : fmt::format(" (region {})", refusal.region);
    to_do = fmt::format(fmt::runtime(known.to_do), fmt::arg("bucket", asked.bucket),
                        fmt::arg("endpoint", asked.endpoint), fmt::arg("region", asked.region),
                        fmt::arg("origin", asked.credentials_origin), fmt::arg("wanted", wanted));
  }
  std::string said = fmt::format("HTTP {}", refusal.status);
  if (!refusal.code.empty()) said += " " + refusal.code;
  if (!refusal.message.empty()) said += ": " + refusal.message;
  return Error(known.as, fmt::format("{}: {} [{}]", asked.what, to_do, said));
}

std::string shown(std::string_view text) {
  constexpr size_t kBytesMax = 200;
  std::string clean;
  for (const char c : text.substr(0, kBytesMax)) clean += c >= ' ' && c <= '~' ? c : '?';
  return clean;
}

std::string clock_difference(int64_t our_time_s, int64_t server_time_s) {
  const int64_t seconds = our_time_s - server_time_s;
  const int64_t amount = seconds < 0 ? -seconds : seconds;
  const std::string words = amount < 120          ? fmt::format("{} s", amount)
                            : amount < 2 * 3600   ? fmt::format("{} min", amount / 60)
                            : amount < 48 * 3600L ? fmt::format("{} h", amount / 3600)
                                                  : fmt::format("{} days", amount / 86400);
  return words + (seconds < 0 ? " behind" : " ahead of");
}

}  // namespace nacre::bucket
