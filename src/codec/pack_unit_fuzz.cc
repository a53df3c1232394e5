// Opening of arbitrary bytes as a unit of a pack. The first byte chooses compression and
// protection, and whether a good checksum is put behind them, for a sum stops nearly all; the next
// two are the length.
#include <cstddef>
#include <cstdint>
#include <string>

#include "codec/pack_unit.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace nacre;
  using namespace nacre::codec;
  if (size < 3) return 0;
  const auto compression = static_cast<Compression>(data[0] % 3);
  const bool mend = (data[0] & 0x40) != 0;
  const UnitPlace place{.block = {1, 2}, .unit = 0, .units = 1};
  const Protection protection =
      (data[0] & 0x80) == 0
          ? Protection()
          : Protection(SealKey::from_bytes(as_bytes(std::string(32, 'k'))).take());
  std::string into(static_cast<size_t>(data[1] | data[2] << 8), '\0');
  std::string stored(reinterpret_cast<const char*>(data + 3), size - 3);
  if (mend && !stored.empty() && stored.size() <= kPackUnitBytes) {
    std::string whole;
    UnitPacker(Compression::kNone, protection).store(as_bytes(stored), place, whole);
    stored = whole;
  }
  (void)UnitOpener(compression, protection)
      .open(as_bytes(stored), place, as_writable_bytes(into))
      .ok();
  return 0;
}
