#include "wire/pg_layout.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "wire/cursor.h"
#include "wire/frame.h"

namespace nacre::wire {
namespace {

constexpr FrameKind kChunkFrame{"NacrePGs", 1, kKnownPgFeatures, "the chunk of placement groups"};
constexpr uint8_t kStaleFlag = 1;
constexpr uint8_t kSourcesFlag = 2;

// One varint for a source that may be no device: 0 in place, 1 lost, else the number and 1.
uint64_t stored_source(DeviceNumber source) {
  if (source == kLost) return 1;
  return source == kNoDevice ? 0 : uint64_t{source.value} + 1;
}

void write_group(Writer& out, const PgTable& table, uint32_t pg) {
  const auto sources = table.sources(pg);
  const bool has_sources =
      std::ranges::any_of(sources, [](DeviceNumber source) { return source != kNoDevice; });
  out.u8(
      static_cast<uint8_t>((table.stale(pg) ? kStaleFlag : 0) | (has_sources ? kSourcesFlag : 0)));
  out.varint(table.epoch(pg));
  for (const DeviceNumber device : table.devices(pg)) out.varint(device.value);
  if (!has_sources) return;
  for (const DeviceNumber source : sources) out.varint(stored_source(source));
}

DeviceNumber read_device_number(Reader& in) {
  const uint64_t number = in.varint();
  if (number > kMaxDeviceNumber) in.fail();
  return {static_cast<uint32_t>(number)};
}

DeviceNumber read_source(Reader& in) {
  const uint64_t stored = in.varint();
  if (stored == 0) return kNoDevice;
  if (stored == 1) return kLost;
  if (stored - 1 > kMaxDeviceNumber) in.fail();
  return {static_cast<uint32_t>(stored - 1)};
}

PlacementGroup read_group(Reader& in, unsigned n) {
  PlacementGroup group{.devices = std::vector(n, kNoDevice), .sources = std::vector(n, kNoDevice)};
  const uint8_t flags = in.u8();
  if ((flags & ~(kStaleFlag | kSourcesFlag)) != 0) in.fail();
  group.stale = (flags & kStaleFlag) != 0;
  group.epoch = in.varint();
  for (DeviceNumber& device : group.devices) device = read_device_number(in);
  if ((flags & kSourcesFlag) == 0) return group;
  for (DeviceNumber& source : group.sources) source = read_source(in);
  if (std::ranges::count(group.sources, kNoDevice) == n) in.fail();  // one state has one encoding
  return group;
}

}  // namespace

std::string fault_of(const PlacementGroup& group, unsigned n) {
  if (group.devices.size() != n || group.sources.size() != n) {
    return fmt::format("a group should have {} positions", n);
  }
  std::vector<DeviceNumber> all;
  for (unsigned i = 0; i < n; ++i) {
    const DeviceNumber device = group.devices[i], source = group.sources[i];
    if (device.value > kMaxDeviceNumber) return "an impossible device number";
    if (device == kNoDevice && source != kNoDevice) return "a fragment moves to no device";
    if (source == kLost && !group.stale) return "a fragment is lost and its group is not stale";
    if (device != kNoDevice) all.push_back(device);
    if (source != kNoDevice && source != kLost) all.push_back(source);
  }
  std::ranges::sort(all);
  if (const auto twice = std::ranges::adjacent_find(all); twice != all.end()) {
    return fmt::format("device {} stands twice in a group", twice->value);
  }
  return "";
}

PgTable::PgTable(uint16_t pool, unsigned n, uint32_t pg_count)
    : pool_(pool),
      n_(n),
      devices_(size_t{n} * pg_count),
      sources_(size_t{n} * pg_count),
      epochs_(pg_count),
      stale_(pg_count) {}

PlacementGroup PgTable::group(uint32_t pg) const {
  const auto all_devices = devices(pg), all_sources = sources(pg);
  return {.devices = {all_devices.begin(), all_devices.end()},
          .sources = {all_sources.begin(), all_sources.end()},
          .epoch = epoch(pg),
          .stale = stale(pg)};
}

void PgTable::set_group(uint32_t pg, const PlacementGroup& group) {
  CHECK(pg < size() && group.devices.size() == n_ && group.sources.size() == n_);
  std::ranges::copy(group.devices, devices(pg).begin());
  std::ranges::copy(group.sources, sources(pg).begin());
  set_epoch(pg, group.epoch);
  set_stale(pg, group.stale);
}

std::string encode_pg_chunk(const PgTable& table, uint32_t chunk) {
  CHECK(chunk < chunk_count_of(table.size()));
  const uint32_t first = chunk * kPgsPerChunk;
  const uint32_t end = std::min(first + kPgsPerChunk, table.size());
  std::string body;
  Writer out(body);
  out.u16(table.pool());
  out.u8(static_cast<uint8_t>(table.n()));
  out.u32(table.size());
  out.u32(first);
  for (uint32_t pg = first; pg < end; ++pg) {
    CHECK(fault_of(table.group(pg), table.n()).empty());
    write_group(out, table, pg);
  }
  return encode_frame(kChunkFrame, {}, as_bytes(body));
}

Result<uint32_t> apply_pg_chunk(ByteView bytes, PgTable& table) {
  const Framed framed = TRY(decode_frame(kChunkFrame, bytes));
  Reader in(framed.body);
  const uint16_t pool = in.u16();
  const uint8_t n = in.u8();
  const uint32_t pg_count = in.u32();
  const uint32_t first = in.u32();
  if (!in.ok() || pool != table.pool() || n != table.n() || pg_count != table.size()) {
    return Error(Code::kCorrupt,
                 fmt::format("the chunk is of pool {} with {} groups of {} instead of pool {} with "
                             "{} groups of {}",
                             pool, pg_count, n, table.pool(), table.size(), table.n()));
  }
  if (first % kPgsPerChunk != 0 || first >= pg_count) {
    return Error(Code::kCorrupt, fmt::format("no chunk begins at group {}", first));
  }
  std::vector<PlacementGroup> groups(std::min(kPgsPerChunk, pg_count - first));
  for (PlacementGroup& group : groups) {
    if (in.ok()) group = read_group(in, n);
  }
  TRY(in.finish("the chunk of placement groups"));
  for (size_t i = 0; i < groups.size(); ++i) {
    if (const std::string fault = fault_of(groups[i], n); !fault.empty()) {
      return Error(Code::kCorrupt, fmt::format("placement group {}: {}", first + i, fault));
    }
  }
  for (uint32_t i = 0; i < groups.size(); ++i) table.set_group(first + i, groups[i]);
  return chunk_of(first);
}

}  // namespace nacre::wire
