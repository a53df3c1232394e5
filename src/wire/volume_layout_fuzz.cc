// The decoders of the volume superblock and of the list of hot blocks on arbitrary bytes. Its
// length and checksum stop nearly all of them, so what is behind those is tried with both made
// good: the first byte chooses. What decodes must encode to something that decodes to the same.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "base/check.h"
#include "codec/checksum.h"
#include "wire/heat_layout.h"
#include "wire/volume_layout.h"

namespace {

using namespace nacre;
using namespace nacre::wire;

void mend(std::string& file) {
  if (file.size() < 22) return;
  const auto length = static_cast<uint32_t>(file.size());
  std::memcpy(file.data(), "NacreVol", 8);
  std::memcpy(file.data() + 10, &length, sizeof(length));
  const uint64_t checksum = codec::xxh64(as_bytes(file).first(file.size() - 8));
  std::memcpy(file.data() + file.size() - 8, &checksum, sizeof(checksum));
}

void try_heat(std::string file) {
  if ((file.size() & 1) != 0 && file.size() > 16) {
    std::memcpy(file.data(), "NacreHot", 8);
    const uint64_t checksum = codec::xxh64(as_bytes(file).first(file.size() - 8));
    std::memcpy(file.data() + file.size() - 8, &checksum, sizeof(checksum));
  }
  const auto heat = decode_heat(as_bytes(file));
  if (!heat.ok()) return;
  const auto again = decode_heat(as_bytes(encode_heat(*heat)));
  CHECK(again.ok() && *again == *heat);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  std::string file(reinterpret_cast<const char*>(data + 1), size - 1);
  if ((data[0] & 2) != 0) return try_heat(std::move(file)), 0;
  if ((data[0] & 1) != 0) mend(file);
  const Result<VolumeSuperblock> superblock = decode_volume_superblock(as_bytes(file));
  if (!superblock.ok()) return 0;
  const Result<VolumeSuperblock> again =
      decode_volume_superblock(as_bytes(encode_volume_superblock(*superblock)));
  CHECK(again.ok() && *again == *superblock);
  return 0;
}
