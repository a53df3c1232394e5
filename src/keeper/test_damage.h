// Damage done by hand to the rows of a test volume, below its feet.
#pragma once

#include <functional>
#include <string>

#include "keeper/test_volume.h"
#include "meta/lookup.h"

namespace nacre::keeper {

class Damage {
 public:
  explicit Damage(TestVolume& test) : test_(test) {}

  void inode(InodeId ino, const std::function<void(wire::InodeRow&)>& edit) {
    auto row = must(wire::decode_inode(test_.row(kv::Family::kLive, wire::inode_key(ino))));
    edit(row);
    test_.put_row(kv::Family::kLive, wire::inode_key(ino), wire::encode(row));
  }
  void extent(InodeId ino, uint64_t offset, const std::function<void(wire::ExtentRow&)>& edit) {
    const std::string key = wire::extent_key(ino, offset);
    auto row = must(wire::decode_extent(test_.row(kv::Family::kLive, key)));
    edit(row);
    test_.put_row(kv::Family::kLive, key, wire::encode(row));
  }
  void block(BlockId block, const std::function<void(wire::BlockRow&)>& edit) {
    auto row = must(wire::decode_block(test_.row(kv::Family::kBlocks, wire::block_key(block))));
    edit(row);
    test_.put_row(kv::Family::kBlocks, wire::block_key(block), wire::encode(row));
  }
  // A name, as if a directory had it.
  void add_name(InodeId parent, uint64_t cookie, const std::string& name, InodeId ino,
                meta::FileType type) {
    test_.put_row(kv::Family::kLive, wire::dentry_key(parent, cookie),
                  wire::encode(wire::DentryRow{{1}, ino, static_cast<uint8_t>(type), name}));
  }
  void erase_name(InodeId parent, const std::string& name) {
    test_.erase_row(kv::Family::kLive, wire::dentry_key(parent, cookie(name)));
  }
  void move_name(InodeId parent, const std::string& name, uint64_t to) {
    const std::string from = wire::dentry_key(parent, cookie(name));
    const std::string value = test_.row(kv::Family::kLive, from);
    test_.erase_row(kv::Family::kLive, from);
    test_.put_row(kv::Family::kLive, wire::dentry_key(parent, to), value);
  }
  uint64_t cookie(const std::string& name) const {
    return meta::cookie_of(test_.settings.name_key, name);
  }
  // The one row whose key starts so.
  std::string only_key(kv::Family family, std::string_view prefix) const {
    const auto rows = test_.rows.iterate(family, kv::prefix_range(prefix));
    rows->seek_to_first();
    EXPECT_TRUE(rows->valid());
    std::string key(rows->key());
    rows->next();
    EXPECT_FALSE(rows->valid());
    return key;
  }
  BlockId only_block() const { return must(wire::block_of(only_key(kv::Family::kBlocks, "b"))); }

 private:
  TestVolume& test_;
};

}  // namespace nacre::keeper
