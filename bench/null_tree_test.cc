#include "null_tree.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <vector>

namespace nacre::bench {
namespace {

class NullTreeTest : public ::testing::Test {
 protected:
  int make(Node* parent, const std::string& name, mode_t mode = S_IFREG | 0644) {
    return tree_.make(parent, name, mode, 1, 2, 0, &node_, &attr_);
  }
  int lookup(Node* parent, const std::string& name) {
    return tree_.lookup(parent, name, &node_, &attr_);
  }
  std::vector<std::string> list(Node* directory, size_t from = 0, size_t limit = 100) {
    std::vector<std::string> names;
    tree_.read(directory, from, false, [&](const NullTree::Entry& entry) {
      if (names.size() == limit) return false;
      names.push_back(entry.name);
      next_ = entry.next;
      return true;
    });
    return names;
  }

  NullTree tree_;
  Node* root_ = tree_.root();
  Node* node_ = nullptr;  // of the last make or lookup
  struct stat attr_ = {};
  size_t next_ = 0;  // where the last list() ended
};

using Names = std::vector<std::string>;

TEST_F(NullTreeTest, FindsWhatWasMade) {
  ASSERT_EQ(make(root_, "file"), 0);
  EXPECT_EQ(make(root_, "file"), EEXIST);
  ASSERT_EQ(lookup(root_, "file"), 0);
  EXPECT_EQ(attr_.st_mode, mode_t{S_IFREG | 0644});
  EXPECT_EQ(attr_.st_uid, 1u);
  EXPECT_EQ(attr_.st_nlink, 1u);
  EXPECT_EQ(lookup(root_, "other"), ENOENT);
}

TEST_F(NullTreeTest, DirectoriesCountTheirSubdirectoriesAndAreRemovedEmpty) {
  ASSERT_EQ(make(root_, "dir", S_IFDIR | 0755), 0);
  Node* directory = node_;
  EXPECT_EQ(tree_.attr(root_).st_nlink, 3u);
  ASSERT_EQ(make(directory, "file"), 0);
  EXPECT_EQ(tree_.remove(root_, "dir", true), ENOTEMPTY);
  EXPECT_EQ(tree_.remove(root_, "dir", false), EISDIR);
  EXPECT_EQ(tree_.remove(directory, "file", true), ENOTDIR);
  EXPECT_EQ(tree_.remove(directory, "file", false), 0);
  EXPECT_EQ(tree_.remove(root_, "dir", true), 0);
  EXPECT_EQ(tree_.attr(root_).st_nlink, 2u);
}

TEST_F(NullTreeTest, RenameReplacesUnlessToldNotTo) {
  ASSERT_EQ(make(root_, "a"), 0);
  const ino_t ino = attr_.st_ino;
  ASSERT_EQ(make(root_, "b"), 0);
  EXPECT_EQ(tree_.rename(root_, "a", root_, "b", false), EEXIST);
  EXPECT_EQ(tree_.rename(root_, "a", root_, "b", true), 0);
  EXPECT_EQ(lookup(root_, "a"), ENOENT);
  ASSERT_EQ(lookup(root_, "b"), 0);
  EXPECT_EQ(attr_.st_ino, ino);
}

TEST_F(NullTreeTest, ARemovedFileLivesWhileItIsReferenced) {
  ASSERT_EQ(make(root_, "file"), 0);
  Node* node = node_;
  EXPECT_EQ(tree_.remove(root_, "file", false), 0);
  tree_.wrote(node, 10);
  EXPECT_EQ(tree_.attr(node).st_size, 10);
  EXPECT_EQ(tree_.attr(node).st_nlink, 0u);
  tree_.forget(node, 1);
}

TEST_F(NullTreeTest, ADirectoryIsReadInPartsWhileEntriesGo) {
  for (const char* name : {"a", "b", "c", "d"}) ASSERT_EQ(make(root_, name), 0);
  EXPECT_EQ(list(root_, 0, 2), (Names{"a", "b"}));
  EXPECT_EQ(tree_.remove(root_, "a", false), 0);
  EXPECT_EQ(tree_.remove(root_, "c", false), 0);
  EXPECT_EQ(list(root_, next_), Names{"d"});
  ASSERT_EQ(make(root_, "e"), 0);
  EXPECT_EQ(list(root_).size(), 3u);
}

}  // namespace
}  // namespace nacre::bench
