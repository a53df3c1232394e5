// The rows of the namespace: keys and values, byte for byte as docs/format/rows.md gives them.
//
// Keys sort as their fields do (big-endian) and no key is a prefix of another, so a past key is its
// live key followed by the end sequence. Every live and past value begins with the sequence that
// wrote it. Decoders take untrusted bytes: they answer kCorrupt and never read past the end.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/units.h"

namespace nacre::wire {

// --- keys of the live family -----------------------------------------------------------------

enum class RowKind : char {
  kInode = 'i',
  kDentry = 'd',
  kExtent = 'e',
  kXattr = 'x',
};

// A dentry's place in its directory: 60 bits of keyed hash, then a 3-bit collision slot. It is the
// readdir cookie: below 2^63, at least kFirstCookie.
inline constexpr uint64_t kFirstCookie = 8;
inline constexpr uint64_t kCookieSlots = 8;

std::string inode_key(InodeId ino);
std::string dentry_key(InodeId parent, uint64_t cookie);
std::string dentry_prefix(InodeId parent);
std::string extent_key(InodeId ino, uint64_t offset);
std::string extent_prefix(InodeId ino);
std::string xattr_key(InodeId ino, std::string_view name);
std::string xattr_prefix(InodeId ino);

// What a live key names. `ino` is the parent of a dentry.
struct LiveKey {
  RowKind kind = RowKind::kInode;
  InodeId ino;
  uint64_t position = 0;  // cookie of a dentry, offset of an extent
  std::string_view name;  // of an attribute; points into the key
};
Result<LiveKey> decode_live_key(std::string_view key);

// --- keys of the past family: live key, end ---------------------------------------------------

std::string past_key(std::string_view live_key, Sequence end);
struct PastKey {
  std::string_view live_key;  // points into the key
  Sequence end;
};
Result<PastKey> decode_past_key(std::string_view key);

// --- values ------------------------------------------------------------------------------------

// The sequence that wrote a live or past value: its first eight bytes.
Result<Sequence> begin_of(std::string_view value);
// Overwrites those bytes.
void set_begin(std::string& value, Sequence begin);

inline constexpr uint8_t kInodeHasXattrs = 1;
inline constexpr uint8_t kInodeHasAcl = 2;         // an access ACL beyond the mode
inline constexpr uint8_t kInodeHasDefaultAcl = 4;  // of a directory

struct InodeRow {
  Sequence begin;
  uint8_t type = 0;
  uint8_t flags = 0;
  uint32_t mode = 0;
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint32_t nlink = 0;
  uint64_t rdev = 0;
  uint64_t size = 0;
  uint64_t allocated_bytes = 0;
  Timestamp atime, mtime, ctime, btime;
  BirthId birth;
  Sequence content;    // the commit that last changed the bytes
  InodeId parent;      // of a directory
  std::string target;  // of a symlink
};
std::string encode(const InodeRow& row);
Result<InodeRow> decode_inode(std::string_view value);

struct DentryRow {
  Sequence begin;
  InodeId ino;
  uint8_t type = 0;
  std::string name;
};
std::string encode(const DentryRow& row);
Result<DentryRow> decode_dentry(std::string_view value);

enum class ExtentKind : uint8_t {
  kBlock = 1,      // bytes of a block
  kInline = 2,     // the bytes themselves, in the row
  kUnwritten = 3,  // allocated, reads as zero
};

struct ExtentRow {
  Sequence begin;
  ExtentKind kind = ExtentKind::kBlock;
  uint64_t length = 0;  // bytes of the file it covers
  BlockId block;
  uint64_t block_offset = 0;
  std::string data;  // kInline: `length` bytes
};
std::string encode(const ExtentRow& row);
Result<ExtentRow> decode_extent(std::string_view value);

struct XattrRow {
  Sequence begin;
  std::string value;
};
std::string encode(const XattrRow& row);
Result<XattrRow> decode_xattr(std::string_view value);

// --- changes: sequence, part → time and keys touched --------------------------------------------

std::string change_key(Sequence sequence, uint32_t part);
struct ChangeKey {
  Sequence sequence;
  uint32_t part = 0;
};
Result<ChangeKey> decode_change_key(std::string_view key);

// Part 0 of each commit carries its time; a large commit spreads its keys over further parts.
struct ChangeRow {
  Timestamp time;
  uint64_t session = 0;
  std::vector<std::string> keys;  // live keys put or erased, ascending
};
std::string encode(const ChangeRow& row);
Result<ChangeRow> decode_change(std::string_view value);

// --- blocks: accounting
// ---------------------------------------------------------------------------

std::string block_key(BlockId block);
std::string owner_key(BlockId block, InodeId ino, uint64_t offset, Sequence begin);
std::string owner_prefix(BlockId block);
std::string doomed_key(BlockId block);
inline constexpr char kBlockRowKind = 'b';
inline constexpr char kOwnerRowKind = 'o';
inline constexpr char kDoomedRowKind = 'q';

// The block id of a block_key, an owner_key or a doomed_key.
Result<BlockId> block_of(std::string_view key);
struct OwnerKey {
  BlockId block;
  InodeId ino;
  uint64_t offset = 0;
  Sequence begin;
};
Result<OwnerKey> decode_owner_key(std::string_view key);

// Exact counts over live and past extents.
struct BlockRow {
  uint64_t references = 0;
  uint64_t referenced_bytes = 0;  // sum over the references; bytes shared are counted each time
  uint64_t stored_bytes = 0;      // bytes put, before compression
};
std::string encode(const BlockRow& row);
Result<BlockRow> decode_block(std::string_view value);

// What one extent, live or past, takes from a block.
struct OwnerRow {
  uint64_t block_offset = 0;
  uint64_t length = 0;
};
std::string encode(const OwnerRow& row);
Result<OwnerRow> decode_owner(std::string_view value);

// --- volume
// ------------------------------------------------------------------------------------------

inline constexpr std::string_view kStateKey = "=state";
std::string snapshot_key(std::string_view name);
std::string orphan_key(InodeId ino);
inline constexpr char kSnapshotRowKind = 's';
inline constexpr char kOrphanRowKind = 'u';
inline constexpr std::string_view kSnapshotPrefix = "s";
inline constexpr std::string_view kOrphanPrefix = "u";
Result<InodeId> decode_orphan_key(std::string_view key);

// Counters of the whole volume, rewritten by every commit.
struct StateRow {
  Sequence committed;
  Timestamp time;  // of that commit; never goes back
  uint64_t next_inode = 0;
  uint64_t inodes = 0;
  Sequence floor;           // history below is gone, snapshots excepted
  Sequence pruned;          // changes up to here were visited by pruning
  uint64_t live_bytes = 0;  // bytes of blocks that live extents refer to, shared ones each time
  uint64_t keep_ns = 0;     // retention floor
  uint64_t history_budget_percent = 0;
  bool clock_suspect = false;  // the clock leapt: pruning waits to be confirmed
  // Of a volume that stores identical content once: bytes of blocks that extents refer to, live and
  // past, shared ones each time.
  std::optional<uint64_t> referenced_bytes;
};
std::string encode(const StateRow& row);
Result<StateRow> decode_state(std::string_view value);

struct SnapshotRow {
  Sequence sequence;
  Timestamp created;
};
std::string encode(const SnapshotRow& row);
Result<SnapshotRow> decode_snapshot(std::string_view value);

// How far the change feed was read by the duty that moves inline bytes into blocks.
inline constexpr std::string_view kInlineMarkKey = "=inline";
// Of a tiered volume: the number of the last batch of rows.
inline constexpr std::string_view kBatchMarkKey = "=batch";
struct MarkRow {
  Sequence sequence;
};
std::string encode(const MarkRow& row);
Result<MarkRow> decode_mark(std::string_view value);

}  // namespace nacre::wire
