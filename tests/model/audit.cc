#include "model/audit.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "meta/types.h"
#include "wire/fingerprint_rows.h"
#include "wire/rows.h"

namespace nacre::model {

namespace {

struct BlockCount {
  uint64_t references = 0;
  uint64_t bytes = 0;
  auto operator<=>(const BlockCount&) const = default;
};

struct InodeCount {
  std::optional<wire::InodeRow> row;
  uint64_t names = 0;
  uint64_t entries = 0;
  uint64_t subdirectories = 0;
  uint64_t extent_bytes = 0;
  uint64_t extents_end = 0;
  uint64_t xattrs = 0;
};

class Auditor {
 public:
  Auditor(kv::Store& rows, block::Store& blocks, uint64_t block_bytes)
      : rows_(rows), blocks_(blocks), block_bytes_(block_bytes) {}

  Status run() {
    TRY(visit(kv::Family::kLive, [&](auto key, auto value) { return live_row(key, value); }));
    TRY(visit(kv::Family::kPast, [&](auto key, auto value) { return past_row(key, value); }));
    TRY(visit(kv::Family::kBlocks, [&](auto key, auto value) { return block_row(key, value); }));
    TRY(visit(kv::Family::kVolume, [&](auto key, auto) -> Status {
      if (!key.starts_with(wire::kOrphanPrefix)) return {};
      orphans_.insert(TRY(wire::decode_orphan_key(key)));
      return {};
    }));
    check_inodes();
    check_blocks();
    return check_state();
  }
  std::string wrong;

 private:
  using Row = std::function<Status(std::string_view key, std::string_view value)>;
  Status visit(kv::Family family, const Row& body) {
    const auto at = rows_.iterate(family, {});
    for (at->seek_to_first(); at->valid(); at->next()) TRY(body(at->key(), at->value()));
    return at->status();
  }
  template <class... Arguments>
  void complain(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
    wrong += fmt::format(text, std::forward<Arguments>(arguments)...) + "\n";
  }

  Status live_row(std::string_view key, std::string_view value) {
    const auto live = TRY(wire::decode_live_key(key));
    InodeCount& count = inodes_[live.ino];
    switch (live.kind) {
      case wire::RowKind::kInode:
        count.row = TRY(wire::decode_inode(value));
        return {};
      case wire::RowKind::kDentry: {
        const auto row = TRY(wire::decode_dentry(value));
        ++count.entries;
        if (row.type == static_cast<uint8_t>(meta::FileType::kDirectory)) ++count.subdirectories;
        ++inodes_[row.ino].names;
        types_[row.ino] = row.type;
        return {};
      }
      case wire::RowKind::kXattr:
        ++count.xattrs;
        return {};
      case wire::RowKind::kExtent:
        break;
    }
    const auto row = TRY(wire::decode_extent(value));
    if (live.position < count.extents_end) complain("extents of inode {} overlap", live.ino.value);
    count.extents_end = live.position + row.length;
    count.extent_bytes += row.length;
    if (row.kind == wire::ExtentKind::kBlock) live_bytes_ += row.length;
    return extent(live, row);
  }

  Status past_row(std::string_view key, std::string_view value) {
    const auto past = TRY(wire::decode_past_key(key));
    const auto live = TRY(wire::decode_live_key(past.live_key));
    if (TRY(wire::begin_of(value)) >= past.end) {
      complain("a past row of inode {} ends before it begins", live.ino.value);
    }
    if (live.kind != wire::RowKind::kExtent) return {};
    return extent(live, TRY(wire::decode_extent(value)));
  }

  Status extent(const wire::LiveKey& live, const wire::ExtentRow& row) {
    const uint64_t last = live.position + row.length - 1;
    if (live.position / block_bytes_ != last / block_bytes_) {
      complain("an extent of inode {} crosses {}", live.ino.value, round_down(last, block_bytes_));
    }
    if (row.kind != wire::ExtentKind::kBlock) return {};
    ++counted_[row.block].references;
    counted_[row.block].bytes += row.length;
    owners_.insert(wire::owner_key(row.block, live.ino, live.position, row.begin));
    const auto info = blocks_.info(row.block);
    if (!info.ok() || row.block_offset + row.length > info->logical_bytes) {
      complain("block {} is missing or too short", to_hex(row.block));
    }
    return {};
  }

  Status block_row(std::string_view key, std::string_view value) {
    if (key.front() == wire::kOwnerRowKind) {
      if (owners_.erase(std::string(key)) == 0) complain("an owner row without an extent");
    } else if (key.front() == wire::kBlockRowKind) {
      const auto row = TRY(wire::decode_block(value));
      stored_[TRY(wire::block_of(key))] = {row.references, row.referenced_bytes};
    } else if (key.front() == wire::kFingerprintRowKind) {
      const auto place = TRY(wire::decode_content_place(value));
      places_[{place.block, place.offset}] = TRY(wire::decode_fingerprint_key(key));
      const auto info = blocks_.info(place.block);
      if (!info.ok() || place.offset + place.length > info->logical_bytes) {
        complain("a fingerprint leads to block {}, which is missing or too short",
                 to_hex(place.block));
      }
    } else if (key.front() == wire::kFingerprintOfRowKind) {
      const auto where = TRY(wire::decode_fingerprint_of_key(key));
      const auto place = places_.find({where.block, where.offset});
      if (place == places_.end() || place->second != TRY(wire::decode_fingerprint(value))) {
        complain("byte {} of block {} has a fingerprint that does not lead there", where.offset,
                 to_hex(where.block));
      } else {
        places_.erase(place);
      }
    }
    return {};
  }

  void check_inodes() {
    for (const auto& [ino, count] : inodes_) {
      if (!count.row) {
        complain("inode {} has rows or names, but does not exist", ino.value);
        continue;
      }
      const bool is_directory = count.row->type == static_cast<uint8_t>(meta::FileType::kDirectory);
      const bool is_root = ino == kRootInode;
      const uint64_t links = is_directory
                                 ? (count.names == 0 && !is_root ? 0 : 2 + count.subdirectories)
                                 : count.names;
      if (count.row->nlink != links) {
        complain("inode {} has {} links, not {}", ino.value, links, count.row->nlink);
      }
      if (is_directory && count.row->size != count.entries) {
        complain("inode {} has {} entries, not {}", ino.value, count.entries, count.row->size);
      }
      if (count.row->allocated_bytes != count.extent_bytes) {
        complain("inode {} holds {} bytes, not {}", ino.value, count.extent_bytes,
                 count.row->allocated_bytes);
      }
      if (count.xattrs != 0 && !(count.row->flags & wire::kInodeHasXattrs)) {
        complain("inode {} does not know of its attributes", ino.value);
      }
      if (!is_root && types_.contains(ino) && types_[ino] != count.row->type) {
        complain("inode {} has another type than its name says", ino.value);
      }
      if (count.row->nlink == 0 && !orphans_.contains(ino)) {
        complain("inode {} has no name and is no orphan", ino.value);
      }
    }
  }

  void check_blocks() {
    for (const std::string& key : owners_) {
      const auto owner = wire::decode_owner_key(key);
      complain("an extent of inode {} without an owner row", owner.ok() ? owner->ino.value : 0);
    }
    for (const auto& [block, count] : counted_) {
      if (stored_[block] != count) {
        complain("block {} has {} references to {} bytes, its row says {} to {}", to_hex(block),
                 count.references, count.bytes, stored_[block].references, stored_[block].bytes);
      }
    }
    for (const auto& [place, fingerprint] : places_) {
      complain("the fingerprint of block {} is not among its own", to_hex(place.first));
    }
    const Status listed = blocks_.list([&](BlockId block, const block::BlockInfo&) {
      if (!counted_.contains(block)) complain("block {} belongs to nobody", to_hex(block));
      return true;
    });
    if (!listed.ok()) complain("blocks cannot be listed: {}", listed.error().to_string());
  }

  Status check_state() {
    const auto stored = TRY(rows_.get(kv::Family::kVolume, wire::kStateKey));
    if (!stored) return Error(Code::kCorrupt, "there is no state row");
    const auto state = TRY(wire::decode_state(*stored));
    if (state.live_bytes != live_bytes_) {
      complain("{} bytes are live, the state row says {}", live_bytes_, state.live_bytes);
    }
    uint64_t referenced_bytes = 0;
    for (const auto& [block, count] : counted_) referenced_bytes += count.bytes;
    if (state.referenced_bytes && *state.referenced_bytes != referenced_bytes) {
      complain("{} bytes are referred to, the state row says {}", referenced_bytes,
               *state.referenced_bytes);
    }
    if (state.inodes != inodes_.size()) {
      complain("there are {} inodes, the state row says {}", inodes_.size(), state.inodes);
    }
    if (!inodes_.empty() && inodes_.rbegin()->first.value >= state.next_inode) {
      complain("the next inode number is taken");
    }
    return {};
  }

  kv::Store& rows_;
  block::Store& blocks_;
  const uint64_t block_bytes_;
  std::map<InodeId, InodeCount> inodes_;
  std::map<InodeId, uint8_t> types_;  // as their names say
  std::set<InodeId> orphans_;
  std::set<std::string> owners_;  // owner keys due
  std::map<BlockId, BlockCount> counted_;
  std::map<BlockId, BlockCount> stored_;
  std::map<std::pair<BlockId, uint64_t>, codec::Fingerprint> places_;  // due to be told of
  uint64_t live_bytes_ = 0;
};

}  // namespace

std::string audit(kv::Store& rows, block::Store& blocks, uint64_t block_bytes) {
  Auditor auditor(rows, blocks, block_bytes);
  const Status done = auditor.run();
  if (!done.ok()) return "the rows cannot be read: " + done.error().to_string();
  return auditor.wrong;
}

}  // namespace nacre::model
