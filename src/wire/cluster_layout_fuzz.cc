// The decoders of the cluster map and of chunks of placement groups on arbitrary bytes. The first
// byte chooses which, and whether frame and checksum are made good so that what is behind them is
// tried. What decodes must encode to something that decodes to the same.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "base/check.h"
#include "codec/checksum.h"
#include "wire/pg_layout.h"

namespace {

using namespace nacre;
using namespace nacre::wire;

void mend(std::string& value, const char* magic) {
  if (value.size() < 46) return;
  const auto length = static_cast<uint32_t>(value.size());
  std::memcpy(value.data(), magic, 8);
  std::memcpy(value.data() + 10, &length, sizeof(length));
  const uint64_t checksum = codec::xxh64(as_bytes(value).first(value.size() - 8));
  std::memcpy(value.data() + value.size() - 8, &checksum, sizeof(checksum));
}

void try_map(const std::string& value) {
  const Result<ClusterMap> map = decode_cluster_map(as_bytes(value));
  if (!map.ok()) return;
  const Result<ClusterMap> again = decode_cluster_map(as_bytes(encode_cluster_map(*map)));
  CHECK(again.ok() && *again == *map);
}

void try_chunk(const std::string& value, unsigned n) {
  PgTable table(1, n, 515);
  const Result<uint32_t> chunk = apply_pg_chunk(as_bytes(value), table);
  CHECK(chunk.ok() || table == PgTable(1, n, 515));
  if (!chunk.ok()) return;
  PgTable again(1, n, 515);
  CHECK(apply_pg_chunk(as_bytes(encode_pg_chunk(table, *chunk)), again).ok() && again == table);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const uint8_t choice = data[0];
  std::string value(reinterpret_cast<const char*>(data + 1), size - 1);
  if ((choice & 1) != 0) mend(value, (choice & 2) != 0 ? "NacreMap" : "NacrePGs");
  if ((choice & 2) != 0) {
    try_map(value);
  } else {
    try_chunk(value, 1 + choice / 4 % 6);
  }
  return 0;
}
