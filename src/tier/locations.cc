#include "tier/locations.h"

#include <algorithm>
#include <map>

namespace nacre::tier {
namespace {

constexpr kv::Family kFamily = kv::Family::kBlocks;

std::string prefix_of(char kind) { return std::string(1, kind); }

// The pack has the block no more. Returns its bytes.
uint64_t take_out(wire::PackRow& pack, const wire::PackedBlock& block) {
  const uint64_t bytes = std::min(block.stored_bytes(), pack.live_bytes);
  pack.live_bytes -= bytes;
  pack.blocks -= std::min<uint64_t>(pack.blocks, 1);
  return bytes;
}

void put_in(kv::Batch& rows, wire::PackId pack, const wire::PackedBlock& block) {
  rows.put(kFamily, wire::location_key(block.id), wire::encode_location({pack, block}));
  rows.put(kFamily, wire::pack_member_key(pack, block.offset_bytes), wire::encode_member(block.id));
}

void bury(kv::Batch& rows, wire::PackId pack, uint64_t batch) {
  rows.put(kFamily, wire::dead_pack_key(pack), wire::encode(wire::DeadPackRow{batch}));
}

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
    put_in(rows, pack.id, block);
  }
  const bool dead = pack.blocks.empty();
  if (dead) {
    bury(rows, pack.id, batch);
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
  wire::PackRow pack = TRY(pack_row(location.pack, id));
  const uint64_t bytes = take_out(pack, location.block);

  kv::Batch rows;
  rows.erase(kFamily, wire::location_key(id));
  rows.erase(kFamily, wire::pack_member_key(location.pack, location.block.offset_bytes));
  const bool dead = pack.blocks == 0;
  if (dead) {
    rows.erase(kFamily, pack_key);
    bury(rows, location.pack, batch);
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

Result<wire::PackRow> Locations::pack_row(wire::PackId pack, BlockId of) {
  const auto row = TRY(rows_.get(kFamily, wire::pack_key(pack)));
  if (row) return wire::decode_pack(*row);
  return Error(Code::kCorrupt, "block " + to_hex(of) + " is in pack " + to_hex(pack) +
                                   ", which has no row: run nacre check");
}

Status Locations::list_packs(const std::function<bool(wire::PackId, const wire::PackRow&)>& visit) {
  const auto rows = rows_.iterate(kFamily, kv::prefix_range(prefix_of(wire::kPackRowKind)));
  for (rows->seek_to_first(); rows->valid(); rows->next()) {
    const wire::PackId pack = TRY(wire::decode_pack_key(rows->key()));
    if (!visit(pack, TRY(wire::decode_pack(rows->value())))) return {};
  }
  return rows->status();
}

Result<std::vector<wire::PackLocation>> Locations::members(wire::PackId pack) {
  std::vector<wire::PackLocation> members;
  const auto rows = rows_.iterate(kFamily, kv::prefix_range(wire::pack_member_prefix(pack)));
  for (rows->seek_to_first(); rows->valid(); rows->next()) {
    // One that was removed meanwhile has no location any more.
    const auto location = TRY(find(TRY(wire::decode_member(rows->value()))));
    if (location && location->pack == pack) members.push_back(*location);
  }
  TRY(rows->status());
  return members;
}

Status Locations::move(StoredPack pack, const std::vector<wire::PackLocation>& from,
                       uint64_t batch) {
  wire::PackRow row{.object_bytes = pack.object_bytes, .written = pack.written};
  std::map<wire::PackId, wire::PackRow> left;
  uint64_t bytes_before = 0;
  kv::Batch rows;
  const os::Lock lock(mutex_);
  for (size_t i = 0; i < from.size(); ++i) {
    const auto now = TRY(find(from[i].block.id));
    if (!now || *now != from[i]) continue;
    auto other = left.find(now->pack);
    if (other == left.end()) {
      other = left.emplace(now->pack, TRY(pack_row(now->pack, now->block.id))).first;
    }
    bytes_before += take_out(other->second, now->block);
    rows.erase(kFamily, wire::pack_member_key(now->pack, now->block.offset_bytes));
    put_in(rows, pack.id, pack.blocks[i]);
    row.live_bytes += pack.blocks[i].stored_bytes();
    ++row.blocks;
  }
  for (const auto& [id, other] : left) rows.put(kFamily, wire::pack_key(id), wire::encode(other));
  if (row.blocks == 0) {
    bury(rows, pack.id, batch);
  } else {
    rows.put(kFamily, wire::pack_key(pack.id), wire::encode(row));
  }
  TRY(rows_.write(rows, kv::Durability::kBuffered));
  if (row.blocks == 0) {
    ++totals_.dead_packs;
    return {};
  }
  ++totals_.packs;
  totals_.object_bytes += row.object_bytes;
  totals_.live_bytes += row.live_bytes - bytes_before;
  return {};
}

Status Locations::bury_empty(uint64_t batch) {
  kv::Batch rows;
  uint64_t packs = 0;
  uint64_t bytes = 0;
  const os::Lock lock(mutex_);
  TRY(list_packs([&](wire::PackId pack, const wire::PackRow& row) {
    if (row.blocks > 0) return true;
    rows.erase(kFamily, wire::pack_key(pack));
    bury(rows, pack, batch);
    ++packs;
    bytes += row.object_bytes;
    return true;
  }));
  if (packs == 0) return {};
  TRY(rows_.write(rows, kv::Durability::kBuffered));
  totals_.packs -= packs;
  totals_.object_bytes -= bytes;
  totals_.dead_packs += packs;
  return {};
}

// Who is on the way gets a row before it is there.
Result<bool> Locations::knows(wire::PackId pack) {
  {
    const os::Lock lock(mutex_);
    if (on_their_way_.contains(pack)) return true;
  }
  if (TRY(rows_.get(kFamily, wire::pack_key(pack)))) return true;
  return TRY(rows_.get(kFamily, wire::dead_pack_key(pack))).has_value();
}

PackOnItsWay::PackOnItsWay(Locations& locations, wire::PackId pack)
    : locations_(locations), pack_(pack) {
  const os::Lock lock(locations_.mutex_);
  locations_.on_their_way_.insert(pack_);
}

PackOnItsWay::~PackOnItsWay() {
  const os::Lock lock(locations_.mutex_);
  locations_.on_their_way_.erase(pack_);
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
