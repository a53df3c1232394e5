// Calls to one etcd endpoint, in bytes: messages are what messages.h makes of them. The only way to
// gRPC, so that everything above runs in tests without it.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace nacre::etcd {

// gRPC's numbers of those status codes that somebody acts on.
enum class RpcCode : int {
  kOk = 0,
  kCancelled = 1,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

struct RpcStatus {
  RpcCode code = RpcCode::kOk;
  std::string message = {};  // etcd's own words, or gRPC's
  bool connected = true;     // false: there was no connection, so nothing was sent
};

struct RpcReply {
  RpcStatus status;
  std::string message = {};
};

struct RpcRequest {
  std::string method;   // "/etcdserverpb.KV/Range"
  std::string message;  // encoded
  // A member without a leader refuses at once, before it does anything, rather than let it wait.
  bool needs_leader = true;
};

// A stream of messages both ways. One thread uses it; cancel() may come from any.
class RpcStream {
 public:
  virtual ~RpcStream() = default;
  // Queues the message; false if the stream has ended or the message before has not left yet.
  virtual bool write(const std::string& message) = 0;
  // The next message; none if none came within the limit. After an error the stream is dead.
  struct Read {
    RpcStatus status;
    std::optional<std::string> message = {};
  };
  virtual Read read(std::chrono::nanoseconds limit) = 0;
  // Ends the stream, and a read() that waits.
  virtual void cancel() = 0;
};

// Connects when first used, and again whenever the connection is lost. Safe from any thread.
class Channel {
 public:
  virtual ~Channel() = default;
  // Waits up to `limit` for the reply, of which up to `connect_limit` for a connection.
  virtual RpcReply call(const RpcRequest& request, std::chrono::nanoseconds limit,
                        std::chrono::nanoseconds connect_limit) = 0;
  // Starts the method that the request names and sends its message. Does not wait: what becomes of
  // it is seen by reading.
  virtual std::unique_ptr<RpcStream> stream(const RpcRequest& request) = 0;
};

// Certificates as PEM files. etcd's certificate must name the host or address of the endpoint.
struct TlsFiles {
  std::string ca_file;
  std::string certificate_file = {};
  std::string key_file = {};
};

// Makes channels, all with the same credentials. Safe from any thread.
class Dialer {
 public:
  virtual ~Dialer() = default;
  // `endpoint` is HOST:PORT. Never fails: an endpoint that cannot be reached fails its calls.
  virtual std::shared_ptr<Channel> dial(const std::string& endpoint) = 0;
};

// kNotFound or kAccess when a file of `tls` cannot be read.
Result<std::unique_ptr<Dialer>> make_dialer(const std::optional<TlsFiles>& tls);

}  // namespace nacre::etcd
