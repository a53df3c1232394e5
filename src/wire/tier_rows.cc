#include "wire/tier_rows.h"

#include <bit>

#include "wire/cursor.h"

namespace nacre::wire {
namespace {

template <class Tag>
std::string key_of(char kind, Id128<Tag> id) {
  std::string key;
  key.reserve(1 + 16 + 8);
  key.push_back(kind);
  Writer(key).id(id);
  return key;
}

}  // namespace

std::string location_key(BlockId block) { return key_of(kLocationRowKind, block); }
std::string pack_key(PackId pack) { return key_of(kPackRowKind, pack); }
std::string dead_pack_key(PackId pack) { return key_of(kDeadPackRowKind, pack); }
std::string pack_member_prefix(PackId pack) { return key_of(kPackMemberRowKind, pack); }
std::string pack_member_key(PackId pack, uint64_t offset_bytes) {
  std::string key = pack_member_prefix(pack);
  Writer(key).big_u64(offset_bytes);
  return key;
}

std::string pin_key(InodeId ino) {
  std::string key(1, kPinRowKind);
  Writer(key).big_u64(ino.value);
  return key;
}

Result<InodeId> decode_pin_key(std::string_view key) {
  Reader in(key);
  if (static_cast<char>(in.u8()) != kPinRowKind) in.fail();
  const InodeId ino{in.big_u64()};
  TRY(in.finish("the key of a pin"));
  return ino;
}

Result<BlockId> decode_location_key(std::string_view key) {
  Reader in(key);
  if (static_cast<char>(in.u8()) != kLocationRowKind) in.fail();
  const auto block = in.id<BlockId>();
  TRY(in.finish("the key of a block in a pack"));
  return block;
}

Result<PackId> decode_pack_key(std::string_view key) {
  Reader in(key);
  const char kind = static_cast<char>(in.u8());
  if (kind != kPackRowKind && kind != kDeadPackRowKind) in.fail();
  const auto pack = in.id<PackId>();
  TRY(in.finish("a pack key"));
  return pack;
}

Result<PackMemberKey> decode_pack_member_key(std::string_view key) {
  Reader in(key);
  if (static_cast<char>(in.u8()) != kPackMemberRowKind) in.fail();
  PackMemberKey decoded;
  decoded.pack = in.id<PackId>();
  decoded.offset_bytes = in.big_u64();
  TRY(in.finish("the key of a member of a pack"));
  return decoded;
}

std::string encode(const PackRow& row) {
  std::string value;
  Writer out(value);
  out.varint(row.object_bytes);
  out.varint(row.live_bytes);
  out.varint(row.blocks);
  out.u64(std::bit_cast<uint64_t>(row.written.ns));
  return value;
}

Result<PackRow> decode_pack(std::string_view value) {
  Reader in(value);
  PackRow row;
  row.object_bytes = in.varint();
  row.live_bytes = in.varint();
  row.blocks = in.varint();
  row.written.ns = std::bit_cast<int64_t>(in.u64());
  TRY(in.finish("a pack row"));
  return row;
}

std::string encode(const DeadPackRow& row) {
  std::string value;
  Writer(value).varint(row.batch);
  return value;
}

Result<DeadPackRow> decode_dead_pack(std::string_view value) {
  Reader in(value);
  const DeadPackRow row{in.varint()};
  TRY(in.finish("a row of a dead pack"));
  return row;
}

std::string encode_member(BlockId block) {
  std::string value;
  Writer(value).id(block);
  return value;
}

Result<BlockId> decode_member(std::string_view value) {
  Reader in(value);
  const auto block = in.id<BlockId>();
  TRY(in.finish("a member of a pack"));
  return block;
}

}  // namespace nacre::wire
