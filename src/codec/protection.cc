#include "codec/protection.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#include "codec/checksum.h"

namespace nacre::codec {
namespace {

static_assert(std::endian::native == std::endian::little);

uint64_t sum_of(ByteView plain, ByteView associated) { return xxh64(plain, xxh64(associated)); }

}  // namespace

size_t Protection::overhead_bytes() const {
  return sealed() ? Sealer::kOverheadBytes : sizeof(uint64_t);
}

size_t Protection::protect(ByteView plain, ByteView associated, std::string& out) const {
  const size_t stored_bytes = plain.size() + overhead_bytes();
  if (sealer_) {
    const size_t begin = out.size();
    out.resize(begin + stored_bytes);
    sealer_->seal(plain, associated, as_writable_bytes(out).subspan(begin));
  } else {
    const uint64_t sum = sum_of(plain, associated);
    out.append(as_text(plain)).append(reinterpret_cast<const char*>(&sum), sizeof(sum));
  }
  return stored_bytes;
}

Status Protection::open(ByteView stored, ByteView associated, MutableBytes into) const {
  if (sealer_) return sealer_->open(stored, associated, into);
  if (stored.size() >= sizeof(uint64_t) && stored.size() - sizeof(uint64_t) == into.size()) {
    uint64_t sum = 0;
    std::memcpy(&sum, stored.last(sizeof(sum)).data(), sizeof(sum));
    const ByteView plain = stored.first(into.size());
    if (sum == sum_of(plain, associated)) {
      std::ranges::copy(plain, into.begin());
      return {};
    }
  }
  return Error(Code::kCorrupt, std::to_string(stored.size()) +
                                   " stored bytes fail their checksum, or are not in their place");
}

}  // namespace nacre::codec
