#include "bucket/key.h"

#include <fmt/format.h>

#include <algorithm>

#include "bucket/bucket.h"

namespace nacre::bucket {
namespace {

bool is_key_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
         c == '_' || c == '.' || c == '-';
}

// Some clients and proxies on the way resolve these as paths, and then another object is meant.
bool has_path_steps(std::string_view key) {
  for (size_t begin = 0; begin <= key.size();) {
    const size_t end = std::min(key.find('/', begin), key.size());
    const std::string_view part = key.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") return true;
    begin = end + 1;
  }
  return false;
}

}  // namespace

Status check_key(std::string_view key) {
  if (key.empty()) return Error(Code::kInvalid, "the key of an object is empty");
  TRY(check_prefix(key));
  if (has_path_steps(key)) {
    return Error(Code::kInvalid, fmt::format("the key {} has an empty part, \".\" or \"..\"", key));
  }
  return {};
}

Status check_prefix(std::string_view prefix) {
  if (prefix.size() > kMaxKeyBytes) {
    return Error(Code::kInvalid, fmt::format("a key of {} bytes: more than the {} that are allowed",
                                             prefix.size(), kMaxKeyBytes));
  }
  if (!std::ranges::all_of(prefix, is_key_byte)) {
    return Error(Code::kInvalid, "a key has a byte that is not of [A-Za-z0-9/_.-]");
  }
  return {};
}

}  // namespace nacre::bucket
