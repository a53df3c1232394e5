#include "fs/acl.h"

#include "wire/cursor.h"

namespace nacre::fs {

namespace {

constexpr uint32_t kVersion = 2;
constexpr uint32_t kNoId = UINT32_MAX;
constexpr size_t kEntryBytes = 8;

bool is_named(uint16_t tag) { return tag == Acl::kUser || tag == Acl::kGroup; }

}  // namespace

Result<Acl> Acl::decode(std::string_view value) {
  wire::Reader in(value);
  if (in.u32() != kVersion || in.remaining() % kEntryBytes != 0) return Code::kInvalid;
  Acl acl;
  int unique[64] = {};
  bool named = false;
  while (in.ok() && in.remaining() > 0) {
    Entry entry;
    entry.tag = in.u16();
    entry.permissions = in.u16();
    entry.id = in.u32();
    switch (entry.tag) {
      case kUserObject:
      case kGroupObject:
      case kMask:
      case kOther:
        ++unique[entry.tag];
        break;
      case kUser:
      case kGroup:
        named = true;
        break;
      default:
        return Code::kInvalid;
    }
    if (entry.permissions > 7 || (is_named(entry.tag) && entry.id == kNoId)) return Code::kInvalid;
    if (!acl.entries_.empty() && entry.tag < acl.entries_.back().tag) return Code::kInvalid;
    acl.entries_.push_back(entry);
  }
  const bool complete =
      unique[kUserObject] == 1 && unique[kGroupObject] == 1 && unique[kOther] == 1;
  if (!in.ok() || !complete || unique[kMask] > 1 || (named && unique[kMask] == 0)) {
    return Code::kInvalid;
  }
  return acl;
}

std::string Acl::encode() const {
  std::string value;
  wire::Writer out(value);
  out.u32(kVersion);
  for (const Entry& entry : entries_) {
    out.u16(entry.tag);
    out.u16(entry.permissions);
    out.u32(is_named(entry.tag) ? entry.id : kNoId);
  }
  return value;
}

Acl::Entry* Acl::find(Tag tag) {
  for (Entry& entry : entries_) {
    if (entry.tag == tag) return &entry;
  }
  return nullptr;
}

const Acl::Entry* Acl::find(Tag tag) const { return const_cast<Acl*>(this)->find(tag); }

bool Acl::is_minimal() const { return entries_.size() == 3; }

uint32_t Acl::apply_to(uint32_t mode) const {
  const Entry* group = find(kMask) != nullptr ? find(kMask) : find(kGroupObject);
  return (mode & ~0777u) | static_cast<uint32_t>(find(kUserObject)->permissions) << 6 |
         static_cast<uint32_t>(group->permissions) << 3 | find(kOther)->permissions;
}

void Acl::follow(uint32_t mode) {
  Entry* group = find(kMask) != nullptr ? find(kMask) : find(kGroupObject);
  find(kUserObject)->permissions = mode >> 6 & 7;
  group->permissions = mode >> 3 & 7;
  find(kOther)->permissions = mode & 7;
}

Acl Acl::inherit(uint32_t& mode) const {
  Acl access = *this;
  Entry* group = access.find(kMask) != nullptr ? access.find(kMask) : access.find(kGroupObject);
  access.find(kUserObject)->permissions &= static_cast<uint16_t>(mode >> 6 & 7);
  group->permissions &= static_cast<uint16_t>(mode >> 3 & 7);
  access.find(kOther)->permissions &= static_cast<uint16_t>(mode & 7);
  mode = access.apply_to(mode);
  return access;
}

}  // namespace nacre::fs
