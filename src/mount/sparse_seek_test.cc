#include "mount/sparse_seek.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "mount/test_tree.h"

namespace nacre::mount {
namespace {

constexpr uint64_t kPage = 4096;
using Range = std::pair<uint64_t, uint64_t>;

// A file of which the tree has some pages and the kernel holds others, dirty.
class SparseSeek : public testing::Test {
 protected:
  SparseSeek() { ino_ = tree_.make_node({}, kRootInode, "file", {})->attr.ino; }

  void stored(uint64_t page) { write(page); }
  void dirty(uint64_t page) { dirty_.push_back(page); }
  void size(uint64_t pages) {
    meta::SetAttr change;
    change.size = pages * kPage;
    ASSERT_TRUE(tree_.set_attr({}, ino_, change).ok());
  }

  // In pages; -1 when there is none.
  int64_t seek(uint64_t page, fs::SeekKind kind) {
    const auto write_back = [this](uint64_t offset, uint64_t length) {
      written_back_.push_back({offset / kPage, length / kPage});
      const uint64_t end = length == 0 ? UINT64_MAX : offset + length;
      std::erase_if(dirty_, [&](uint64_t dirty_page) {
        const bool inside = dirty_page * kPage + kPage > offset && dirty_page * kPage < end;
        if (inside) write(dirty_page);
        return inside;
      });
    };
    const auto found = seek_written_back(tree_, ino_, page * kPage, kind, write_back);
    if (!found.ok()) return -1;
    EXPECT_EQ(*found % kPage, 0u);
    return static_cast<int64_t>(*found / kPage);
  }
  int64_t data(uint64_t page) { return seek(page, fs::SeekKind::kData); }
  int64_t hole(uint64_t page) { return seek(page, fs::SeekKind::kHole); }

  std::vector<Range> written_back_;  // page and number of pages, 0: to the end

 private:
  void write(uint64_t page) {
    const std::string bytes(kPage, 'x');
    ASSERT_TRUE(tree_.write(ino_, page * kPage, as_bytes(bytes), {}).ok());
  }

  TestTree tree_;
  InodeId ino_;
  std::vector<uint64_t> dirty_;
};

TEST_F(SparseSeek, DataThatTheTreeHasNeedsNoWriteBack) {
  stored(3);
  EXPECT_EQ(data(3), 3);
  EXPECT_TRUE(written_back_.empty());
}

TEST_F(SparseSeek, DataIsFoundInDirtyPages) {
  dirty(5);
  EXPECT_EQ(data(0), 5);
}

TEST_F(SparseSeek, DirtyDataComesBeforeStoredData) {
  stored(9);
  dirty(4);
  EXPECT_EQ(data(0), 4);
  EXPECT_EQ(written_back_, (std::vector<Range>{{0, 9}})) << "the stored pages stay cached";
}

TEST_F(SparseSeek, NoDataIsNoDataAfterWriteBack) {
  size(8);
  EXPECT_EQ(data(2), -1);
  dirty(3);
  EXPECT_EQ(data(4), -1);
}

TEST_F(SparseSeek, AHoleFilledByDirtyPagesIsNone) {
  stored(0);
  stored(4);
  dirty(1);
  dirty(2);
  EXPECT_EQ(hole(0), 3);
}

TEST_F(SparseSeek, AFileWithoutHolesEndsInOne) {
  stored(0);
  dirty(1);
  dirty(2);
  EXPECT_EQ(hole(0), 3);
}

TEST_F(SparseSeek, HolesThatAreFilledOneAfterAnother) {
  size(10);
  for (const uint64_t page : {0, 2, 4, 6}) stored(page);
  for (const uint64_t page : {1, 3, 5}) dirty(page);
  EXPECT_EQ(hole(0), 7);
}

TEST_F(SparseSeek, PastTheEndThereIsNoHoleUnlessDirtyPagesMoveTheEnd) {
  stored(0);
  EXPECT_EQ(hole(5), -1);
  dirty(7);
  EXPECT_EQ(hole(5), 5);
}

}  // namespace
}  // namespace nacre::mount
