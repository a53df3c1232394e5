// OpenSSL's objects, owned. Private to the sources of this folder.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nacre::rpc::openssl {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

using Bio = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Context = std::unique_ptr<SSL_CTX, Deleter<SSL_CTX_free>>;
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using SignRequest = std::unique_ptr<X509_REQ, Deleter<X509_REQ_free>>;
using Session = std::unique_ptr<SSL, Deleter<SSL_free>>;
using Store = std::unique_ptr<X509_STORE, Deleter<X509_STORE_free>>;

// The newest error of this thread in words; forgets all of them.
inline std::string last_words() {
  const unsigned long number = ERR_peek_last_error();
  ERR_clear_error();
  const char* const reason = number == 0 ? nullptr : ERR_reason_error_string(number);
  return reason == nullptr ? "no reason given" : reason;
}

inline Error failed(Code code, const std::string& what) {
  return Error(code, what + ": " + last_words());
}

inline Bio reader_of(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

inline std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size <= 0 ? std::string() : std::string(data, static_cast<size_t>(size));
}

inline Result<Certificate> read_certificate(const std::string& pem) {
  Certificate certificate(PEM_read_bio_X509(reader_of(pem).get(), nullptr, nullptr, nullptr));
  if (certificate == nullptr) return failed(Code::kCorrupt, "a certificate does not decode");
  return certificate;
}

inline Result<Key> read_key(const std::string& pem) {
  Key key(PEM_read_bio_PrivateKey(reader_of(pem).get(), nullptr, nullptr, nullptr));
  if (key == nullptr) return failed(Code::kCorrupt, "a private key does not decode");
  return key;
}

}  // namespace nacre::rpc::openssl
