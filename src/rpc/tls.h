// TLS 1.3 over a stream of bytes, with certificates of the cluster's authority on both sides.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "os/byte_stream.h"
#include "rpc/certificates.h"

namespace nacre::rpc {

// Keys made ready for any number of connections; safe from any thread.
class TlsContext {
 public:
  // kInvalid when certificate, key and authority do not belong together.
  static Result<std::shared_ptr<TlsContext>> make(const Credentials& credentials);
  // For one who has no certificate yet and knows the authority by its fingerprint alone: may only
  // connect.
  static Result<std::shared_ptr<TlsContext>> make_guest(const std::string& ca_fingerprint);
  ~TlsContext();

  struct Keys;
  const Keys& keys() const { return *keys_; }

 private:
  explicit TlsContext(std::unique_ptr<Keys> keys);
  const std::unique_ptr<Keys> keys_;
};

struct SecureStream {
  std::unique_ptr<os::ByteStream> stream;
  Peer peer;
};

// Shake hands over `under`, within its read timeout. kAccess when the other side is not of the
// cluster, or does not take us for that; kUnavailable when the connection broke.
Result<SecureStream> tls_connect(std::unique_ptr<os::ByteStream> under,
                                 const std::shared_ptr<TlsContext>& context);
Result<SecureStream> tls_accept(std::unique_ptr<os::ByteStream> under,
                                const std::shared_ptr<TlsContext>& context);

}  // namespace nacre::rpc
