#include "node/return_to.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "meta/past_rows.h"
#include "node/restore.h"
#include "node/test_volume.h"

namespace nacre::node {
namespace {

// All that the volume was as of a moment: of each path what it is, and which others are the same
// file.
std::map<std::string, std::string> tree_of(TestVolume& test, Sequence at) {
  std::map<std::string, std::string> tree;
  std::map<InodeId, std::string> first_path;
  const meta::PastRows rows(test.volume().rows(), at);
  const std::function<void(const std::string&, InodeId)> add = [&](const std::string& path,
                                                                   InodeId ino) {
    const PastFile file = load_past_file(test.volume().rows(), at, ino).take();
    const std::string& twin = first_path.emplace(ino, path).first->second;
    std::string content = file.target;
    if (file.attr.type == meta::FileType::kRegular) {
      content.resize(file.attr.size);
      EXPECT_TRUE(
          test.volume().read_past(at, ino, file.attr.size, 0, as_writable_bytes(content)).ok());
    }
    std::string facts = fmt::format("type {} mode {:o} links {} mtime {} as {}: {}",
                                    static_cast<int>(file.attr.type), file.attr.mode,
                                    file.attr.nlink, file.attr.mtime.ns, twin, content);
    for (const auto& [name, value] : file.xattrs) facts += fmt::format(" {}={}", name, value);
    tree[path] = facts;
    if (file.attr.type != meta::FileType::kDirectory) return;
    EXPECT_TRUE(meta::visit_directory(rows, ino, 0, [&](const meta::Dentry& dentry) {
                  add(path + "/" + dentry.row.name, dentry.row.ino);
                  return true;
                }).ok());
  };
  add("", kRootInode);
  return tree;
}

Status go_back(TestVolume& test, Sequence at) {
  return return_to(test.volume(), at, [](uint64_t) { return true; });
}

TEST(ReturnTo, WhatCameLaterGoesAndWhatWentComesBack) {
  TestVolume test;
  test.make_directory("/d");
  test.write("/d/changed", "before");
  test.write("/d/removed", "still needed");
  const Sequence at = test.make_symlink("/link", "d/changed");
  const auto before = tree_of(test, at);
  test.write("/d/changed", "after");
  test.remove("/d/removed");
  test.remove("/link");
  test.make_directory("/link");
  const Sequence later = test.write("/link/new", "later");
  const auto after = tree_of(test, later);
  const Status returned = go_back(test, at);
  ASSERT_TRUE(returned.ok()) << returned.error().to_string();
  EXPECT_EQ(tree_of(test, test.volume().committed()), before);
  EXPECT_EQ(tree_of(test, later), after) << "and history has what came between";
}

TEST(ReturnTo, FilesThatAreAsTheyWereAreNotTouched) {
  TestVolume test;
  test.write("/a", "same");
  const Sequence at = test.link("/a", "/b");
  test.write("/c", "later");
  const InodeId ino = test.find("/a");
  const auto ctime = test.attr("/a").ctime;
  ASSERT_TRUE(go_back(test, at).ok());
  EXPECT_EQ(test.find("/a"), ino);
  EXPECT_EQ(test.attr("/a").ctime, ctime);
}

TEST(ReturnTo, NamesOfOneFileAreNamesOfOneFileAgain) {
  TestVolume test;
  test.write("/a", "one");
  test.write("/b", "two");
  const Sequence at = test.link("/a", "/c");
  const auto before = tree_of(test, at);
  // By now /a and /b are the same file, and /c is one of its own.
  test.remove("/c");
  test.write("/c", "three");
  test.remove("/a");
  test.link("/b", "/a");
  ASSERT_TRUE(go_back(test, at).ok());
  EXPECT_EQ(tree_of(test, test.volume().committed()), before);
}

// Any change, any number of times: where it goes back to is where it was.
class RandomChanges {
 public:
  RandomChanges(TestVolume& test, uint64_t seed) : test_(test), random_(seed) {}

  Sequence change() {
    const std::string path = some_path();
    const std::string other = some_path();
    const bool there = test_.find(path) != InodeId{};
    const bool is_directory = there && test_.attr(path).type == meta::FileType::kDirectory;
    switch (random_.next() % 8) {
      case 0:
        if (!there && parent_is_directory(path)) return test_.make_directory(path);
        break;
      case 1:
        if (!there && parent_is_directory(path)) return test_.make_symlink(path, other);
        break;
      case 2:
        if (there && !is_directory && !exists(other) && parent_is_directory(other)) {
          return test_.link(path, other);
        }
        break;
      case 3:
        if (there && !is_directory) return test_.remove(path);
        break;
      case 4:
        if (there && !exists(other) && parent_is_directory(other) &&
            !other.starts_with(path + "/")) {
          return test_.rename(path, other);
        }
        break;
      case 5:
        if (there) return test_.set_xattr(path, "user.x", std::to_string(random_.next() % 100));
        break;
      case 6:
        if (there && test_.attr(path).type != meta::FileType::kSymlink) {
          return test_.change_mode(path, 0600 + static_cast<uint32_t>(random_.next() % 8));
        }
        break;
      default:
        if (parent_is_directory(path) && !is_directory &&
            !(there && test_.attr(path).type == meta::FileType::kSymlink)) {
          return test_.write(path, std::string(random_.next() % 5000, some_letter(26)));
        }
    }
    return test_.volume().committed();
  }

 private:
  char some_letter(uint64_t of) { return "abcdefghijklmnopqrstuvwxyz"[random_.next() % of]; }
  std::string some_path() {
    std::string path;
    const uint64_t depth = 1 + random_.next() % 3;
    for (uint64_t i = 0; i < depth; ++i) path += "/" + std::string(1, some_letter(3));
    return path;
  }
  bool exists(const std::string& path) { return test_.find(path) != InodeId{}; }
  bool parent_is_directory(const std::string& path) {
    const std::string parent = path.substr(0, path.rfind('/'));
    return parent.empty() ||
           (exists(parent) && test_.attr(parent).type == meta::FileType::kDirectory);
  }

  TestVolume& test_;
  os::SeededRandom random_;
};

TEST(ReturnTo, AnyMomentComesBackExactly) {
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE(seed);
    TestVolume test;
    RandomChanges changes(test, seed);
    std::map<Sequence, std::map<std::string, std::string>> moments;
    for (int i = 0; i < 150; ++i) {
      const Sequence at = changes.change();
      if (i % 30 == 0) moments[at] = tree_of(test, at);
    }
    for (const auto& [at, tree] : moments) {
      const Status returned = go_back(test, at);
      ASSERT_TRUE(returned.ok()) << returned.error().to_string();
      ASSERT_EQ(tree_of(test, test.volume().committed()), tree);
      for (int i = 0; i < 10; ++i) changes.change();
    }
    for (const auto& [at, tree] : moments) EXPECT_EQ(tree_of(test, at), tree);
  }
}

}  // namespace
}  // namespace nacre::node
