// The secret by which the key of a sealed bucket is had: a passphrase, or a key file. Pure but for
// randomness; safe from any thread.
#pragma once

#include <string>

#include "base/result.h"
#include "codec/key_wrap.h"
#include "codec/seal.h"
#include "wire/device_layout.h"

namespace nacre::node {

// One of the two; none: the bucket is not sealed.
struct BucketSecret {
  std::string passphrase = {};
  std::string key_file = {};  // its content

  bool empty() const { return passphrase.empty() && key_file.empty(); }
};

Result<codec::WrappedKey> wrap_key(const codec::SealKey& key, wire::VolumeId volume,
                                   const BucketSecret& secret);
// kAccess for another secret; kInvalid, and what is needed, without one or for one of the wrong
// kind.
Result<codec::SealKey> unwrap_key(const codec::WrappedKey& wrapped, wire::VolumeId volume,
                                  const BucketSecret& secret);

}  // namespace nacre::node
