// Checks of block accounting: owner rows stand for extents one to one, and block rows count them.
//
// All extents were tallied by block already. Here all owner rows are; where the tallies or the
// block row disagree, that block's rows are compared one by one.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "keeper/check_run.h"
#include "keeper/owned_extent.h"

namespace nacre::keeper {

namespace {

void read_block_row(CheckRun& run, BlockId block, std::string_view value) {
  ++run.summary.blocks;
  const auto row = wire::decode_block(value);
  if (!row.ok()) {
    return run.error(FindingKind::kUndecodable, describe_block(block), "its row does not decode",
                     true);
  }
  BlockFacts& facts = run.blocks[block];
  facts.has_row = true;
  facts.row_references = row->references;
  facts.row_bytes = row->referenced_bytes;
  facts.stored_bytes = row->stored_bytes;
}

void read_owner_row(CheckRun& run, std::string_view key, std::string_view value) {
  const auto owner = wire::decode_owner_key(key);
  const auto range = wire::decode_owner(value);
  if (!owner.ok()) {
    return run.error(FindingKind::kUndecodable, describe_key(key), "this key does not decode");
  }
  BlockFacts& facts = run.blocks[owner->block];
  ++facts.owners.references;
  if (!range.ok()) {
    facts.owners.mix += 1;  // makes the block a suspect
    return run.error(FindingKind::kUndecodable, describe_block(owner->block),
                     "one of its owner rows does not decode", true);
  }
  facts.owners.bytes += range->length;
  facts.owners.mix += mix_of(*owner, *range);
  facts.end = std::max(facts.end, range->block_offset + range->length);
}

Status read_books(CheckRun& run) {
  return run.each("books", kv::Family::kBlocks, {},
                  [&](std::string_view key, std::string_view value) -> Status {
                    if (read_pack_row(run, key, value)) return Status();
                    if (TRY(read_fingerprint_row(run, key, value))) return Status();
                    const auto block = wire::block_of(key);
                    if (!block.ok()) {
                      run.error(FindingKind::kUndecodable, describe_key(key),
                                "this key does not decode");
                      return Status();
                    }
                    switch (key.front()) {
                      case wire::kBlockRowKind:
                        read_block_row(run, *block, value);
                        break;
                      case wire::kOwnerRowKind:
                        read_owner_row(run, key, value);
                        break;
                      default:
                        run.blocks[*block].doomed = true;
                    }
                    return Status();
                  });
}

// The rows of suspect blocks, one by one.
class SuspectCheck {
 public:
  explicit SuspectCheck(CheckRun& run) : run_(run) {
    for (const auto& [block, facts] : run.blocks) {
      const bool agree = facts.extents == facts.owners &&
                         facts.row_references == facts.owners.references &&
                         facts.row_bytes == facts.owners.bytes;
      const bool row_for_nothing = facts.has_row && facts.owners.references == 0;
      if (!agree || row_for_nothing) suspects_.emplace(block, BlockTally{});
    }
  }

  Status operator()() {
    if (suspects_.empty()) return {};
    for (auto& [block, truth] : suspects_) TRY(check_owners(block, truth));
    for (const auto family : {kv::Family::kLive, kv::Family::kPast}) {
      const std::string extents(1, static_cast<char>(wire::RowKind::kExtent));
      TRY(run_.each("books", family, kv::prefix_range(extents),
                    [&](std::string_view key, std::string_view value) {
                      return check_extent(family == kv::Family::kPast, key, value);
                    }));
    }
    for (const auto& [block, truth] : suspects_) check_counts(block, truth);
    return {};
  }

 private:
  Result<bool> is_damaged(InodeId ino, uint64_t offset) {
    return is_damaged_place(run_.rows, run_.at.get(), ino, offset);
  }

  // Owner rows without their extent.
  Status check_owners(BlockId block, BlockTally& truth) {
    const auto range = kv::prefix_range(wire::owner_prefix(block));
    return run_.each(
        "books", kv::Family::kBlocks, range,
        [&](std::string_view key, std::string_view value) -> Status {
          const auto owner = TRY(wire::decode_owner_key(key));
          const auto part = wire::decode_owner(value);
          const auto extent =
              TRY(find_extent(run_.rows, run_.at.get(), owner.ino, owner.offset, owner.begin));
          const bool fits = part.ok() && extent && is_owned(extent->row, block, *part);
          const bool believed = part.ok() && !fits && TRY(is_damaged(owner.ino, owner.offset));
          if (fits || believed) {
            ++truth.references;
            truth.bytes += part->length;
          } else {
            found(block, owner.ino, owner.offset, "an owner row without its extent");
          }
          return {};
        });
  }

  Status check_extent(bool past, std::string_view key, std::string_view value) {
    std::string_view live_key = key;
    if (past) {
      const auto decoded = wire::decode_past_key(key);
      if (!decoded.ok()) return {};
      live_key = decoded->live_key;
    }
    const auto live = wire::decode_live_key(live_key);
    const auto row = wire::decode_extent(value);
    if (!live.ok() || !row.ok() || row->kind != wire::ExtentKind::kBlock) return {};
    const auto suspect = suspects_.find(row->block);
    if (suspect == suspects_.end()) return {};
    const std::string owner = wire::owner_key(row->block, live->ino, live->position, row->begin);
    const auto stored = TRY(run_.rows.get(kv::Family::kBlocks, owner, run_.at.get()));
    const auto range = wire::decode_owner(stored.value_or(""));
    if (range.ok() && is_owned(*row, row->block, *range)) return {};
    if (TRY(is_damaged(live->ino, live->position))) return {};
    ++suspect->second.references;
    suspect->second.bytes += row->length;
    found(row->block, live->ino, live->position, "an extent without its owner row",
          Severity::kError);
    run_.mending.blocks[row->block].push_back({live->ino, live->position, row->begin});
    return {};
  }

  void found(BlockId block, InodeId ino, uint64_t offset, std::string what,
             Severity severity = Severity::kWarning) {
    run_.found(severity, FindingKind::kOwnerRow,
               fmt::format("{}, {} at byte {}", describe_block(block), run_.describe(ino), offset),
               std::move(what), true);
    run_.mending.blocks[block];
  }

  // Too low a count frees the block while it is needed.
  void check_counts(BlockId block, const BlockTally& truth) {
    const BlockFacts& facts = run_.blocks[block];
    const bool nothing = facts.has_row && truth.references == 0;
    if (facts.row_references == truth.references && facts.row_bytes == truth.bytes && !nothing)
      return;
    const bool low = facts.row_references < truth.references;
    run_.found(low ? Severity::kError : Severity::kWarning, FindingKind::kBlockCounts,
               describe_block(block),
               fmt::format("{} references to {} bytes are counted as {} to {}", truth.references,
                           truth.bytes, facts.row_references, facts.row_bytes),
               true);
    run_.mending.blocks[block];
  }

  CheckRun& run_;
  std::map<BlockId, BlockTally> suspects_;  // and their true counts; `mix` is unused
};

}  // namespace

Status check_books(CheckRun& run) {
  TRY(read_books(run));
  check_packs(run);
  return SuspectCheck(run)();
}

}  // namespace nacre::keeper
