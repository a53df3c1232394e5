#include "rpc/tls.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "base/units.h"
#include "os/mutex.h"
#include "rpc/openssl.h"

namespace nacre::rpc {

using namespace openssl;

struct TlsContext::Keys {
  Context server;
  Context client;
  std::string ca_fingerprint;  // of a guest
};

namespace {

constexpr const char* kCiphers =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr size_t kSliceBytes = 128 * kKiB;  // encrypted at a time
constexpr size_t kReadAheadBytes = 64 * kKiB;

// A guest trusts the authority in the chain shown to it, if that has the fingerprint it was told.
int verify_by_fingerprint(X509_STORE_CTX* chain, void* expected) {
  const auto& wanted = *static_cast<const std::string*>(expected);
  STACK_OF(X509)* const shown = X509_STORE_CTX_get0_untrusted(chain);
  for (int i = 0; i < sk_X509_num(shown); ++i) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    unsigned int size = 0;
    X509* const each = sk_X509_value(shown, i);
    if (X509_digest(each, EVP_sha256(), digest.data(), &size) != 1) continue;
    if (std::string_view(reinterpret_cast<char*>(digest.data()), size) != wanted) continue;
    STACK_OF(X509)* const trusted = sk_X509_new_null();
    sk_X509_push(trusted, each);
    X509_STORE_CTX_set0_trusted_stack(chain, trusted);
    const int verified = X509_verify_cert(chain);
    sk_X509_free(trusted);
    return verified;
  }
  X509_STORE_CTX_set_error(chain, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
  return 0;
}

Result<Context> make_context(const SSL_METHOD* method) {
  Context context(SSL_CTX_new(method));
  if (context == nullptr || SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_ciphersuites(context.get(), kCiphers) != 1) {
    return failed(Code::kIo, "set up TLS");
  }
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context.get(), 0);
  // Several records at a time out of what was received.
  SSL_CTX_set_read_ahead(context.get(), 1);
  SSL_CTX_set_default_read_buffer_len(context.get(), kReadAheadBytes);
  return context;
}

Status use(SSL_CTX* context, const Credentials& credentials) {
  const Certificate ca = TRY(read_certificate(credentials.ca));
  const Certificate own = TRY(read_certificate(credentials.certificate));
  const Key key = TRY(read_key(credentials.key));
  const bool taken = SSL_CTX_use_certificate(context, own.get()) == 1 &&
                     SSL_CTX_use_PrivateKey(context, key.get()) == 1 &&
                     SSL_CTX_check_private_key(context) == 1 &&
                     X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca.get()) == 1 &&
                     SSL_CTX_add1_chain_cert(context, ca.get()) == 1 &&
                     SSL_CTX_add_client_CA(context, ca.get()) == 1;
  if (!taken) return failed(Code::kInvalid, "certificate, key and authority do not match");
  return {};
}

// What goes between a session and its stream: bytes received and not yet decrypted, and bytes
// encrypted and not yet sent. OpenSSL reads and writes them where they are.
struct Wire {
  std::vector<std::byte> received = std::vector<std::byte>(kSliceBytes);
  size_t begin = 0;  // of what is left of `received`
  size_t end = 0;
  std::string encrypted;
};

int read_wire(BIO* bio, char* into, size_t size, size_t* count) {
  auto& wire = *static_cast<Wire*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  *count = std::min(size, wire.end - wire.begin);
  if (*count == 0) {
    BIO_set_retry_read(bio);
    return 0;
  }
  std::memcpy(into, wire.received.data() + wire.begin, *count);
  wire.begin += *count;
  return 1;
}

int write_wire(BIO* bio, const char* bytes, size_t size, size_t* count) {
  static_cast<Wire*>(BIO_get_data(bio))->encrypted.append(bytes, size);
  *count = size;
  return 1;
}

long control_wire(BIO* /*bio*/, int command, long /*number*/, void* /*object*/) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

// Lives as long as the process.
const BIO_METHOD* wire_method() {
  static const BIO_METHOD* const kMade = [] {
    BIO_METHOD* const method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "nacre");
    CHECK(method != nullptr);
    BIO_meth_set_read_ex(method, read_wire);
    BIO_meth_set_write_ex(method, write_wire);
    BIO_meth_set_ctrl(method, control_wire);
    return method;
  }();
  return kMade;
}

class TlsStream final : public os::ByteStream {
 public:
  TlsStream(std::unique_ptr<os::ByteStream> under, Session session,
            std::shared_ptr<TlsContext> context)
      : under_(std::move(under)), context_(std::move(context)), session_(std::move(session)) {
    BIO* const bio = BIO_new(wire_method());
    CHECK(bio != nullptr);
    BIO_set_data(bio, &wire_);
    BIO_set_init(bio, 1);
    SSL_set_bio(session_.get(), bio, bio);  // owns it
  }

  // Status of the handshake; the words of a refusal are for people.
  Status shake_hands() {
    for (;;) {
      const int result = SSL_do_handshake(session_.get());
      const int reason = SSL_get_error(session_.get(), result);
      const Error refused = handshake_error();
      TRY(send_encrypted());
      if (result == 1) return {};
      if (reason != SSL_ERROR_WANT_READ) return refused;
      if (TRY(feed()) == 0) {
        return Error(Code::kUnavailable, peer() + " closed the connection during the handshake");
      }
    }
  }

  Result<size_t> read_some(MutableBytes into) override {
    for (;;) {
      {
        const os::Lock lock(mutex_);
        size_t count = 0;
        const int result = SSL_read_ex(session_.get(), into.data(), into.size(), &count);
        if (result == 1) return count;
        const int reason = SSL_get_error(session_.get(), result);
        if (reason == SSL_ERROR_ZERO_RETURN) return 0;
        if (reason != SSL_ERROR_WANT_READ) {
          return broken();
        }
      }
      if (TRY(feed()) == 0) return 0;
    }
  }

  Status write_all(std::span<const ByteView> parts) override {
    for (const ByteView part : parts) {
      for (size_t at = 0; at < part.size(); at += kSliceBytes) {
        const size_t slice = std::min(kSliceBytes, part.size() - at);
        TRY(encrypt(part.subspan(at, slice)));
        if (slice == kSliceBytes) TRY(send_encrypted());
      }
    }
    return send_encrypted();
  }

  bool can_write() override { return under_->can_write(); }
  void set_read_timeout(int64_t ns) override { under_->set_read_timeout(ns); }
  void shutdown() override { under_->shutdown(); }
  const std::string& peer() const override { return under_->peer(); }

  SSL* session() { return session_.get(); }

 private:
  static Error handshake_error() {
    if (ERR_peek_last_error() == 0) return Error(Code::kUnavailable, "the handshake failed");
    return failed(Code::kAccess, "the certificates do not agree");
  }

  // An alert is how a peer says that it does not take our certificate.
  Error broken() {
    const int cause = ERR_GET_REASON(ERR_peek_last_error());
    if (cause > SSL_AD_REASON_OFFSET) return failed(Code::kAccess, peer() + " refused us");
    return failed(Code::kUnavailable, "what came from " + peer() + " is not as it was sent");
  }

  // More of what the peer sent. The number of bytes. Only the reader takes them out, so that
  // without the lock nobody looks at where they go.
  Result<size_t> feed() {
    {
      const os::Lock lock(mutex_);
      if (wire_.begin < wire_.end) return wire_.end - wire_.begin;
    }
    const size_t count = TRY(under_->read_some(wire_.received));
    const os::Lock lock(mutex_);
    wire_.begin = 0;
    wire_.end = count;
    return count;
  }

  Status encrypt(ByteView bytes) {
    const os::Lock lock(mutex_);
    size_t count = 0;
    if (SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &count) != 1) {
      return failed(Code::kUnavailable, "encrypt for " + peer());
    }
    return {};
  }

  // The writer's alone, or of the handshake, when there is one thread.
  Status send_encrypted() {
    {
      const os::Lock lock(mutex_);
      sending_.clear();
      sending_.swap(wire_.encrypted);
    }
    if (sending_.empty()) return {};
    const ByteView bytes = as_bytes(sending_);
    return under_->write_all({&bytes, 1});
  }

  const std::unique_ptr<os::ByteStream> under_;
  const std::shared_ptr<TlsContext> context_;
  os::Mutex mutex_;  // a leaf; guards the session and what it does to the wire
  Wire wire_;
  const Session session_;
  std::string sending_;  // the writer's
};

Result<Peer> peer_of(SSL* session) {
  const Certificate shown(SSL_get1_peer_certificate(session));
  if (shown == nullptr) return Peer{.role = Role::kGuest};
  const Bio bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(bio.get(), shown.get()) != 1) {
    return failed(Code::kIo, "read the peer's certificate");
  }
  return subject_of(text_of(bio.get()));
}

Result<SecureStream> shake_hands(std::unique_ptr<os::ByteStream> under,
                                 const std::shared_ptr<TlsContext>& context, bool server) {
  ERR_clear_error();
  const TlsContext::Keys& keys = context->keys();
  if (server && keys.server == nullptr) return Error(Code::kAccess, "a guest serves nobody");
  Session session(SSL_new(server ? keys.server.get() : keys.client.get()));
  if (session == nullptr) return failed(Code::kIo, "begin TLS");
  server ? SSL_set_accept_state(session.get()) : SSL_set_connect_state(session.get());
  const std::string address = under->peer();
  auto stream = std::make_unique<TlsStream>(std::move(under), std::move(session), context);
  const Status shaken = stream->shake_hands();
  if (!shaken.ok()) {
    return Error(shaken.code(), "TLS with " + address + ": " + shaken.error().context());
  }
  Peer peer = TRY(peer_of(stream->session()));
  peer.address = address;
  return SecureStream{.stream = std::move(stream), .peer = std::move(peer)};
}

}  // namespace

TlsContext::TlsContext(std::unique_ptr<Keys> keys) : keys_(std::move(keys)) {}
TlsContext::~TlsContext() = default;

Result<std::shared_ptr<TlsContext>> TlsContext::make(const Credentials& credentials) {
  auto keys = std::make_unique<Keys>();
  keys->server = TRY(make_context(TLS_server_method()));
  keys->client = TRY(make_context(TLS_client_method()));
  for (SSL_CTX* const each : {keys->server.get(), keys->client.get()}) {
    TRY(use(each, credentials));
    // The server takes guests: what they may call is very little.
    SSL_CTX_set_verify(each, SSL_VERIFY_PEER, nullptr);
  }
  return std::shared_ptr<TlsContext>(new TlsContext(std::move(keys)));
}

Result<std::shared_ptr<TlsContext>> TlsContext::make_guest(const std::string& ca_fingerprint) {
  auto keys = std::make_unique<Keys>();
  keys->client = TRY(make_context(TLS_client_method()));
  keys->ca_fingerprint = ca_fingerprint;
  SSL_CTX_set_verify(keys->client.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(keys->client.get(), verify_by_fingerprint,
                                   &keys->ca_fingerprint);
  return std::shared_ptr<TlsContext>(new TlsContext(std::move(keys)));
}

Result<SecureStream> tls_connect(std::unique_ptr<os::ByteStream> under,
                                 const std::shared_ptr<TlsContext>& context) {
  SecureStream secure = TRY(shake_hands(std::move(under), context, false));
  if (secure.peer.role != Role::kNode) {
    return Error(Code::kAccess, secure.peer.address + " is no node of the cluster");
  }
  return secure;
}

Result<SecureStream> tls_accept(std::unique_ptr<os::ByteStream> under,
                                const std::shared_ptr<TlsContext>& context) {
  return shake_hands(std::move(under), context, true);
}

}  // namespace nacre::rpc
