// The decoders of what nodes send each other, on arbitrary bytes: headers of calls, lists of
// fragments and views of the cluster. The first byte chooses which; views are also tried with bytes
// of a good one changed and its checksums made good. What decodes must encode to something that
// decodes to the same.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "block/cluster_calls.h"
#include "block/cluster_view.h"
#include "codec/checksum.h"
#include "wire/cluster_example.h"
#include "wire/cursor.h"

namespace {

using namespace nacre;
using namespace nacre::block;

// By their encodings: what differs in a field differs there.
template <class Value>
void try_header(Result<Value> (*decode)(std::string_view), std::string_view header) {
  const Result<Value> value = decode(header);
  if (!value.ok()) return;
  const std::string encoded = encode(*value);
  const Result<Value> again = decode(encoded);
  CHECK(again.ok() && encode(*again) == encoded);
}

void try_list(std::string_view bytes) {
  const auto list = decode_fragment_list(as_bytes(bytes));
  if (list.ok()) CHECK(encode_fragment_list(*list) == bytes);
}

void try_view(std::string_view bytes) {
  const Result<ClusterView> view = decode_view(bytes);
  if (!view.ok()) return;
  const std::string encoded = encode_view(*view);
  const Result<ClusterView> again = decode_view(encoded);
  CHECK(again.ok() && again->map == view->map && again->tables == view->tables &&
        again->up == view->up);
  // What callers ask of any view.
  for (const wire::ClusterDevice& device : view->map.devices) (void)view->is_up(device.number);
  for (const wire::Pool& pool : view->map.pools) {
    CHECK(view->group(pool, pool.pg_count - 1).devices.size() == pool.code.n());
  }
  (void)view->locate({.high = 0, .low = 0});
}

ClusterView example_view() {
  ClusterView view;
  view.map = wire::example_map();
  view.map.pools[0].pg_count = wire::kPgsPerChunk + 1;
  for (const wire::Pool& pool : view.map.pools) {
    wire::PgTable& table = view.tables.emplace(pool.id, wire::PgTable(pool)).first->second;
    for (uint32_t pg = 0; pg < table.size(); ++pg) {
      table.devices(pg)[0] = {1};
      if (pg % 2 == 1) table.sources(pg)[0] = {300};
    }
  }
  view.up = {view.map.nodes[1].id};
  return view;
}

// The map, the chunks of the tables, and what is behind them.
std::vector<std::string> pieces_of(const ClusterView& view) {
  const std::string bytes = encode_view(view);
  wire::Reader in(bytes);
  size_t frames = 1;
  for (const wire::Pool& pool : view.map.pools) frames += wire::chunk_count_of(pool.pg_count);
  std::vector<std::string> pieces;
  for (size_t i = 0; i < frames; ++i) pieces.emplace_back(in.sized_text());
  pieces.emplace_back(as_text(in.rest()));
  return pieces;
}

void mend(std::string& frame) {
  if (frame.size() < 46) return;
  const auto length = static_cast<uint32_t>(frame.size());
  std::memcpy(frame.data() + 10, &length, sizeof(length));
  const uint64_t checksum = codec::xxh64(as_bytes(frame).first(frame.size() - 8));
  std::memcpy(frame.data() + frame.size() - 8, &checksum, sizeof(checksum));
}

// Each five bytes are a change: in which piece, where, whether a byte is replaced, put in or taken
// out, and the byte.
std::string changed_view(std::string_view changes) {
  static const std::vector<std::string> kGood = pieces_of(example_view());
  std::vector<std::string> pieces = kGood;
  wire::Reader in(changes);
  while (in.remaining() >= 5) {
    std::string& piece = pieces[in.u8() % pieces.size()];
    const size_t at = in.u16() % (piece.size() + 1);
    const uint8_t what = in.u8() % 3;
    const char byte = static_cast<char>(in.u8());
    if (what == 0 && at < piece.size()) piece[at] = byte;
    if (what == 1) piece.insert(at, 1, byte);
    if (what == 2) piece.erase(at, 1);
  }
  std::string bytes;
  wire::Writer out(bytes);
  for (size_t i = 0; i + 1 < pieces.size(); ++i) {
    mend(pieces[i]);
    out.sized(pieces[i]);
  }
  return bytes + pieces.back();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0] % 9) {
    case 0:
      try_header(decode_put_fragment, bytes);
      break;
    case 1:
      try_header(decode_get_fragment, bytes);
      break;
    case 2:
      try_header(decode_fragment_found, bytes);
      break;
    case 3:
      try_header(decode_remove_fragment, bytes);
      break;
    case 4:
      try_header(decode_list_fragments, bytes);
      break;
    case 5:
      try_header(decode_heal_fragment, bytes);
      break;
    case 6:
      try_list(bytes);
      break;
    case 7:
      try_view(bytes);
      break;
    default:
      try_view(changed_view(bytes));
  }
  return 0;
}
