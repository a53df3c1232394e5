#include "rpc/handshake.h"

#include <fmt/format.h>

namespace nacre::rpc {
namespace {

Status send(os::ByteStream& stream, const wire::Greeting& greeting) {
  const auto bytes = wire::encode_greeting(greeting);
  const ByteView view = bytes;
  return stream.write_all({&view, 1});
}

Result<wire::Greeting> receive(os::ByteStream& stream) {
  std::array<std::byte, wire::kGreetingBytes> bytes;
  for (size_t at = 0; at < bytes.size();) {
    const size_t count = TRY(stream.read_some(MutableBytes(bytes).subspan(at)));
    if (count == 0) return Error(Code::kUnavailable, stream.peer() + " closed the connection");
    at += count;
  }
  Result<wire::Greeting> greeting = wire::decode_greeting(bytes);
  if (!greeting.ok()) {
    return Error(greeting.code(), stream.peer() + ": " + greeting.error().context());
  }
  return greeting;
}

bool differ(wire::ClusterId one, wire::ClusterId other) {
  return !one.is_zero() && !other.is_zero() && one != other;
}

Status agree(const wire::Greeting& ours, const wire::Greeting& theirs, const std::string& peer) {
  if (theirs.newest == 0) {
    return Error(Code::kUnsupported, peer +
                                         " speaks no version of the protocol that we speak; "
                                         "update the older of the two");
  }
  if (ours.tls != theirs.tls) {
    return Error(Code::kUnsupported,
                 peer + (theirs.tls ? " speaks TLS only; leave --insecure out"
                                    : " was started with --insecure; give that option here, too"));
  }
  if (differ(ours.cluster, theirs.cluster)) {
    return Error(Code::kInvalid, fmt::format("{} is of cluster {}, not of {}", peer,
                                             to_hex(theirs.cluster), to_hex(ours.cluster)));
  }
  return {};
}

SecureStream in_the_clear(std::unique_ptr<os::ByteStream> stream) {
  Peer peer{.role = Role::kNode, .name = "insecure", .address = stream->peer()};
  return {.stream = std::move(stream), .peer = std::move(peer)};
}

}  // namespace

Result<wire::Greeting> ask_greeting(os::ByteStream& stream, bool tls) {
  stream.set_read_timeout(kHandshakeLimitNs);
  TRY(send(stream, {.tls = tls}));
  return receive(stream);
}

Result<SecureStream> greet_server(std::unique_ptr<os::ByteStream> stream,
                                  const Security& security) {
  stream->set_read_timeout(kHandshakeLimitNs);
  const wire::Greeting ours{.tls = security.tls != nullptr, .cluster = security.cluster};
  TRY(send(*stream, ours));
  TRY(agree(ours, TRY(receive(*stream)), stream->peer()));
  if (security.tls == nullptr) return in_the_clear(std::move(stream));
  return tls_connect(std::move(stream), security.tls);
}

Result<SecureStream> greet_client(std::unique_ptr<os::ByteStream> stream,
                                  const Security& security) {
  stream->set_read_timeout(kHandshakeLimitNs);
  const wire::Greeting theirs = TRY(receive(*stream));
  wire::Greeting ours{.tls = security.tls != nullptr, .cluster = security.cluster};
  const uint16_t version = wire::choose_protocol(theirs, ours);
  ours.oldest = version;
  ours.newest = version;
  // Sent in any case, so that the client can say what is wrong.
  TRY(send(*stream, ours));
  TRY(agree(theirs, ours, stream->peer()));
  if (security.tls == nullptr) return in_the_clear(std::move(stream));
  return tls_accept(std::move(stream), security.tls);
}

}  // namespace nacre::rpc
