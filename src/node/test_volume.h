// A small volume on a simulated disk, and words to work with its files by path. For tests.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "fs/live_tree.h"
#include "node/create_volume.h"
#include "node/path_history.h"
#include "node/volume_directory.h"
#include "os/sim_disk.h"

namespace nacre::node {

class TestVolume {
 public:
  TestVolume() {
    CreateOptions options;
    options.block_size = 64 * kKiB;
    options.capacity_bytes = 256 * kMiB;
    const auto created = create_volume(host(), kPath, options);
    EXPECT_TRUE(created.ok()) << created.error().to_string();
    open();
  }

  device::Host host() { return {disk_, clock_, random_}; }
  void open(bool read_only = false) {
    auto opened =
        VolumeDirectory::open(host(), kPath, {.read_only = read_only, .background = false});
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    directory_ = opened.take();
  }
  void close() {
    EXPECT_TRUE(directory_->close().ok());
    directory_.reset();
  }
  VolumeDirectory& directory() { return *directory_; }
  fs::Volume& volume() { return directory_->volume(); }
  os::SimDisk& disk() { return disk_; }
  os::ManualClock& clock() { return clock_; }

  // Makes what was done so far a commit of its own, a second after the last; its sequence.
  Sequence commit() {
    clock_.advance(1'000'000'000);
    EXPECT_TRUE(volume().commit().ok());
    return volume().committed();
  }
  // Each of these is a commit.
  Sequence make_directory(const std::string& path) {
    make(path, {.type = meta::FileType::kDirectory, .mode = 0755, .target = {}});
    return commit();
  }
  Sequence write(const std::string& path, const std::string& text) {
    fs::LiveTree tree(volume());
    InodeId ino = find(path);
    if (ino == InodeId{}) ino = make(path, {.mode = 0644, .target = {}});
    meta::SetAttr cut;
    cut.size = 0;
    EXPECT_TRUE(tree.set_attr({}, ino, cut).ok());
    EXPECT_TRUE(tree.write(ino, 0, as_bytes(text), {}).ok());
    return commit();
  }
  Sequence make_symlink(const std::string& path, const std::string& target) {
    make(path, {.type = meta::FileType::kSymlink, .mode = 0777, .target = target});
    return commit();
  }
  Sequence link(const std::string& from, const std::string& to) {
    fs::LiveTree tree(volume());
    EXPECT_TRUE(tree.link(find(from), parent_of(to), name_of(to)).ok());
    return commit();
  }
  Sequence remove(const std::string& path) {
    fs::LiveTree tree(volume());
    const auto attr = tree.get_attr(find(path));
    const Status removed = attr.ok() && attr->type == meta::FileType::kDirectory
                               ? tree.remove_directory(parent_of(path), name_of(path))
                               : tree.unlink(parent_of(path), name_of(path));
    EXPECT_TRUE(removed.ok()) << path << ": " << removed.error().to_string();
    return commit();
  }
  Sequence rename(const std::string& from, const std::string& to) {
    fs::LiveTree tree(volume());
    EXPECT_TRUE(tree.rename(parent_of(from), name_of(from), parent_of(to), name_of(to),
                            fs::RenameMode::kReplace)
                    .ok());
    return commit();
  }
  Sequence change_mode(const std::string& path, uint32_t mode) {
    fs::LiveTree tree(volume());
    meta::SetAttr change;
    change.mode = mode;
    EXPECT_TRUE(tree.set_attr({}, find(path), change).ok());
    return commit();
  }
  Sequence set_xattr(const std::string& path, const std::string& name, const std::string& value) {
    fs::LiveTree tree(volume());
    EXPECT_TRUE(tree.set_xattr(find(path), name, value, fs::XattrMode::kSet, false).ok());
    return commit();
  }

  // Zero if there is no such file now.
  InodeId find(const std::string& path) {
    InodeId ino = kRootInode;
    const PathComponents components = split_path(path).take();
    for (const std::string& name : components) {
      const auto found =
          volume().look([&](const meta::Namespace& names) { return names.lookup(ino, name); });
      if (!found.ok()) return InodeId{};
      ino = found->ino;
    }
    return ino;
  }
  meta::Attr attr(const std::string& path) {
    const auto attr = volume().get_attr(find(path));
    EXPECT_TRUE(attr.ok()) << path;
    return attr.ok() ? *attr : meta::Attr{};
  }
  // The text of a file, the target of a symlink, or the error.
  std::string read(const std::string& path) {
    fs::LiveTree tree(volume());
    const InodeId ino = find(path);
    const auto found = tree.get_attr(ino);
    if (!found.ok()) return found.error().to_string();
    if (found->type == meta::FileType::kSymlink) return *tree.read_link(ino);
    std::string text(found->size, '\0');
    const auto count = tree.read(ino, 0, as_writable_bytes(text));
    return count.ok() ? text : count.error().to_string();
  }

  static constexpr const char* kPath = "/srv/volume";

 private:
  static std::string name_of(const std::string& path) { return split_path(path)->back(); }
  InodeId parent_of(const std::string& path) {
    PathComponents components = split_path(path).take();
    components.pop_back();
    return find(join_path(components));
  }
  InodeId make(const std::string& path, const fs::NewNode& node) {
    fs::LiveTree tree(volume());
    const auto made = tree.make_node({}, parent_of(path), name_of(path), node);
    EXPECT_TRUE(made.ok()) << path << ": " << made.error().to_string();
    if (!made.ok()) return {};
    tree.forget(made->attr.ino, 1);
    return made->attr.ino;
  }

  os::SimDisk disk_{11, 2 * kGiB};
  os::ManualClock clock_;
  os::SeededRandom random_{11};
  std::unique_ptr<VolumeDirectory> directory_;
};

}  // namespace nacre::node
