// POSIX access control lists in the form the kernel gives them (the value of
// system.posix_acl_access and system.posix_acl_default, version 2). Pure functions; values are
// untrusted.
//
// Semantics: acl(5), and POSIX.1e draft 17, section 23.1.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nacre::fs {

inline constexpr std::string_view kAccessAclName = "system.posix_acl_access";
inline constexpr std::string_view kDefaultAclName = "system.posix_acl_default";

class Acl {
 public:
  enum Tag : uint16_t {
    kUserObject = 0x01,
    kUser = 0x02,
    kGroupObject = 0x04,
    kGroup = 0x08,
    kMask = 0x10,
    kOther = 0x20,
  };
  struct Entry {
    uint16_t tag = 0;
    uint16_t permissions = 0;  // rwx bits
    uint32_t id = 0;           // of kUser and kGroup
  };

  // kInvalid unless the value is a valid list: one owner, group and other each, ascending, a mask
  // where there are named entries.
  static Result<Acl> decode(std::string_view value);
  std::string encode() const;

  // Whether the mode says it all: no named entries and no mask.
  bool is_minimal() const;
  // `mode` with its nine permission bits taken from the list.
  uint32_t apply_to(uint32_t mode) const;
  // chmod: the list follows the mode.
  void follow(uint32_t mode);
  // Of a default list: the access list of a new file asked for with `mode`, which is narrowed to
  // match.
  Acl inherit(uint32_t& mode) const;

 private:
  Entry* find(Tag tag);
  const Entry* find(Tag tag) const;
  std::vector<Entry> entries_;
};

}  // namespace nacre::fs
