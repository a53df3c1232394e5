#include "keeper/repack.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>

#include "block/block_id.h"
#include "keeper/owned_extent.h"
#include "keeper/patient_upkeep.h"

namespace nacre::keeper {

namespace {

constexpr uint64_t kRowsPerStep = 5'000;

// One victim's survivors, read and placed.
struct Placed {
  Victim victim;
  std::string bytes;
  std::map<uint64_t, uint64_t> places;  // begin of a surviving range → offset in the new block

  // Where a range of the victim went; none if it was not copied.
  std::optional<uint64_t> moved(uint64_t offset, uint64_t length) const {
    const auto* range = victim.survivors.covering(offset, offset + length);
    if (range == nullptr) return std::nullopt;
    return places.at(range->first) + (offset - range->first);
  }
};

// The survivors go to the new block from `offset` on.
Placed place(Victim victim, std::string bytes, uint64_t offset) {
  Placed placed{std::move(victim), std::move(bytes), {}};
  for (const auto& [from, to] : placed.victim.survivors.ranges()) {
    placed.places[from] = offset;
    offset += to - from;
  }
  return placed;
}

Result<std::string> read_survivors(block::Store& blocks, const Victim& victim) {
  std::string bytes(victim.survivors.bytes(), '\0');
  uint64_t at = 0;
  for (const auto& [from, to] : victim.survivors.ranges()) {
    TRY(blocks.read(victim.block, from, as_writable_bytes(bytes).subspan(at, to - from)));
    at += to - from;
  }
  return bytes;
}

// Points the owners of placed blocks at the new block, in bounded steps. Rows that do not fit each
// other are left alone: check mends them.
class Mover {
 public:
  Mover(fs::Volume& volume, BlockId target, uint64_t target_bytes,
        const std::vector<Placed>& placed)
      : volume_(volume), target_(target), target_bytes_(target_bytes), placed_(placed) {}

  bool done() const { return at_.index == placed_.size(); }
  uint64_t rows_moved() const { return rows_moved_; }
  // Whether any row may point at the new block.
  bool target_in_use() const { return in_use_; }

  Status step() {
    Cursor cursor;
    uint64_t moved = 0;
    UpkeepOutcome outcome = patient_upkeep(volume_, [&](meta::CommitBuilder& builder) {
      cursor = at_;
      moved = 0;
      return build(builder, cursor, moved);
    });
    if (moved > 0 && outcome.maybe_applied) in_use_ = true;
    TRY(std::move(outcome.status));
    at_ = cursor;
    rows_moved_ += moved;
    return {};
  }

 private:
  struct Cursor {
    size_t index = 0;   // of the victim
    std::string owner;  // its owner rows from here on
  };

  Status build(meta::CommitBuilder& builder, Cursor& cursor, uint64_t& moved) {
    for (uint64_t seen = 0; cursor.index < placed_.size(); ++cursor.index, cursor.owner.clear()) {
      const Placed& from = placed_[cursor.index];
      const std::string prefix = wire::owner_prefix(from.victim.block);
      const auto owners = volume_.rows().iterate(kv::Family::kBlocks, kv::prefix_range(prefix));
      for (owners->seek(std::max(cursor.owner, prefix)); owners->valid(); owners->next()) {
        if (seen++ == kRowsPerStep) {
          cursor.owner = owners->key();
          return {};
        }
        TRY(move(builder, from, owners->key(), owners->value(), moved));
      }
      TRY(owners->status());
    }
    return {};
  }

  Status move(meta::CommitBuilder& builder, const Placed& from, std::string_view key,
              std::string_view value, uint64_t& moved) {
    const auto owner = wire::decode_owner_key(key);
    const auto range = wire::decode_owner(value);
    if (!owner.ok() || !range.ok()) return {};
    const auto offset = from.moved(range->block_offset, range->length);
    if (!offset) return {};
    const auto extent =
        TRY(find_extent(volume_.rows(), nullptr, owner->ino, owner->offset, owner->begin));
    if (!extent || !is_owned(extent->row, owner->block, *range)) return {};
    if (!in_use_ && moved == 0) {
      builder.add_block(target_, target_bytes_);
      TRY(move_fingerprints(builder));
    }
    ++moved;
    wire::ExtentRow to = extent->row;
    to.block = target_;
    to.block_offset = *offset;
    return builder.repoint(extent->live_key, extent->past_end, extent->row, to);
  }

  // All at once, so that new content finds only the new block from now on.
  Status move_fingerprints(meta::CommitBuilder& builder) {
    for (const Placed& from : placed_) {
      const BlockId block = from.victim.block;
      const auto rows = volume_.rows().iterate(
          kv::Family::kBlocks, kv::prefix_range(wire::fingerprint_of_prefix(block)));
      for (rows->seek_to_first(); rows->valid(); rows->next()) {
        const auto fingerprint = wire::decode_fingerprint(rows->value());
        if (!fingerprint.ok()) continue;
        const auto stored =
            TRY(volume_.rows().get(kv::Family::kBlocks, wire::fingerprint_key(*fingerprint)));
        const auto place = wire::decode_content_place(stored.value_or(""));
        if (!place.ok() || place->block != block) continue;
        const auto offset = from.moved(place->offset, place->length);
        if (!offset) continue;
        builder.move_fingerprint(*fingerprint, *place, {target_, *offset, place->length});
      }
      TRY(rows->status());
    }
    return {};
  }

  fs::Volume& volume_;
  const BlockId target_;
  const uint64_t target_bytes_;
  const std::vector<Placed>& placed_;
  Cursor at_;
  uint64_t rows_moved_ = 0;
  bool in_use_ = false;
};

}  // namespace

Result<Repacked> repack(fs::Volume& volume, std::vector<Victim> victims) {
  Repacked done;
  std::vector<Placed> placed;
  std::vector<ByteView> parts;
  for (Victim& victim : victims) {
    auto bytes = read_survivors(volume.blocks(), victim);
    if (!bytes.ok()) {
      if (bytes.code() != Code::kNotFound) done.damaged.push_back(victim.block);
      continue;
    }
    placed.push_back(place(std::move(victim), bytes.take(), done.bytes_written));
    done.bytes_written += placed.back().bytes.size();
  }
  if (done.bytes_written == 0) return done;
  for (const Placed& from : placed) parts.push_back(as_bytes(from.bytes));
  const BlockId target = block::make_block_id(volume.random());
  TRY(volume.blocks().put(target, parts));

  Mover mover(volume, target, done.bytes_written, placed);
  Status moved;
  while (moved.ok() && !mover.done()) moved = mover.step();
  if (!mover.target_in_use()) {
    done.bytes_written = 0;
    TRY(volume.blocks().remove(target));
  }
  TRY(std::move(moved));
  done.rows_moved = mover.rows_moved();
  for (const Placed& from : placed) {
    if (TRY(volume.rows().get(kv::Family::kBlocks, wire::block_key(from.victim.block)))) continue;
    ++done.blocks_freed;
    done.bytes_freed += from.victim.stored_bytes;
  }
  return done;
}

}  // namespace nacre::keeper
