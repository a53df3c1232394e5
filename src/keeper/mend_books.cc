// Mending the books: what no reader sees. Each is counted again from the rows as they are now,
// between two commits.
#include <algorithm>

#include "keeper/mending.h"
#include "keeper/owned_extent.h"
#include "keeper/patient_upkeep.h"
#include "meta/extents.h"
#include "meta/lookup.h"

namespace nacre::keeper {

namespace {

constexpr size_t kBlocksPerStep = 200;
constexpr size_t kRowsPerStep = 5'000;

// Calls `mend(builder, item)` for all items, a batch at a time.
template <class Items, class Mend>
Status in_steps(fs::Volume& volume, const Items& items, size_t per_step, Mend&& mend) {
  for (auto at = items.begin(); at != items.end();) {
    auto next = at;
    TRY(patient_upkeep(volume, [&](meta::CommitBuilder& builder) -> Status {
          next = at;
          for (size_t i = 0; i < per_step && next != items.end(); ++i, ++next) {
            TRY(mend(builder, *next));
          }
          return {};
        }).status);
    at = next;
  }
  return {};
}

Status recount_allocated(fs::Volume& volume, meta::CommitBuilder& builder, InodeId ino) {
  const std::string key = wire::inode_key(ino);
  const auto stored = TRY(volume.rows().get(kv::Family::kLive, key));
  if (!stored) return {};
  auto row = TRY(wire::decode_inode(*stored));
  row.allocated_bytes = 0;
  TRY(meta::visit_extents(volume.rows(), nullptr, ino, 0, uint64_t{INT64_MAX},
                          [&](const meta::Extent& extent) {
                            row.allocated_bytes += extent.row.length;
                            return true;
                          }));
  builder.mend(kv::Family::kLive, key, wire::encode(row));
  return {};
}

// Counts one block's references anew.
class Recount {
 public:
  Recount(fs::Volume& volume, meta::CommitBuilder& builder, BlockId block)
      : volume_(volume), rows_(volume.rows()), builder_(builder), block_(block) {}

  Status operator()(const std::vector<UnownedExtent>& unowned) {
    TRY(count_owners());
    for (const UnownedExtent& extent : unowned) TRY(own(extent));
    return write_row();
  }

 private:
  Status count_owners() {
    const auto owners =
        rows_.iterate(kv::Family::kBlocks, kv::prefix_range(wire::owner_prefix(block_)));
    for (owners->seek_to_first(); owners->valid(); owners->next()) {
      const auto owner = TRY(wire::decode_owner_key(owners->key()));
      const auto range = wire::decode_owner(owners->value());
      const auto extent = TRY(find_extent(rows_, nullptr, owner.ino, owner.offset, owner.begin));
      const bool fits = range.ok() && extent && is_owned(extent->row, block_, *range);
      if (fits || (range.ok() && TRY(is_damaged_place(rows_, nullptr, owner.ino, owner.offset)))) {
        count(range->length);
      } else {
        builder_.mend(kv::Family::kBlocks, std::string(owners->key()), std::nullopt);
      }
    }
    return owners->status();
  }

  Status own(const UnownedExtent& place) {
    const auto extent = TRY(find_extent(rows_, nullptr, place.ino, place.offset, place.begin));
    if (!extent || extent->row.kind != wire::ExtentKind::kBlock || extent->row.block != block_) {
      return {};
    }
    const std::string key = wire::owner_key(block_, place.ino, place.offset, place.begin);
    const auto stored = TRY(rows_.get(kv::Family::kBlocks, key));
    const auto range = wire::decode_owner(stored.value_or(""));
    if (range.ok() && is_owned(extent->row, block_, *range)) return {};  // counted above
    builder_.mend(kv::Family::kBlocks, key,
                  wire::encode(wire::OwnerRow{extent->row.block_offset, extent->row.length}));
    count(extent->row.length);
    return {};
  }

  void count(uint64_t length) {
    ++row_.references;
    row_.referenced_bytes += length;
  }

  Status write_row() {
    const std::string key = wire::block_key(block_);
    if (row_.references == 0) {
      builder_.mend(kv::Family::kBlocks, key, std::nullopt);
      return builder_.erase_fingerprints(block_);
    }
    const auto info = volume_.blocks().info(block_);
    const auto stored = TRY(rows_.get(kv::Family::kBlocks, key));
    const auto before = wire::decode_block(stored.value_or(""));
    if (info.ok()) {
      row_.stored_bytes = info->logical_bytes;
    } else if (before.ok()) {
      row_.stored_bytes = before->stored_bytes;
    }
    builder_.mend(kv::Family::kBlocks, key, wire::encode(row_));
    return {};
  }

  fs::Volume& volume_;
  kv::Store& rows_;
  meta::CommitBuilder& builder_;
  const BlockId block_;
  wire::BlockRow row_;
};

Status mend_state(fs::Volume& volume, const Mending& mending) {
  const auto nothing = [](meta::CommitBuilder&) { return Status(); };
  const auto add = [](uint64_t& count, int64_t change) {
    count = static_cast<uint64_t>(std::max<int64_t>(0, static_cast<int64_t>(count) + change));
  };
  return patient_upkeep(volume, nothing,
                        [&](wire::StateRow& state) {
                          add(state.inodes, mending.inode_count);
                          add(state.live_bytes, mending.live_bytes);
                          if (state.referenced_bytes) {
                            add(*state.referenced_bytes, mending.referenced_bytes);
                          }
                          state.next_inode = std::max(state.next_inode, mending.next_inode);
                          state.pruned =
                              std::min(state.pruned, mending.pruned.value_or(state.pruned));
                        })
      .status;
}

// What nothing refers to, after all.
Status remove_unowned(fs::Volume& volume, const std::vector<BlockId>& blocks) {
  for (const BlockId block : blocks) {
    if (TRY(volume.rows().get(kv::Family::kBlocks, wire::block_key(block)))) continue;
    TRY(volume.blocks().remove(block));
  }
  return {};
}

}  // namespace

Status erase_damaged(fs::Volume& volume, const Mending& mending) {
  return in_steps(volume, mending.erased_rows, kRowsPerStep,
                  [&](meta::CommitBuilder& builder, const auto& row) -> Status {
                    const auto stored = TRY(volume.rows().get(kv::Family::kLive, row.first));
                    if (stored != row.second) return {};
                    builder.mend(kv::Family::kLive, row.first, std::nullopt);
                    return {};
                  });
}

Status mend_books(fs::Volume& volume, const Mending& mending) {
  using Builder = meta::CommitBuilder;
  TRY(mend_state(volume, mending));
  TRY(in_steps(volume, mending.allocated, kRowsPerStep, [&](Builder& builder, InodeId ino) {
    return recount_allocated(volume, builder, ino);
  }));
  TRY(in_steps(volume, mending.blocks, kBlocksPerStep, [&](Builder& builder, const auto& mend) {
    return Recount(volume, builder, mend.first)(mend.second);
  }));
  TRY(in_steps(volume, mending.changes, kRowsPerStep, [&](Builder& builder, const auto& change) {
    builder.mend(kv::Family::kChanges, change.first, change.second);
    return Status();
  }));
  TRY(in_steps(volume, mending.fingerprints, kRowsPerStep,
               [&](Builder& builder, const auto& row) -> Status {
                 const auto stored = TRY(volume.rows().get(kv::Family::kBlocks, row.first));
                 if (stored == row.second)
                   builder.mend(kv::Family::kBlocks, row.first, std::nullopt);
                 return {};
               }));
  TRY(in_steps(volume, mending.doomed, kRowsPerStep, [&](Builder& builder, BlockId block) {
    builder.erase_doomed(block);
    return Status();
  }));
  std::vector<BlockId> unowned = mending.unowned;
  for (const auto& [block, extents] : mending.blocks) unowned.push_back(block);
  return remove_unowned(volume, unowned);
}

Status mend(fs::Volume& volume, const Mending& mending) {
  TRY(erase_damaged(volume, mending));
  TRY(mend_present(volume, mending));
  return mend_books(volume, mending);
}

}  // namespace nacre::keeper
