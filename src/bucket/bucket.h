// Objects in a bucket of a cloud: the interface of every object store (S3, memory) and of the
// decorators in front of them. All run the same contract suite (bucket_contract.h).
//
// An object is bytes under a key of up to kMaxKeyBytes bytes of [A-Za-z0-9/_.-]. Every method may
// be called from any thread, many at once, and blocks for as long as the store takes.
//
// Errors, always with the key, the endpoint and what to do: kUnavailable when the store cannot be
// reached, throttles or fails (try later); kAccess when it does not take the credentials, or they
// may not do that; kInvalid when it refuses for what is set wrong: no such bucket, another region,
// a clock too far off; kNoSpace over a quota; kCorrupt when an answer is cut off or is not what its
// checksum says; kCancelled after stop().
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace nacre::bucket {

inline constexpr size_t kMaxKeyBytes = 900;
inline constexpr uint64_t kMaxObjectBytes = uint64_t{1} << 30;

struct ObjectInfo {
  std::string key = {};
  uint64_t bytes = 0;
};

class Bucket {
 public:
  virtual ~Bucket() = default;

  // Stores the concatenation of `parts`, all of it or nothing, and replaces what is there. On
  // return it is durable, and the store has confirmed by its checksum that it has these bytes.
  // kTooBig over kMaxObjectBytes.
  virtual Status put(const std::string& key, std::span<const ByteView> parts) = 0;
  // Fills `into` with the bytes at `offset`. kNotFound; kOutOfRange unless the object has them all.
  // A store may give wrong bytes: who reads verifies them by sums of his own.
  virtual Status read(const std::string& key, uint64_t offset, MutableBytes into) = 0;
  // The whole object. kNotFound; kTooBig when it has more than `limit_bytes`.
  virtual Result<std::string> get(const std::string& key, uint64_t limit_bytes) = 0;
  // kNotFound.
  virtual Result<ObjectInfo> info(const std::string& key) = 0;
  // Objects whose keys begin with `prefix`, in the order of their keys, until `visit` returns
  // false. A store may leave out what was put just now and name what was removed just now.
  virtual Status list(const std::string& prefix,
                      const std::function<bool(const ObjectInfo&)>& visit) = 0;
  // Idempotent.
  virtual Status remove(const std::string& key) = 0;
  // Uploads in parts that were begun under the prefix and never ended, by writers that died, cost
  // money and are in no listing. Ends those older than `age`; returns how many. Uploads under way
  // that are that old fail with kUnavailable.
  virtual Result<size_t> abort_stale_uploads(const std::string& prefix,
                                             std::chrono::seconds age) = 0;

  // Calls under way and all later ones end with kCancelled, soon.
  virtual void stop() = 0;
};

}  // namespace nacre::bucket
