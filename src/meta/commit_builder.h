// Works out the rows of one commit: what a closed group and the content written beside it change in
// the store, with past rows, block accounting and the change feed.
//
// One at a time, by the one committing thread; reads the store, writes nothing. The caller writes
// finish()'s batch, and removes the doomed blocks from the block store once that batch is durable.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "kv/store.h"
#include "meta/extents.h"
#include "meta/row_table.h"
#include "wire/fingerprint_rows.h"
#include "wire/rows.h"

namespace nacre::meta {

// What a range of a file becomes. Changes of one file come ascending and do not overlap.
struct ContentChange {
  enum class Kind { kHole, kBlock, kInline, kUnwritten };
  uint64_t offset = 0;
  uint64_t length = 0;
  Kind kind = Kind::kHole;
  BlockId block;
  uint64_t block_offset = 0;
  std::string data;  // kInline
};

struct FinishedCommit {
  kv::Batch batch;
  std::vector<BlockId> doomed;  // no row refers to them any more
  // Bytes that extents of each changed file hold now.
  std::unordered_map<InodeId, uint64_t> allocated_bytes;
};

class CommitBuilder {
 public:
  CommitBuilder(kv::Store& store, Sequence sequence, uint64_t block_size);

  // A block put since the last commit. It is doomed at once if nothing refers to it.
  void add_block(BlockId block, uint64_t stored_bytes);
  // Bytes of a block that are in use after this have that fingerprint: remembered unless another
  // place is for it, and until the block is doomed.
  void add_fingerprint(codec::Fingerprint fingerprint, const wire::ContentPlace& place);
  // The same bytes are to be found in another block from now on, one that is added or stays.
  void move_fingerprint(codec::Fingerprint fingerprint, const wire::ContentPlace& from,
                        const wire::ContentPlace& to);
  // Those of a block that is no longer to be found.
  Status erase_fingerprints(BlockId block);
  // One file's changed ranges.
  Status add_content(InodeId ino, std::span<const ContentChange> changes);
  // Removes extents of a deleted inode, at most `limit`. True when none is left.
  Result<bool> remove_content(InodeId ino, uint64_t limit);
  // All rows of the group.
  Status add_group(const Group& group);
  // Drops one past row for good.
  Status drop_past(std::string_view past_key, std::string_view value);
  // Moves an extent row, live or past, to other bytes with the same content. `key` is a live key
  // or, with `past_end`, that of a past row.
  Status repoint(const std::string& live_key, std::optional<Sequence> past_end,
                 const wire::ExtentRow& from, const wire::ExtentRow& to);
  void put_volume(std::string key, std::optional<std::string> value);
  // The block is gone from the block store: nothing needs to remember it.
  void erase_doomed(BlockId block);
  // Drops rows of the change feed.
  void erase_change(std::string key);
  // Mends a row that check found wrong: as it is given, with no books kept.
  void mend(kv::Family family, std::string key, std::optional<std::string> value);

  // Rows changed so far: the measure of a commit's size.
  size_t rows() const { return batch_.changes().size(); }
  // Net change of the bytes of blocks that live extents refer to.
  int64_t live_bytes_change() const { return live_bytes_change_; }
  // The same of all extents, live and past.
  int64_t referenced_bytes_change() const { return referenced_bytes_change_; }

  // A commit: with its rows of the change feed.
  Result<FinishedCommit> finish(Timestamp time, uint64_t session);
  // Upkeep that changes nothing anybody can see, and so is no commit: pruning and moving of bytes.
  Result<FinishedCommit> finish_upkeep();

 private:
  struct BlockDelta {
    int64_t references = 0;
    int64_t bytes = 0;
    std::optional<uint64_t> stored_bytes;  // put since the last commit
  };
  void own(InodeId ino, uint64_t offset, const wire::ExtentRow& row);
  void disown(InodeId ino, uint64_t offset, const wire::ExtentRow& row);
  void count_live(InodeId ino, const wire::ExtentRow& row, int64_t sign);
  void retire_extent(InodeId ino, const Extent& extent);
  Status clear(ExtentReader& stored, InodeId ino, uint64_t begin, uint64_t end,
               std::map<uint64_t, wire::ExtentRow>& kept);
  void put_extent(InodeId ino, uint64_t offset, const wire::ExtentRow& row);
  Status settle_inode(const std::string& key, const PendingRow& row, std::string& value);
  Status settle_blocks(FinishedCommit& commit);
  void put_fingerprint(codec::Fingerprint fingerprint, const wire::ContentPlace& place);
  Status settle_fingerprints();
  void add_changes(Timestamp time, uint64_t session);

  kv::Store& store_;
  Sequence sequence_;
  uint64_t block_size_;
  kv::Batch batch_;
  std::set<std::string> touched_;
  std::map<BlockId, BlockDelta> blocks_;
  std::map<codec::Fingerprint, wire::ContentPlace> new_fingerprints_;
  std::set<codec::Fingerprint> moved_fingerprints_;
  std::unordered_map<InodeId, int64_t> allocated_change_;
  std::unordered_map<InodeId, uint64_t> allocated_bytes_;
  int64_t live_bytes_change_ = 0;
  int64_t referenced_bytes_change_ = 0;
};

}  // namespace nacre::meta
