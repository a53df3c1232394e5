// The sums that S3 asks for, over bytes in pieces. Pure functions, safe from any thread.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace nacre::bucket {

// As raw bytes.
using Md5 = std::array<unsigned char, 16>;
using Sha256 = std::array<unsigned char, 32>;

Md5 md5_of(std::span<const ByteView> parts);
Sha256 sha256_of(std::span<const ByteView> parts);
Sha256 hmac_sha256(std::string_view key, std::string_view text);

std::string hex_of(std::span<const unsigned char> bytes);
std::string base64_of(std::span<const unsigned char> bytes);

}  // namespace nacre::bucket
