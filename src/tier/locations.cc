#include "tier/locations.h"

#include <algorithm>

namespace nacre::tier {
namespace {

constexpr kv::Family kFamily = kv::Family::kBlocks;

std::string prefix_of(char kind) { return std::string(1, kind); }

}  // namespace

Status Locations::open() {
  const os::Lock lock(mutex_);
  totals_ = {};
  const auto packs = rows_.iterate(kFamily, kv::prefix_range(prefix_of(wire::kPackRowKind)));
  for (packs->seek_to_first(); packs->valid(); packs->next()) {
    const wire::PackRow pack = TRY(wire::decode_pack(packs->value()));
    ++totals_.packs;
    totals_.object_bytes += pack.object_bytes;
    totals_.live_bytes += pack.live_bytes;
    totals_.blocks += pack.blocks;
  }
  TRY(packs->status());
  const auto dead = rows_.iterate(kFamily, kv::prefix_range(prefix_of(wire::kDeadPackRowKind)));
  for (dead->seek_to_first(); dead->valid(); dead->next()) ++totals_.dead_packs;
  return dead->status();
}

Result<std::optional<wire::PackLocation>> Locations::find(BlockId id) {
  const auto row = TRY(rows_.get(kFamily, wire::location_key(id)));
  if (!row) return std::optional<wire::PackLocation>();
  return std::optional(TRY(wire::decode_location(*row, id)));
}

Status Locations::add(const StoredPack& pack, uint64_t batch) {
  wire::PackRow row{
      .object_bytes = pack.object_bytes, .blocks = pack.blocks.size(), .written = pack.written};
  kv::Batch rows;
  for (const wire::PackedBlock& block : pack.blocks) {
    row.live_bytes += block.stored_bytes();
    rows.put(kFamily, wire::location_key(block.id), wire::encode_location({pack.id, block}));
    rows.put(kFamily, wire::pack_member_key(pack.id, block.offset_bytes),
             wire::encode_member(block.id));
  }
  const bool dead = pack.blocks.empty();
  if (dead) {
    rows.put(kFamily, wire::dead_pack_key(pack.id), wire::encode(wire::DeadPackRow{batch}));
  } else {
    rows.put(kFamily, wire::pack_key(pack.id), wire::encode(row));
  }
  const os::Lock lock(mutex_);
  TRY(rows_.write(rows, kv::Durability::kSynced));
  if (dead) {
    ++totals_.dead_packs;
    return {};
  }
  ++totals_.packs;
  totals_.object_bytes += row.object_bytes;
  totals_.live_bytes += row.live_bytes;
  totals_.blocks += row.blocks;
  return {};
}

Status Locations::remove(BlockId id, uint64_t batch) {
  const os::Lock lock(mutex_);
  const auto stored = TRY(rows_.get(kFamily, wire::location_key(id)));
  if (!stored) return {};
  const wire::PackLocation location = TRY(wire::decode_location(*stored, id));
  const std::string pack_key = wire::pack_key(location.pack);
  const auto pack_row = TRY(rows_.get(kFamily, pack_key));
  if (!pack_row) {
    return Error(Code::kCorrupt, "block " + to_hex(id) + " is in pack " + to_hex(location.pack) +
                                     ", which has no row: run nacre check");
  }
  wire::PackRow pack = TRY(wire::decode_pack(*pack_row));
  const uint64_t bytes = std::min(location.block.stored_bytes(), pack.live_bytes);
  pack.live_bytes -= bytes;
  pack.blocks -= std::min<uint64_t>(pack.blocks, 1);

  kv::Batch rows;
  rows.erase(kFamily, wire::location_key(id));
  rows.erase(kFamily, wire::pack_member_key(location.pack, location.block.offset_bytes));
  const bool dead = pack.blocks == 0;
  if (dead) {
    rows.erase(kFamily, pack_key);
    rows.put(kFamily, wire::dead_pack_key(location.pack), wire::encode(wire::DeadPackRow{batch}));
  } else {
    rows.put(kFamily, pack_key, wire::encode(pack));
  }
  TRY(rows_.write(rows, kv::Durability::kBuffered));
  --totals_.blocks;
  totals_.live_bytes -= bytes;
  if (dead) {
    --totals_.packs;
    ++totals_.dead_packs;
    totals_.object_bytes -= pack.object_bytes;
  }
  return {};
}

Status Locations::list(const std::function<bool(const wire::PackLocation&)>& visit) {
  const auto rows = rows_.iterate(kFamily, kv::prefix_range(prefix_of(wire::kLocationRowKind)));
  for (rows->seek_to_first(); rows->valid(); rows->next()) {
    const BlockId id = TRY(wire::decode_location_key(rows->key()));
    if (!visit(TRY(wire::decode_location(rows->value(), id)))) return {};
  }
  return rows->status();
}

Result<std::vector<wire::PackId>> Locations::dead(uint64_t batch, size_t most) {
  std::vector<wire::PackId> packs;
  const auto rows = rows_.iterate(kFamily, kv::prefix_range(prefix_of(wire::kDeadPackRowKind)));
  for (rows->seek_to_first(); rows->valid() && packs.size() < most; rows->next()) {
    if (TRY(wire::decode_dead_pack(rows->value())).batch > batch) continue;
    packs.push_back(TRY(wire::decode_pack_key(rows->key())));
  }
  TRY(rows->status());
  return packs;
}

Status Locations::forget_dead(wire::PackId pack) {
  const os::Lock lock(mutex_);
  kv::Batch rows;
  rows.erase(kFamily, wire::dead_pack_key(pack));
  TRY(rows_.write(rows, kv::Durability::kBuffered));
  totals_.dead_packs -= std::min<uint64_t>(totals_.dead_packs, 1);
  return {};
}

BucketTotals Locations::totals() {
  const os::Lock lock(mutex_);
  return totals_;
}

}  // namespace nacre::tier
