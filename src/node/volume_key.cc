#include "node/volume_key.h"

#include "wire/bucket_layout.h"

namespace nacre::node {

Result<codec::WrappedKey> wrap_key(const codec::SealKey& key, wire::VolumeId volume,
                                   const BucketSecret& secret) {
  const std::string associated = wire::key_associated(volume);
  return secret.key_file.empty()
             ? codec::wrap_by_passphrase(key, as_bytes(associated), as_bytes(secret.passphrase))
             : codec::wrap_by_key_file(key, as_bytes(associated), as_bytes(secret.key_file));
}

Result<codec::SealKey> unwrap_key(const codec::WrappedKey& wrapped, wire::VolumeId volume,
                                  const BucketSecret& secret) {
  const bool by_file = wrapped.wrapping == codec::KeyWrapping::kKeyFile;
  if (by_file ? secret.key_file.empty() : secret.passphrase.empty()) {
    return Error(Code::kInvalid, by_file ? "the bucket is sealed by a key file: --key-file FILE"
                                         : "the bucket is sealed by a passphrase: --encrypt");
  }
  const std::string associated = wire::key_associated(volume);
  return by_file
             ? codec::unwrap_by_key_file(wrapped, as_bytes(associated), as_bytes(secret.key_file))
             : codec::unwrap_by_passphrase(wrapped, as_bytes(associated),
                                           as_bytes(secret.passphrase));
}

}  // namespace nacre::node
