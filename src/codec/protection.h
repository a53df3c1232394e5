// How stored bytes are kept from passing for others. A volume with a key has them sealed; one
// without has an XXH64 behind them, whose seed comes from the associated data: what they are and
// where they belong. So damage, and a piece in the place of another, are found in both; an
// attacker is kept out by the first alone. Safe from any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/seal.h"

namespace nacre::codec {

class Protection {
 public:
  static constexpr size_t kMaxOverheadBytes = Sealer::kOverheadBytes;

  // A checksum.
  Protection() = default;
  // Sealed under a copy of the key.
  explicit Protection(const SealKey& key) : sealer_(key) {}

  bool sealed() const { return sealer_.has_value(); }
  // How much longer what is stored is: 8 or 40.
  size_t overhead_bytes() const;

  // Appends the stored form of `plain`, which must not point into `out`, and returns its bytes:
  // plain.size() + overhead_bytes(). open() must be told the same `associated`.
  size_t protect(ByteView plain, ByteView associated, std::string& out) const;
  // Fills `into` from its stored form. kCorrupt when that has another length, was changed, or was
  // stored with other associated data or another key.
  Status open(ByteView stored, ByteView associated, MutableBytes into) const;

 private:
  std::optional<Sealer> sealer_;
};

}  // namespace nacre::codec
