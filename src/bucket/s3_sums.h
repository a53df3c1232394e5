// The sums by which an object at a store is known to be ours. Pure functions, safe from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/units.h"
#include "bucket/digest.h"
#include "bucket/http.h"

namespace nacre::bucket {

inline constexpr uint64_t kAtOnceBytesMax = 16 * kMiB;
inline constexpr uint64_t kPartBytes = 8 * kMiB;

// Whether the answer's ETag is the MD5 of the object's bytes: S3 says it is, unless the object came
// in parts or is sealed with keys of a key service or of the client.
bool is_md5_etag(const HttpAnswer& answer);

// The ETag of an object that came in parts with these sums: the MD5 of the MD5s, "-", how many.
std::string multipart_etag(std::span<const Md5> sums);

// `length` bytes at `offset` of the concatenation of `parts`.
std::vector<ByteView> slice(std::span<const ByteView> parts, uint64_t offset, uint64_t length);

}  // namespace nacre::bucket
