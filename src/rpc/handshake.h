// From a bare connection to one on which frames can go: greetings, version, TLS.
#pragma once

#include <memory>

#include "base/result.h"
#include "os/byte_stream.h"
#include "rpc/tls.h"
#include "wire/frame_layout.h"

namespace nacre::rpc {

// How one side meets the other. Without a context everything goes in the clear and everybody is
// taken for a node: for loopback alone.
struct Security {
  std::shared_ptr<TlsContext> tls = {};
  wire::ClusterId cluster = {};  // zero: any
};

inline constexpr int64_t kHandshakeLimitNs = 10'000'000'000;

// kUnsupported when no version is common, or one side wants TLS and the other does not; kInvalid
// when the peer is of another cluster; kCorrupt when it speaks something else; else as
// tls_connect().
Result<SecureStream> greet_server(std::unique_ptr<os::ByteStream> stream, const Security& security);
Result<SecureStream> greet_client(std::unique_ptr<os::ByteStream> stream, const Security& security);

// Which cluster a node is of, by its greeting alone: to find the right credentials. Not proved.
Result<wire::Greeting> ask_greeting(os::ByteStream& stream, bool tls);

}  // namespace nacre::rpc
