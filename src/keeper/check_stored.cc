// Checks of blocks against the block store: that all are there, whole, and nothing besides; and,
// when deep, that every byte can be read.
#include <fmt/format.h>

#include <algorithm>

#include "keeper/byte_ranges.h"
#include "keeper/check_run.h"

namespace nacre::keeper {

namespace {

constexpr uint64_t kReadBytes = kMiB;
constexpr uint64_t kPinpointBytes = 64 * kKiB;  // to which damage is narrowed down
constexpr size_t kOwnersTold = 5;

// Its size as stored; none if it is not. A block that went since `at` was looked at is none of
// ours.
Result<std::optional<uint64_t>> stored_bytes(CheckRun& run, BlockId block) {
  const auto at =
      std::lower_bound(run.stored.begin(), run.stored.end(), std::pair{block, uint64_t{0}});
  if (at != run.stored.end() && at->first == block) return std::optional(at->second);
  const auto info = run.volume.blocks().info(block);
  if (info.ok()) return std::optional(info->logical_bytes);
  if (info.code() != Code::kNotFound) return info.error();
  return std::optional<uint64_t>();
}

bool still_needed(CheckRun& run, BlockId block) {
  const auto row = run.rows.get(kv::Family::kBlocks, wire::block_key(block));
  return !row.ok() || row->has_value();
}

// "inode 5 (/a) at byte 0, ...": whose bytes in [begin, end) of the block are.
std::string owners_of(CheckRun& run, BlockId block, uint64_t begin, uint64_t end) {
  std::string text;
  size_t told = 0;
  const auto owners = run.rows.iterate(kv::Family::kBlocks,
                                       kv::prefix_range(wire::owner_prefix(block)), run.at.get());
  for (owners->seek_to_first(); owners->valid(); owners->next()) {
    const auto owner = wire::decode_owner_key(owners->key());
    const auto range = wire::decode_owner(owners->value());
    if (!owner.ok() || !range.ok() || range->block_offset >= end ||
        range->block_offset + range->length <= begin) {
      continue;
    }
    if (told++ == kOwnersTold) return text + ", and more";
    text += fmt::format("{}{} at byte {}", told == 1 ? "" : ", ", run.describe(owner->ino),
                        owner->offset);
  }
  return text;
}

Status check_block(CheckRun& run, BlockId block, const BlockFacts& facts) {
  const auto bytes = TRY(stored_bytes(run, block));
  const bool referenced = facts.owners.references > 0 || facts.extents.references > 0;
  if (!bytes) {
    if (!referenced || !still_needed(run, block)) return {};
    run.error(FindingKind::kBlockMissing, describe_block(block),
              "it is not stored; it held " + owners_of(run, block, 0, UINT64_MAX));
  } else if (facts.end > *bytes) {
    run.error(FindingKind::kBlockMissing, describe_block(block),
              fmt::format("it has {} bytes, and rows refer to {}", *bytes, facts.end));
  } else if (facts.has_row && facts.stored_bytes != *bytes) {
    run.warning(FindingKind::kBlockCounts, describe_block(block),
                fmt::format("it has {} bytes, and its row says {}", *bytes, facts.stored_bytes),
                true);
    run.mending.blocks[block];
  }
  return {};
}

void check_doomed(CheckRun& run, BlockId block, const BlockFacts& facts) {
  if (!facts.doomed) return;
  run.mending.doomed.push_back(block);
  if (!facts.has_row) return;
  run.warning(FindingKind::kBlockCounts, describe_block(block),
              "it is needed, and down to be removed", true);
}

// Nothing refers to it now; a block on its way into a commit has its row after the next one, one on
// its way into upkeep is excluded by the caller.
bool is_unowned(CheckRun& run, BlockId block) {
  if (still_needed(run, block) || !run.volume.blocks().info(block).ok()) return false;
  const auto owners =
      run.rows.iterate(kv::Family::kBlocks, kv::prefix_range(wire::owner_prefix(block)));
  owners->seek_to_first();
  return owners->status().ok() && !owners->valid();
}

// What a crash left unowned is swept when the volume is opened for writing: until then it is no
// problem.
Status check_unowned(CheckRun& run) {
  if (run.volume.is_read_only()) return {};
  std::vector<BlockId> suspects;
  for (const auto& [block, bytes] : run.stored) {
    const auto facts = run.blocks.find(block);
    const bool known = facts != run.blocks.end() &&
                       (facts->second.has_row || facts->second.owners.references > 0 ||
                        facts->second.extents.references > 0);
    if (!known) suspects.push_back(block);
  }
  if (suspects.empty()) return {};
  const auto body = [&]() -> Status {
    for (const BlockId block : suspects) {
      if (!is_unowned(run, block)) continue;
      run.warning(FindingKind::kBlockUnowned, describe_block(block), "no row refers to it", true);
      run.mending.unowned.push_back(block);
    }
    return {};
  };
  return run.options.exclusively ? run.options.exclusively(body) : body();
}

// Reads the referenced parts of one block; damage is told once for each stretch.
class BlockReader {
 public:
  BlockReader(CheckRun& run, uint64_t total) : run_(run), total_(total) {}

  Status operator()(BlockId block) {
    ByteRanges wanted;
    const auto owners = run_.rows.iterate(
        kv::Family::kBlocks, kv::prefix_range(wire::owner_prefix(block)), run_.at.get());
    for (owners->seek_to_first(); owners->valid(); owners->next()) {
      const auto range = wire::decode_owner(owners->value());
      if (range.ok()) wanted.add(range->block_offset, range->block_offset + range->length);
    }
    TRY(owners->status());
    bad_ = {};
    for (const auto& [begin, end] : wanted.ranges()) {
      if (!TRY(read(block, begin, end))) return {};
    }
    for (const auto& [begin, end] : bad_.ranges()) {
      run_.error(FindingKind::kBlockDamaged, describe_block(block),
                 fmt::format("bytes {} to {} cannot be read: {}; they hold {}", begin, end, why_,
                             owners_of(run_, block, begin, end)));
    }
    return {};
  }

 private:
  // False when the block is gone because nobody needs it any more.
  Result<bool> read(BlockId block, uint64_t begin, uint64_t end) {
    for (uint64_t at = begin; at < end; at += kReadBytes) {
      const uint64_t length = std::min(kReadBytes, end - at);
      if (run_.progress && !run_.progress({"bytes", run_.summary.bytes_read, total_})) {
        return Error(Code::kBusy, "the check was stopped");
      }
      buffer_.resize(length);
      const auto whole = run_.volume.blocks().read(block, at, as_writable_bytes(buffer_));
      run_.summary.bytes_read += length;
      if (whole.ok()) continue;
      if (whole.code() == Code::kNotFound) return false;  // missing was told, or is not needed
      pinpoint(block, at, at + length);
    }
    return true;
  }

  void pinpoint(BlockId block, uint64_t begin, uint64_t end) {
    for (uint64_t at = begin; at < end; at += kPinpointBytes) {
      buffer_.resize(std::min(kPinpointBytes, end - at));
      const auto part = run_.volume.blocks().read(block, at, as_writable_bytes(buffer_));
      if (part.ok()) continue;
      why_ = part.error().to_string();
      bad_.add(at, at + buffer_.size());
    }
  }

  CheckRun& run_;
  const uint64_t total_;
  std::string buffer_;
  ByteRanges bad_;
  std::string why_;
};

}  // namespace

Status check_stored(CheckRun& run) {
  for (const auto& [block, facts] : run.blocks) {
    TRY(check_block(run, block, facts));
    check_doomed(run, block, facts);
  }
  return check_unowned(run);
}

Status check_bytes(CheckRun& run) {
  std::vector<std::string> corrupt;
  TRY(run.rows.verify(corrupt));
  for (const std::string& line : corrupt) {
    run.error(FindingKind::kRowStore, "the row store", line);
  }
  uint64_t total = 0;
  for (const auto& [block, facts] : run.blocks) {
    total += std::min(facts.stored_bytes, facts.owners.bytes);
  }
  BlockReader read(run, total);
  for (const auto& [block, facts] : run.blocks) {
    if (facts.owners.references == 0) continue;
    TRY(read(block));
    TRY(check_fingerprints(run, block));
  }
  return {};
}

}  // namespace nacre::keeper
