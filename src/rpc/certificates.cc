#include "rpc/certificates.h"

#include <openssl/x509v3.h>

#include "os/random.h"
#include "os/tcp.h"
#include "rpc/openssl.h"

namespace nacre::rpc {
namespace {

using namespace openssl;

constexpr long kDay = 24L * 60 * 60;
constexpr long kLifetime = 20 * 365 * kDay;
// Clocks of nodes differ.
constexpr long kBackdated = -kDay;
constexpr long kVersion3 = 2;

constexpr const char* kOrganization = "Nacre";

std::string name_of(Role role) { return role == Role::kNode ? "node" : "client"; }

Result<Key> make_key() {
  Key key(EVP_EC_gen("P-256"));
  if (key == nullptr) return failed(Code::kIo, "make a private key");
  return key;
}

template <class Write>
Result<std::string> to_pem(Write write) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr || write(bio.get()) != 1) return failed(Code::kIo, "write PEM");
  return text_of(bio.get());
}

Result<std::string> pem_of(X509* certificate) {
  return to_pem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate); });
}

Result<std::string> pem_of(EVP_PKEY* key) {
  return to_pem([&](BIO* bio) {
    return PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  });
}

bool add_entry(X509_NAME* name, const char* field, const std::string& text) {
  const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
  return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, bytes,
                                    static_cast<int>(text.size()), -1, 0) == 1;
}

bool add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  if (extension == nullptr) return false;
  const bool added = X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

// What all certificates have: a random number of 63 bits, times, the key.
Result<Certificate> begin_certificate(EVP_PKEY* key) {
  Certificate certificate(X509_new());
  const bool begun =
      certificate != nullptr && X509_set_version(certificate.get(), kVersion3) == 1 &&
      ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()),
                              os::real_random().next() >> 1) == 1 &&
      X509_gmtime_adj(X509_getm_notBefore(certificate.get()), kBackdated) != nullptr &&
      X509_gmtime_adj(X509_getm_notAfter(certificate.get()), kLifetime) != nullptr &&
      X509_set_pubkey(certificate.get(), key) == 1;
  if (!begun) return failed(Code::kIo, "make a certificate");
  return certificate;
}

// Kept to what host names are made of: the text is OpenSSL's configuration language.
bool is_host(const std::string& host) {
  return !host.empty() && host.size() <= 253 &&
         host.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
             ".:-_") == std::string::npos;
}

Result<std::string> alternative_names(const Subject& subject) {
  std::string names = "DNS:localhost,IP:127.0.0.1,IP:::1";
  for (const std::string& host : subject.hosts) {
    if (!is_host(host)) return Error(Code::kInvalid, "'" + host + "' is no name of a host");
    names += (os::is_number(host) ? ",IP:" : ",DNS:") + host;
  }
  return names;
}

Result<std::string> certify(const Authority& authority, EVP_PKEY* key, const Subject& subject) {
  const Certificate issuer = TRY(read_certificate(authority.certificate));
  const Key issuer_key = TRY(read_key(authority.key));
  const Certificate certificate = TRY(begin_certificate(key));
  X509* const made = certificate.get();
  X509_NAME* const name = X509_get_subject_name(made);
  const std::string hosts = TRY(alternative_names(subject));
  const bool complete =
      add_entry(name, "O", kOrganization) && add_entry(name, "OU", name_of(subject.role)) &&
      add_entry(name, "CN", subject.name) &&
      X509_set_issuer_name(made, X509_get_subject_name(issuer.get())) == 1 &&
      add_extension(made, issuer.get(), NID_basic_constraints, "critical,CA:FALSE") &&
      add_extension(made, issuer.get(), NID_key_usage, "critical,digitalSignature") &&
      add_extension(made, issuer.get(), NID_ext_key_usage, "serverAuth,clientAuth") &&
      add_extension(made, issuer.get(), NID_subject_alt_name, hosts) &&
      X509_sign(made, issuer_key.get(), EVP_sha256()) != 0;
  if (!complete) return failed(Code::kIo, "make a certificate for " + subject.name);
  return pem_of(made);
}

std::string entry_of(X509_NAME* name, int kind) {
  const int at = X509_NAME_get_index_by_NID(name, kind, -1);
  if (at < 0) return {};
  const ASN1_STRING* const text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<size_t>(ASN1_STRING_length(text))};
}

}  // namespace

Result<Authority> make_authority(const std::string& name) {
  const Key key = TRY(make_key());
  const Certificate certificate = TRY(begin_certificate(key.get()));
  X509* const made = certificate.get();
  X509_NAME* const subject = X509_get_subject_name(made);
  const bool complete =
      add_entry(subject, "O", kOrganization) && add_entry(subject, "CN", name) &&
      X509_set_issuer_name(made, subject) == 1 &&
      add_extension(made, made, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
      add_extension(made, made, NID_key_usage, "critical,keyCertSign,cRLSign") &&
      X509_sign(made, key.get(), EVP_sha256()) != 0;
  if (!complete) return failed(Code::kIo, "make a certificate authority");
  return Authority{.certificate = TRY(pem_of(made)), .key = TRY(pem_of(key.get()))};
}

Result<Credentials> issue(const Authority& authority, const Subject& subject) {
  const Key key = TRY(make_key());
  return Credentials{.ca = authority.certificate,
                     .certificate = TRY(certify(authority, key.get(), subject)),
                     .key = TRY(pem_of(key.get()))};
}

Result<SigningRequest> make_request() {
  const Key key = TRY(make_key());
  const SignRequest request(X509_REQ_new());
  if (request == nullptr || X509_REQ_set_pubkey(request.get(), key.get()) != 1 ||
      X509_REQ_sign(request.get(), key.get(), EVP_sha256()) == 0) {
    return failed(Code::kIo, "make a request for a certificate");
  }
  return SigningRequest{
      .request = TRY(to_pem([&](BIO* bio) { return PEM_write_bio_X509_REQ(bio, request.get()); })),
      .key = TRY(pem_of(key.get()))};
}

Result<std::string> sign(const Authority& authority, const std::string& request,
                         const Subject& subject) {
  const SignRequest parsed(
      PEM_read_bio_X509_REQ(reader_of(request).get(), nullptr, nullptr, nullptr));
  EVP_PKEY* const key = parsed == nullptr ? nullptr : X509_REQ_get0_pubkey(parsed.get());
  if (key == nullptr || X509_REQ_verify(parsed.get(), key) != 1) {
    return failed(Code::kInvalid, "a request for a certificate does not decode");
  }
  return certify(authority, key, subject);
}

Result<std::string> fingerprint(const std::string& certificate) {
  const Certificate parsed = TRY(read_certificate(certificate));
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  if (X509_digest(parsed.get(), EVP_sha256(), reinterpret_cast<unsigned char*>(digest.data()),
                  &size) != 1) {
    return failed(Code::kIo, "sum up a certificate");
  }
  digest.resize(size);
  return digest;
}

Result<Peer> subject_of(const std::string& certificate) {
  const Certificate parsed = TRY(read_certificate(certificate));
  X509_NAME* const name = X509_get_subject_name(parsed.get());
  const std::string role = entry_of(name, NID_organizationalUnitName);
  if (role != "node" && role != "client") {
    return Error(Code::kCorrupt, "a certificate names neither a node nor a client");
  }
  return Peer{.role = role == "node" ? Role::kNode : Role::kClient,
              .name = entry_of(name, NID_commonName)};
}

}  // namespace nacre::rpc
