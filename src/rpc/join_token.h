// Join tokens: one word of text with which a new node or client finds the right cluster, and proves
// that somebody in it asked it to come. A token is secret until it expires.
//
// "nacre1." and base64url of: cluster id (16 bytes), role (1), expiry (8, seconds since 1970), a
// random number (8), the fingerprint of the cluster's authority (32), and an HMAC-SHA512/256 (32)
// over all before it under a key that only nodes have.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/units.h"
#include "rpc/message.h"
#include "wire/frame_layout.h"

namespace nacre::rpc {

inline constexpr size_t kTokenKeyBytes = 32;

struct JoinToken {
  wire::ClusterId cluster = {};
  Role role = Role::kNode;
  Timestamp expires = {};
  std::string ca_fingerprint = {};  // 32 bytes
};

// A key for seal_token(): kTokenKeyBytes random bytes.
std::string make_token_key();
std::string seal_token(const JoinToken& token, const std::string& key);
// What it says, unproved: for the one who joins. kInvalid when it is no token.
Result<JoinToken> read_token(std::string_view text);
// What it says, if a node of this cluster made it: kAccess for one of another cluster, one that was
// tampered with, and one that expired before `now`.
Result<JoinToken> open_token(std::string_view text, const std::string& key, wire::ClusterId cluster,
                             Timestamp now);

}  // namespace nacre::rpc
