#include "wire/rows.h"

#include <bit>
#include <cstring>

#include "wire/cursor.h"

namespace nacre::wire {

namespace {

constexpr size_t kMaxChangeKeys = 1u << 20;

std::string key_of(char kind, uint64_t first) {
  std::string key;
  key.reserve(24);
  key.push_back(kind);
  Writer(key).big_u64(first);
  return key;
}

std::string key_of(char kind, uint64_t first, uint64_t second) {
  std::string key = key_of(kind, first);
  Writer(key).big_u64(second);
  return key;
}

std::string key_of(char kind, BlockId block) {
  std::string key;
  key.reserve(1 + 16 + 24);
  key.push_back(kind);
  Writer(key).id(block);
  return key;
}

void put_time(Writer& out, Timestamp time) { out.u64(std::bit_cast<uint64_t>(time.ns)); }
Timestamp take_time(Reader& in) { return {std::bit_cast<int64_t>(in.u64())}; }

uint32_t take_u32(Reader& in) {
  const uint64_t value = in.varint();
  if (value > UINT32_MAX) in.fail();
  return static_cast<uint32_t>(value);
}

}  // namespace

std::string inode_key(InodeId ino) { return key_of('i', ino.value); }
std::string dentry_key(InodeId parent, uint64_t cookie) {
  return key_of('d', parent.value, cookie);
}
std::string dentry_prefix(InodeId parent) { return key_of('d', parent.value); }
std::string extent_key(InodeId ino, uint64_t offset) { return key_of('e', ino.value, offset); }
std::string extent_prefix(InodeId ino) { return key_of('e', ino.value); }
std::string xattr_key(InodeId ino, std::string_view name) {
  std::string key = key_of('x', ino.value);
  key.append(name).push_back('\0');
  return key;
}
std::string xattr_prefix(InodeId ino) { return key_of('x', ino.value); }

Result<LiveKey> decode_live_key(std::string_view key) {
  Reader in(key);
  LiveKey decoded;
  const char kind = static_cast<char>(in.u8());
  decoded.kind = static_cast<RowKind>(kind);
  decoded.ino = InodeId{in.big_u64()};
  switch (decoded.kind) {
    case RowKind::kInode:
      break;
    case RowKind::kDentry:
    case RowKind::kExtent:
      decoded.position = in.big_u64();
      break;
    case RowKind::kXattr: {
      const std::string_view rest = as_text(in.rest());
      if (rest.size() < 2 || rest.find('\0') != rest.size() - 1) in.fail();
      decoded.name = rest.substr(0, rest.empty() ? 0 : rest.size() - 1);
      break;
    }
    default:
      in.fail();
  }
  TRY(in.finish("a row key"));
  return decoded;
}

std::string past_key(std::string_view live_key, Sequence end) {
  std::string key;
  key.reserve(live_key.size() + 8);
  key.append(live_key);
  Writer(key).big_u64(end.value);
  return key;
}

Result<PastKey> decode_past_key(std::string_view key) {
  if (key.size() < 9 + 8) return Error(Code::kCorrupt, "a past key is too short");
  Reader in(key.substr(key.size() - 8));
  return PastKey{key.substr(0, key.size() - 8), Sequence{in.big_u64()}};
}

Result<Sequence> begin_of(std::string_view value) {
  Reader in(value);
  const Sequence begin{in.u64()};
  if (!in.ok()) return Error(Code::kCorrupt, "a row value is too short");
  return begin;
}

void set_begin(std::string& value, Sequence begin) {
  std::memcpy(value.data(), &begin.value, sizeof(begin.value));
}

std::string encode(const InodeRow& row) {
  std::string value;
  value.reserve(128 + row.target.size());
  Writer out(value);
  out.u64(row.begin.value);
  out.u8(row.type);
  out.u8(row.flags);
  out.varint(row.mode);
  out.varint(row.uid);
  out.varint(row.gid);
  out.varint(row.nlink);
  out.varint(row.rdev);
  out.varint(row.size);
  out.varint(row.allocated_bytes);
  put_time(out, row.atime);
  put_time(out, row.mtime);
  put_time(out, row.ctime);
  put_time(out, row.btime);
  out.id(row.birth);
  out.varint(row.content.value);
  out.varint(row.parent.value);
  out.sized(row.target);
  return value;
}

Result<InodeRow> decode_inode(std::string_view value) {
  Reader in(value);
  InodeRow row;
  row.begin = Sequence{in.u64()};
  row.type = in.u8();
  row.flags = in.u8();
  row.mode = take_u32(in);
  row.uid = take_u32(in);
  row.gid = take_u32(in);
  row.nlink = take_u32(in);
  row.rdev = in.varint();
  row.size = in.varint();
  row.allocated_bytes = in.varint();
  row.atime = take_time(in);
  row.mtime = take_time(in);
  row.ctime = take_time(in);
  row.btime = take_time(in);
  row.birth = in.id<BirthId>();
  row.content = Sequence{in.varint()};
  row.parent = InodeId{in.varint()};
  row.target = in.sized_text(4096);
  if (row.type < 1 || row.type > 7 || row.mode > 07777 || row.size > uint64_t{INT64_MAX}) in.fail();
  TRY(in.finish("an inode row"));
  return row;
}

std::string encode(const DentryRow& row) {
  std::string value;
  value.reserve(20 + row.name.size());
  Writer out(value);
  out.u64(row.begin.value);
  out.varint(row.ino.value);
  out.u8(row.type);
  out.raw(as_bytes(row.name));
  return value;
}

Result<DentryRow> decode_dentry(std::string_view value) {
  Reader in(value);
  DentryRow row;
  row.begin = Sequence{in.u64()};
  row.ino = InodeId{in.varint()};
  row.type = in.u8();
  row.name = as_text(in.rest());
  if (row.name.empty() || row.name.size() > 255 || row.type < 1 || row.type > 7) in.fail();
  TRY(in.finish("a dentry row"));
  return row;
}

std::string encode(const ExtentRow& row) {
  std::string value;
  value.reserve(40 + row.data.size());
  Writer out(value);
  out.u64(row.begin.value);
  out.u8(static_cast<uint8_t>(row.kind));
  out.varint(row.length);
  if (row.kind == ExtentKind::kBlock) {
    out.id(row.block);
    out.varint(row.block_offset);
  } else if (row.kind == ExtentKind::kInline) {
    out.raw(as_bytes(row.data));
  }
  return value;
}

Result<ExtentRow> decode_extent(std::string_view value) {
  Reader in(value);
  ExtentRow row;
  row.begin = Sequence{in.u64()};
  row.kind = static_cast<ExtentKind>(in.u8());
  row.length = in.varint();
  switch (row.kind) {
    case ExtentKind::kBlock:
      row.block = in.id<BlockId>();
      row.block_offset = in.varint();
      if (row.block_offset > UINT32_MAX || row.length > UINT32_MAX) in.fail();
      break;
    case ExtentKind::kInline:
      row.data = as_text(in.rest());
      if (row.data.size() != row.length) in.fail();
      break;
    case ExtentKind::kUnwritten:
      break;
    default:
      in.fail();
  }
  if (row.length == 0 || row.length > uint64_t{INT64_MAX}) in.fail();
  TRY(in.finish("an extent row"));
  return row;
}

std::string encode(const XattrRow& row) {
  std::string value;
  value.reserve(8 + row.value.size());
  Writer out(value);
  out.u64(row.begin.value);
  out.raw(as_bytes(row.value));
  return value;
}

Result<XattrRow> decode_xattr(std::string_view value) {
  Reader in(value);
  XattrRow row;
  row.begin = Sequence{in.u64()};
  row.value = as_text(in.rest());
  TRY(in.finish("an attribute row"));
  return row;
}

std::string change_key(Sequence sequence, uint32_t part) {
  return key_of('c', sequence.value, part);
}

Result<ChangeKey> decode_change_key(std::string_view key) {
  Reader in(key);
  ChangeKey decoded;
  if (in.u8() != 'c') in.fail();
  decoded.sequence = Sequence{in.big_u64()};
  const uint64_t part = in.big_u64();
  if (part > UINT32_MAX) in.fail();
  decoded.part = static_cast<uint32_t>(part);
  TRY(in.finish("a change key"));
  return decoded;
}

std::string encode(const ChangeRow& row) {
  std::string value;
  Writer out(value);
  put_time(out, row.time);
  out.varint(row.session);
  out.varint(row.keys.size());
  for (const std::string& key : row.keys) out.sized(key);
  return value;
}

Result<ChangeRow> decode_change(std::string_view value) {
  Reader in(value);
  ChangeRow row;
  row.time = take_time(in);
  row.session = in.varint();
  const uint64_t count = in.varint();
  if (count > kMaxChangeKeys || count > in.remaining()) in.fail();
  if (in.ok()) row.keys.reserve(count);
  for (uint64_t i = 0; in.ok() && i < count; ++i) row.keys.emplace_back(in.sized_text(512));
  TRY(in.finish("a change row"));
  return row;
}

std::string block_key(BlockId block) { return key_of(kBlockRowKind, block); }
std::string owner_prefix(BlockId block) { return key_of(kOwnerRowKind, block); }
std::string doomed_key(BlockId block) { return key_of(kDoomedRowKind, block); }
std::string owner_key(BlockId block, InodeId ino, uint64_t offset, Sequence begin) {
  std::string key = owner_prefix(block);
  Writer out(key);
  out.big_u64(ino.value);
  out.big_u64(offset);
  out.big_u64(begin.value);
  return key;
}

Result<BlockId> block_of(std::string_view key) {
  Reader in(key);
  const char kind = static_cast<char>(in.u8());
  const BlockId block = in.id<BlockId>();
  if (kind == kOwnerRowKind) in.skip(24);
  if (kind != kBlockRowKind && kind != kOwnerRowKind && kind != kDoomedRowKind) in.fail();
  TRY(in.finish("a block key"));
  return block;
}

Result<OwnerKey> decode_owner_key(std::string_view key) {
  Reader in(key);
  OwnerKey decoded;
  if (in.u8() != static_cast<uint8_t>(kOwnerRowKind)) in.fail();
  decoded.block = in.id<BlockId>();
  decoded.ino = InodeId{in.big_u64()};
  decoded.offset = in.big_u64();
  decoded.begin = Sequence{in.big_u64()};
  TRY(in.finish("an owner key"));
  return decoded;
}

std::string encode(const BlockRow& row) {
  std::string value;
  Writer out(value);
  out.varint(row.references);
  out.varint(row.referenced_bytes);
  out.varint(row.stored_bytes);
  return value;
}

Result<BlockRow> decode_block(std::string_view value) {
  Reader in(value);
  BlockRow row;
  row.references = in.varint();
  row.referenced_bytes = in.varint();
  row.stored_bytes = in.varint();
  TRY(in.finish("a block row"));
  return row;
}

std::string encode(const OwnerRow& row) {
  std::string value;
  Writer out(value);
  out.varint(row.block_offset);
  out.varint(row.length);
  return value;
}

Result<OwnerRow> decode_owner(std::string_view value) {
  Reader in(value);
  OwnerRow row;
  row.block_offset = in.varint();
  row.length = in.varint();
  TRY(in.finish("an owner row"));
  return row;
}

std::string snapshot_key(std::string_view name) {
  return std::string(1, kSnapshotRowKind).append(name);
}
std::string orphan_key(InodeId ino) { return key_of(kOrphanRowKind, ino.value); }

Result<InodeId> decode_orphan_key(std::string_view key) {
  Reader in(key);
  if (in.u8() != static_cast<uint8_t>(kOrphanRowKind)) in.fail();
  const InodeId ino{in.big_u64()};
  TRY(in.finish("an orphan key"));
  return ino;
}

std::string encode(const StateRow& row) {
  std::string value;
  Writer out(value);
  out.u8(row.referenced_bytes ? 2 : 1);  // version of this row
  out.varint(row.committed.value);
  put_time(out, row.time);
  out.varint(row.next_inode);
  out.varint(row.inodes);
  out.varint(row.floor.value);
  out.varint(row.pruned.value);
  out.varint(row.live_bytes);
  out.varint(row.keep_ns);
  out.varint(row.history_budget_percent);
  out.u8(row.clock_suspect ? 1 : 0);
  if (row.referenced_bytes) out.varint(*row.referenced_bytes);
  return value;
}

Result<StateRow> decode_state(std::string_view value) {
  Reader in(value);
  StateRow row;
  const uint8_t version = in.u8();
  if (in.ok() && version > 2) {
    return Error(Code::kNewerFormat, "the state row was written by a later version of nacre");
  }
  row.committed = Sequence{in.varint()};
  row.time = take_time(in);
  row.next_inode = in.varint();
  row.inodes = in.varint();
  row.floor = Sequence{in.varint()};
  row.pruned = Sequence{in.varint()};
  row.live_bytes = in.varint();
  row.keep_ns = in.varint();
  row.history_budget_percent = in.varint();
  const uint8_t suspect = in.u8();
  if (version == 0 || suspect > 1 || row.history_budget_percent > 100) in.fail();
  row.clock_suspect = suspect == 1;
  if (version == 2) row.referenced_bytes = in.varint();
  TRY(in.finish("the state row"));
  return row;
}

std::string encode(const SnapshotRow& row) {
  std::string value;
  Writer out(value);
  out.varint(row.sequence.value);
  put_time(out, row.created);
  return value;
}

Result<SnapshotRow> decode_snapshot(std::string_view value) {
  Reader in(value);
  SnapshotRow row;
  row.sequence = Sequence{in.varint()};
  row.created = take_time(in);
  TRY(in.finish("a snapshot row"));
  return row;
}

std::string encode(const MarkRow& row) {
  std::string value;
  Writer(value).varint(row.sequence.value);
  return value;
}

Result<MarkRow> decode_mark(std::string_view value) {
  Reader in(value);
  const MarkRow row{Sequence{in.varint()}};
  TRY(in.finish("a mark row"));
  return row;
}

}  // namespace nacre::wire
