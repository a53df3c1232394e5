// A volume in memory and a few words to work on it: for tests. Time stands still until told
// otherwise; nothing is committed until asked.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "fs/live_tree.h"
#include "fs/volume.h"
#include "keeper/test_blocks.h"
#include "kv/memory_store.h"
#include "meta/moments.h"
#include "meta/past_rows.h"
#include "os/clock.h"
#include "os/random.h"

namespace nacre::keeper {

inline constexpr int64_t kSecondNs = 1'000'000'000;
inline constexpr int64_t kDayNs = 24 * 3600 * kSecondNs;

template <class T>
T must(Result<T> result) {
  EXPECT_TRUE(result.ok()) << result.error().to_string();
  if (!result.ok()) std::abort();
  return result.take();
}
inline void must(const Status& status) { ASSERT_TRUE(status.ok()) << status.error().to_string(); }

// What the present of a file tree is: path → type, mode and content.
using TreeImage = std::map<std::string, std::string>;

struct TestVolume {
  explicit TestVolume(const fs::VolumeSettings& wanted = {}, uint64_t block_capacity = kGiB)
      : settings(wanted), blocks(block_capacity) {
    settings.background = false;
    if (wanted.block_size == 4 * kMiB) settings.block_size = 64 * kKiB;
    settings.inline_limit_bytes = std::min<uint64_t>(settings.inline_limit_bytes, kKiB);
    open();
  }

  void open() {
    tree.reset();
    volume.reset();
    volume = must(fs::Volume::open({rows, blocks, clock, random}, settings));
    tree = std::make_unique<fs::LiveTree>(*volume, fs::LiveTreeOptions{false});
  }
  void reopen() {
    must(volume->close());
    open();
  }

  // Makes everything done so far one commit.
  Sequence commit() {
    clock.advance(kSecondNs);
    must(volume->commit());
    return volume->committed();
  }
  // Forgets that the kernel ever knew the inode, as an unmount does.
  InodeId settle(const fs::Entry& entry) {
    tree->forget(entry.attr.ino, 1);
    return entry.attr.ino;
  }
  InodeId make_file(InodeId parent, const std::string& name) {
    return settle(must(tree->make_node({}, parent, name, {meta::FileType::kRegular, 0644, 0, {}})));
  }
  InodeId make_file(const std::string& name) { return make_file(kRootInode, name); }
  InodeId make_directory(InodeId parent, const std::string& name) {
    return settle(
        must(tree->make_node({}, parent, name, {meta::FileType::kDirectory, 0755, 0, {}})));
  }
  InodeId make_directory(const std::string& name) { return make_directory(kRootInode, name); }
  InodeId find(const std::string& name, InodeId parent = kRootInode) {
    return settle(must(tree->lookup(parent, name)));
  }
  void write(InodeId ino, uint64_t offset, std::string_view bytes) {
    must(tree->write(ino, offset, as_bytes(bytes), {}));
  }
  void unlink(const std::string& name, InodeId parent = kRootInode) {
    must(tree->unlink(parent, name));
  }
  void truncate(InodeId ino, uint64_t size) {
    meta::SetAttr change;
    change.size = size;
    (void)must(tree->set_attr({}, ino, change));
  }
  void snapshot(const std::string& name) {
    const Sequence at = commit();
    volume->put_volume_row(wire::snapshot_key(name),
                           wire::encode(wire::SnapshotRow{at, clock.now()}));
    commit();
  }

  // `length` bytes nobody else writes, the same for the same seed.
  static std::string noise(uint64_t seed, size_t length) {
    os::SeededRandom random(seed);
    std::string bytes;
    while (bytes.size() < length) {
      const uint64_t next = random.next();
      bytes.append(reinterpret_cast<const char*>(&next), sizeof(next));
    }
    bytes.resize(length);
    return bytes;
  }

  std::string read(InodeId ino) {
    std::string bytes(must(volume->get_attr(ino)).size, '\0');
    EXPECT_EQ(must(volume->read(ino, 0, as_writable_bytes(bytes))), bytes.size());
    return bytes;
  }
  // The whole content as of `at`; "?" and the error where it cannot be read.
  std::string read_past(Sequence at, InodeId ino) {
    const meta::PastRows past(rows, at);
    const auto inode = meta::load_inode(past, ino);
    if (!inode.ok()) return "?" + inode.error().to_string();
    std::string bytes(inode->row.size, '\0');
    const auto length = volume->read_past(at, ino, bytes.size(), 0, as_writable_bytes(bytes));
    if (!length.ok()) return "?" + length.error().to_string();
    return bytes;
  }
  // The whole tree as of `at`.
  TreeImage image(Sequence at) {
    TreeImage image;
    add_to_image(meta::PastRows(rows, at), at, kRootInode, "", image);
    return image;
  }
  void add_to_image(const meta::PastRows& past, Sequence at, InodeId ino, const std::string& path,
                    TreeImage& image) {
    const meta::Inode inode = must(meta::load_inode(past, ino));
    std::string text = std::to_string(inode.row.type) + " " + std::to_string(inode.row.mode) + " " +
                       std::to_string(inode.row.nlink) + " ";
    for (const auto& name : must(meta::list_xattrs(past, ino))) {
      text += name + "=" + *must(meta::load_xattr(past, ino, name)) + " ";
    }
    if (inode.type() == meta::FileType::kRegular) text += read_past(at, ino);
    image[path] = text;
    if (!inode.is_directory()) return;
    must(meta::visit_directory(past, ino, 0, [&](const meta::Dentry& dentry) {
      add_to_image(past, at, dentry.row.ino, path + "/" + dentry.row.name, image);
      return true;
    }));
  }

  size_t count(kv::Family family, std::string_view prefix = {}) {
    size_t found = 0;
    const auto all = rows.iterate(family, kv::prefix_range(prefix));
    for (all->seek_to_first(); all->valid(); all->next()) ++found;
    return found;
  }
  void put_row(kv::Family family, std::string key, std::string value) {
    kv::Batch batch;
    batch.put(family, std::move(key), std::move(value));
    must(rows.write(batch, kv::Durability::kSynced));
  }
  void erase_row(kv::Family family, std::string key) {
    kv::Batch batch;
    batch.erase(family, std::move(key));
    must(rows.write(batch, kv::Durability::kSynced));
  }
  std::string row(kv::Family family, std::string_view key) {
    return must(rows.get(family, key)).value_or("(no such row)");
  }

  fs::VolumeSettings settings;
  kv::MemoryStore rows;
  TestBlocks blocks;
  os::ManualClock clock;
  os::SeededRandom random{1};
  std::unique_ptr<fs::Volume> volume;
  std::unique_ptr<fs::LiveTree> tree;
};

}  // namespace nacre::keeper
