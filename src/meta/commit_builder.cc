#include "meta/commit_builder.h"

#include <algorithm>

#include "base/check.h"

namespace nacre::meta {

namespace {

constexpr size_t kKeysPerChangePart = 4096;

// What is left of an extent after its first `skip` bytes, cut to `length`.
wire::ExtentRow part_of(const wire::ExtentRow& row, uint64_t skip, uint64_t length) {
  wire::ExtentRow part = row;
  part.length = length;
  if (row.kind == wire::ExtentKind::kBlock) part.block_offset += skip;
  if (row.kind == wire::ExtentKind::kInline) part.data = row.data.substr(skip, length);
  return part;
}

wire::ExtentRow row_of(const ContentChange& change, uint64_t skip, uint64_t length) {
  wire::ExtentRow row;
  row.length = length;
  switch (change.kind) {
    case ContentChange::Kind::kBlock:
      row.kind = wire::ExtentKind::kBlock;
      row.block = change.block;
      row.block_offset = change.block_offset + skip;
      break;
    case ContentChange::Kind::kInline:
      row.kind = wire::ExtentKind::kInline;
      row.data = change.data.substr(skip, length);
      break;
    default:
      row.kind = wire::ExtentKind::kUnwritten;
  }
  return row;
}

// Whether `next`, which begins where `row` ends, continues it.
bool continues(const wire::ExtentRow& row, const wire::ExtentRow& next) {
  if (row.kind != next.kind) return false;
  switch (row.kind) {
    case wire::ExtentKind::kBlock:
      return row.block == next.block && row.block_offset + row.length == next.block_offset;
    case wire::ExtentKind::kUnwritten:
      return true;
    case wire::ExtentKind::kInline:
      return false;
  }
  return false;
}

}  // namespace

CommitBuilder::CommitBuilder(kv::Store& store, Sequence sequence, uint64_t block_size)
    : store_(store), sequence_(sequence), block_size_(block_size) {}

void CommitBuilder::add_block(BlockId block, uint64_t stored_bytes) {
  blocks_[block].stored_bytes = stored_bytes;
}

void CommitBuilder::add_fingerprint(codec::Fingerprint fingerprint,
                                    const wire::ContentPlace& place) {
  new_fingerprints_.emplace(fingerprint, place);
}

void CommitBuilder::move_fingerprint(codec::Fingerprint fingerprint, const wire::ContentPlace& from,
                                     const wire::ContentPlace& to) {
  moved_fingerprints_.insert(fingerprint);
  batch_.erase(kv::Family::kBlocks, wire::fingerprint_of_key(from.block, from.offset));
  put_fingerprint(fingerprint, to);
}

void CommitBuilder::put_fingerprint(codec::Fingerprint fingerprint,
                                    const wire::ContentPlace& place) {
  batch_.put(kv::Family::kBlocks, wire::fingerprint_key(fingerprint), wire::encode(place));
  batch_.put(kv::Family::kBlocks, wire::fingerprint_of_key(place.block, place.offset),
             wire::encode_fingerprint(fingerprint));
}

void CommitBuilder::own(InodeId ino, uint64_t offset, const wire::ExtentRow& row) {
  if (row.kind != wire::ExtentKind::kBlock) return;
  BlockDelta& delta = blocks_[row.block];
  ++delta.references;
  delta.bytes += static_cast<int64_t>(row.length);
  referenced_bytes_change_ += static_cast<int64_t>(row.length);
  batch_.put(kv::Family::kBlocks, wire::owner_key(row.block, ino, offset, row.begin),
             wire::encode(wire::OwnerRow{row.block_offset, row.length}));
}

void CommitBuilder::disown(InodeId ino, uint64_t offset, const wire::ExtentRow& row) {
  if (row.kind != wire::ExtentKind::kBlock) return;
  BlockDelta& delta = blocks_[row.block];
  --delta.references;
  delta.bytes -= static_cast<int64_t>(row.length);
  referenced_bytes_change_ -= static_cast<int64_t>(row.length);
  batch_.erase(kv::Family::kBlocks, wire::owner_key(row.block, ino, offset, row.begin));
}

// The live row becomes a past row; its owner row stays.
void CommitBuilder::retire_extent(InodeId ino, const Extent& extent) {
  std::string key = wire::extent_key(ino, extent.offset);
  batch_.put(kv::Family::kPast, wire::past_key(key, sequence_), wire::encode(extent.row));
  count_live(ino, extent.row, -1);
  touched_.insert(key);
  batch_.erase(kv::Family::kLive, std::move(key));
}

void CommitBuilder::put_extent(InodeId ino, uint64_t offset, const wire::ExtentRow& row) {
  std::string key = wire::extent_key(ino, offset);
  own(ino, offset, row);
  count_live(ino, row, +1);
  touched_.insert(key);
  batch_.put(kv::Family::kLive, std::move(key), wire::encode(row));
}

void CommitBuilder::count_live(InodeId ino, const wire::ExtentRow& row, int64_t sign) {
  const int64_t bytes = sign * static_cast<int64_t>(row.length);
  allocated_change_[ino] += bytes;
  if (row.kind == wire::ExtentKind::kBlock) live_bytes_change_ += bytes;
}

// Retires the committed extents that overlap [begin, end); what stands out on either side goes to
// `kept`.
Status CommitBuilder::clear(ExtentReader& stored, InodeId ino, uint64_t begin, uint64_t end,
                            std::map<uint64_t, wire::ExtentRow>& kept) {
  return stored.visit(begin, end, [&](const Extent& extent) {
    // An extent that begins before the range may have been retired by an earlier change.
    const bool retired =
        extent.offset < begin && touched_.contains(wire::extent_key(ino, extent.offset));
    if (!retired) {
      retire_extent(ino, extent);
      if (extent.offset < begin)
        kept[extent.offset] = part_of(extent.row, 0, begin - extent.offset);
    }
    if (extent.end() > end) {
      kept[end] = part_of(extent.row, end - extent.offset, extent.end() - end);
    }
    return true;
  });
}

Status CommitBuilder::add_content(InodeId ino, std::span<const ContentChange> changes) {
  // Rows of the file after this commit that are not in the store yet, by offset.
  std::map<uint64_t, wire::ExtentRow> rows;
  ExtentReader stored(store_, nullptr, ino);
  for (const ContentChange& change : changes) {
    const uint64_t end = change.offset + change.length;
    // A remainder kept by an earlier change may reach into this one.
    if (auto at = rows.upper_bound(change.offset); at != rows.begin()) {
      --at;
      const uint64_t at_end = at->first + at->second.length;
      if (at_end > change.offset) {
        const wire::ExtentRow whole = at->second;
        const uint64_t start = at->first;
        rows.erase(at);
        if (start < change.offset) rows[start] = part_of(whole, 0, change.offset - start);
        if (at_end > end) rows[end] = part_of(whole, end - start, at_end - end);
      }
    }
    TRY(clear(stored, ino, change.offset, end, rows));
    if (change.kind == ContentChange::Kind::kHole) continue;
    for (uint64_t at = change.offset; at < end;) {
      const uint64_t length = std::min(end, round_down(at, block_size_) + block_size_) - at;
      rows[at] = row_of(change, at - change.offset, length);
      at += length;
    }
  }
  for (auto at = rows.begin(); at != rows.end();) {
    const uint64_t offset = at->first;
    wire::ExtentRow row = std::move(at->second);
    for (++at; at != rows.end() && at->first == offset + row.length &&
               at->first % block_size_ != 0 && continues(row, at->second);
         ++at) {
      row.length += at->second.length;
    }
    row.begin = sequence_;
    put_extent(ino, offset, row);
  }
  allocated_change_.try_emplace(ino, 0);
  return {};
}

Result<bool> CommitBuilder::remove_content(InodeId ino, uint64_t limit) {
  uint64_t seen = 0;
  TRY(visit_extents(store_, nullptr, ino, 0, uint64_t{INT64_MAX}, [&](const Extent& extent) {
    if (++seen > limit) return false;
    retire_extent(ino, extent);
    return true;
  }));
  return seen <= limit;
}

// The group's rows may carry an older count of allocated bytes: the store's, with this commit's
// change, is the truth.
Status CommitBuilder::settle_inode(const std::string& key, const PendingRow& row,
                                   std::string& value) {
  const InodeId ino = TRY(wire::decode_live_key(key)).ino;
  const auto change = allocated_change_.find(ino);
  if (!row.base && change == allocated_change_.end()) return {};
  auto inode = TRY(wire::decode_inode(value));
  uint64_t allocated = 0;
  if (row.base) {
    if (const auto stored = TRY(store_.get(kv::Family::kLive, key))) {
      allocated = TRY(wire::decode_inode(*stored)).allocated_bytes;
    }
  }
  if (change != allocated_change_.end()) {
    allocated = static_cast<uint64_t>(static_cast<int64_t>(allocated) + change->second);
    allocated_bytes_[ino] = allocated;
  }
  if (inode.allocated_bytes == allocated) return {};
  inode.allocated_bytes = allocated;
  value = wire::encode(inode);
  return {};
}

Status CommitBuilder::add_group(const Group& group) {
  for (const auto& [key, row] : group.rows) {
    if (row.history && row.base) {
      batch_.put(kv::Family::kPast, wire::past_key(key, sequence_), *row.base);
    }
    touched_.insert(key);
    if (!row.value) {
      batch_.erase(kv::Family::kLive, key);
      continue;
    }
    std::string value = *row.value;
    if (key.front() == static_cast<char>(wire::RowKind::kInode)) TRY(settle_inode(key, row, value));
    batch_.put(kv::Family::kLive, key, std::move(value));
  }
  for (const auto& [key, value] : group.volume_rows) put_volume(key, value);
  return {};
}

Status CommitBuilder::drop_past(std::string_view past_key, std::string_view value) {
  const auto past = TRY(wire::decode_past_key(past_key));
  const auto live = TRY(wire::decode_live_key(past.live_key));
  if (live.kind == wire::RowKind::kExtent) {
    const auto row = TRY(wire::decode_extent(value));
    disown(live.ino, live.position, row);
  }
  batch_.erase(kv::Family::kPast, std::string(past_key));
  return {};
}

Status CommitBuilder::repoint(const std::string& live_key, std::optional<Sequence> past_end,
                              const wire::ExtentRow& from, const wire::ExtentRow& to) {
  const auto key = TRY(wire::decode_live_key(live_key));
  CHECK(from.begin == to.begin && from.length == to.length);
  disown(key.ino, key.position, from);
  own(key.ino, key.position, to);
  if (past_end) {
    batch_.put(kv::Family::kPast, wire::past_key(live_key, *past_end), wire::encode(to));
  } else {
    const auto block_bytes = [](const wire::ExtentRow& row) {
      return row.kind == wire::ExtentKind::kBlock ? static_cast<int64_t>(row.length) : 0;
    };
    live_bytes_change_ += block_bytes(to) - block_bytes(from);
    batch_.put(kv::Family::kLive, live_key, wire::encode(to));
  }
  return {};
}

void CommitBuilder::put_volume(std::string key, std::optional<std::string> value) {
  if (value) {
    batch_.put(kv::Family::kVolume, std::move(key), std::move(*value));
  } else {
    batch_.erase(kv::Family::kVolume, std::move(key));
  }
}

void CommitBuilder::erase_doomed(BlockId block) {
  batch_.erase(kv::Family::kBlocks, wire::doomed_key(block));
}

void CommitBuilder::erase_change(std::string key) {
  batch_.erase(kv::Family::kChanges, std::move(key));
}

void CommitBuilder::mend(kv::Family family, std::string key, std::optional<std::string> value) {
  if (value) {
    batch_.put(family, std::move(key), std::move(*value));
  } else {
    batch_.erase(family, std::move(key));
  }
}

Status CommitBuilder::settle_blocks(FinishedCommit& commit) {
  for (const auto& [block, delta] : blocks_) {
    wire::BlockRow row;
    if (delta.stored_bytes) {
      row.stored_bytes = *delta.stored_bytes;
    } else {
      const auto stored = TRY(store_.get(kv::Family::kBlocks, wire::block_key(block)));
      if (!stored) {
        return Error(Code::kCorrupt,
                     "block " + to_hex(block) + " has no accounting row: run nacre check");
      }
      row = TRY(wire::decode_block(*stored));
    }
    row.references = static_cast<uint64_t>(static_cast<int64_t>(row.references) + delta.references);
    row.referenced_bytes =
        static_cast<uint64_t>(static_cast<int64_t>(row.referenced_bytes) + delta.bytes);
    if (row.references != 0) {
      batch_.put(kv::Family::kBlocks, wire::block_key(block), wire::encode(row));
      continue;
    }
    if (!delta.stored_bytes) {
      batch_.erase(kv::Family::kBlocks, wire::block_key(block));
      TRY(erase_fingerprints(block));
    }
    batch_.put(kv::Family::kBlocks, wire::doomed_key(block), "");
    commit.doomed.push_back(block);
  }
  return {};
}

Status CommitBuilder::erase_fingerprints(BlockId block) {
  const auto rows =
      store_.iterate(kv::Family::kBlocks, kv::prefix_range(wire::fingerprint_of_prefix(block)));
  for (rows->seek_to_first(); rows->valid(); rows->next()) {
    const auto fingerprint = TRY(wire::decode_fingerprint(rows->value()));
    if (moved_fingerprints_.contains(fingerprint)) continue;
    batch_.erase(kv::Family::kBlocks, std::string(rows->key()));
    batch_.erase(kv::Family::kBlocks, wire::fingerprint_key(fingerprint));
  }
  return rows->status();
}

Status CommitBuilder::settle_fingerprints() {
  for (const auto& [fingerprint, place] : new_fingerprints_) {
    const auto block = blocks_.find(place.block);
    if (block == blocks_.end() || block->second.references <= 0) continue;  // doomed already
    if (TRY(store_.get(kv::Family::kBlocks, wire::fingerprint_key(fingerprint)))) continue;
    put_fingerprint(fingerprint, place);
  }
  return {};
}

void CommitBuilder::add_changes(Timestamp time, uint64_t session) {
  wire::ChangeRow row{time, session, {}};
  uint32_t part = 0;
  for (auto key = touched_.begin();;) {
    while (key != touched_.end() && row.keys.size() < kKeysPerChangePart)
      row.keys.push_back(*key++);
    batch_.put(kv::Family::kChanges, wire::change_key(sequence_, part++), wire::encode(row));
    row.keys.clear();
    if (key == touched_.end()) return;
  }
}

Result<FinishedCommit> CommitBuilder::finish(Timestamp time, uint64_t session) {
  add_changes(time, session);
  return finish_upkeep();
}

Result<FinishedCommit> CommitBuilder::finish_upkeep() {
  FinishedCommit commit;
  TRY(settle_fingerprints());
  TRY(settle_blocks(commit));
  commit.batch = std::move(batch_);
  commit.allocated_bytes = std::move(allocated_bytes_);
  return commit;
}

}  // namespace nacre::meta
