#include "fs/volume.h"

#include <gtest/gtest.h>

#include "block/memory_store.h"
#include "fs/live_tree.h"
#include "fs/mounted_tree.h"
#include "kv/memory_store.h"

namespace nacre::fs {
namespace {

// Writes and puts fail while told to.
class FailingRows final : public kv::Store {
 public:
  bool failing = false;

  Result<std::optional<std::string>> get(kv::Family family, std::string_view key,
                                         const kv::Snapshot* at) override {
    return store_.get(family, key, at);
  }
  std::unique_ptr<kv::Iterator> iterate(kv::Family family, kv::Range range,
                                        const kv::Snapshot* at) override {
    return store_.iterate(family, std::move(range), at);
  }
  std::unique_ptr<kv::Snapshot> snapshot() override { return store_.snapshot(); }
  Status write(const kv::Batch& batch, kv::Durability durability) override {
    if (failing) return Code::kNoSpace;
    return store_.write(batch, durability);
  }
  Status sync() override { return store_.sync(); }
  Result<kv::Usage> usage() override { return store_.usage(); }
  Status compact(kv::Family family, kv::Range range) override {
    return store_.compact(family, std::move(range));
  }
  Status verify(std::vector<std::string>& corrupt) override { return store_.verify(corrupt); }

 private:
  kv::MemoryStore store_;
};

// A volume in memory that commits only when asked.
class VolumeTest : public testing::Test {
 protected:
  VolumeTest() {
    settings_.block_size = 64 * kKiB;
    settings_.background = false;
  }
  void open() {
    tree_.reset();
    volume_.reset();
    volume_ = Volume::open({rows_, blocks_, clock_, random_}, settings_).take();
    tree_ = std::make_unique<MountedTree>(*volume_);
  }
  // As a crash leaves it: what is not committed is gone.
  void crash() { open(); }

  InodeId make(InodeId parent, std::string_view name,
               meta::FileType type = meta::FileType::kRegular) {
    NewNode node;
    node.type = type;
    node.mode = 0755;
    return tree_->make_node({}, parent, name, node)->attr.ino;
  }
  InodeId make(std::string_view name) { return make(kRootInode, name); }
  Status write(InodeId ino, uint64_t offset, std::string_view text) {
    return tree_->write(ino, offset, as_bytes(text), {});
  }
  std::string read(InodeId ino) {
    std::string bytes(1000, 'x');
    const auto count = tree_->read(ino, 0, as_writable_bytes(bytes));
    if (!count.ok()) return std::string(name_of(count.code()));
    bytes.resize(*count);
    return bytes;
  }
  std::string read(std::string_view name) {
    const auto found = tree_->lookup(kRootInode, name);
    return found.ok() ? read(found->attr.ino) : std::string(name_of(found.code()));
  }
  std::string names(InodeId directory) {
    std::string text;
    EXPECT_TRUE(tree_
                    ->read_directory(directory, 0, false,
                                     [&](const DirectoryEntry& entry) {
                                       text += std::string(entry.name) + " ";
                                       return true;
                                     })
                    .ok());
    return text;
  }

  FailingRows rows_;
  block::MemoryStore blocks_{kGiB};
  os::ManualClock clock_;
  os::SeededRandom random_{1};
  VolumeSettings settings_;
  std::unique_ptr<Volume> volume_;
  std::unique_ptr<MountedTree> tree_;
};

TEST_F(VolumeTest, WhatIsNotCommittedIsGoneAfterACrash) {
  open();
  ASSERT_TRUE(write(make("a"), 0, "kept").ok());
  ASSERT_TRUE(volume_->commit().ok());
  ASSERT_TRUE(write(make("b"), 0, "lost").ok());
  crash();
  EXPECT_EQ(read("a"), "kept");
  EXPECT_EQ(read("b"), name_of(Code::kNotFound));
}

TEST_F(VolumeTest, ACommitAfterAFailedOneHoldsWhatWasDoneSince) {
  open();
  const InodeId file = make("a");
  ASSERT_TRUE(write(file, 0, "before").ok());
  rows_.failing = true;
  EXPECT_EQ(volume_->commit().code(), Code::kNoSpace);
  rows_.failing = false;
  ASSERT_TRUE(write(file, 0, "AFTER").ok());
  ASSERT_TRUE(volume_->commit().ok());
  crash();
  EXPECT_EQ(read("a"), "AFTERe");
}

TEST_F(VolumeTest, ASyncAfterAFailedCommitHoldsTheFileAsItIsNow) {
  open();
  const InodeId file = make("a");
  ASSERT_TRUE(write(file, 0, "before").ok());
  rows_.failing = true;
  EXPECT_FALSE(tree_->sync(file, SyncScope::kData).ok());
  rows_.failing = false;
  ASSERT_TRUE(write(file, 0, "AFTER").ok());
  ASSERT_TRUE(tree_->sync(file, SyncScope::kData).ok());
  crash();
  EXPECT_EQ(read("a"), "AFTERe");
}

TEST_F(VolumeTest, AFileDeletedAfterItsCommitFailedIsGone) {
  open();
  const InodeId file = make("a");
  ASSERT_TRUE(write(file, 0, "text").ok());
  ASSERT_TRUE(tree_->allocate(file, 0, 2, AllocateMode::kAllocate).ok());
  rows_.failing = true;
  EXPECT_FALSE(volume_->commit().ok());
  rows_.failing = false;
  // Nothing of this is new space: the file has no pending content of its own.
  ASSERT_TRUE(tree_->allocate(file, 0, 2, AllocateMode::kAllocate).ok());
  ASSERT_TRUE(tree_->unlink(kRootInode, "a").ok());
  tree_->forget(file, 1);
  ASSERT_TRUE(volume_->commit().ok());
  EXPECT_EQ(volume_->usage().inodes, 1u);
}

TEST_F(VolumeTest, AllocatingWhatIsAllocatedLeavesNothingPendingBehind) {
  open();
  const InodeId file = make("a");
  ASSERT_TRUE(tree_->allocate(file, 0, 100, AllocateMode::kAllocate).ok());
  ASSERT_TRUE(volume_->commit().ok());
  ASSERT_TRUE(tree_->allocate(file, 0, 100, AllocateMode::kAllocate).ok());
  ASSERT_TRUE(tree_->allocate(file, 50, 10, AllocateMode::kAllocate).ok());
  ASSERT_TRUE(write(file, 0, "x").ok());
  EXPECT_TRUE(volume_->commit().ok());
}

TEST_F(VolumeTest, TimesLeftToTheKernelAreNotSetHere) {
  open();
  tree_->leave_times_to_kernel();
  const InodeId file = make("a");
  const InodeId copy = make("b");
  meta::SetAttr sent;
  sent.mtime = sent.ctime = Timestamp{77};
  for (const InodeId ino : {file, copy}) ASSERT_TRUE(tree_->set_attr({}, ino, sent).ok());
  ASSERT_TRUE(write(file, 0, "text").ok());
  ASSERT_TRUE(tree_->allocate(file, 1, 2, AllocateMode::kPunchHole).ok());
  ASSERT_TRUE(tree_->copy_range(file, 0, copy, 0, 4).ok());
  meta::SetAttr resized;
  resized.size = 4;
  ASSERT_TRUE(tree_->set_attr({}, file, resized).ok());
  for (const InodeId ino : {file, copy}) EXPECT_EQ(tree_->get_attr(ino)->mtime, Timestamp{77});
}

TEST_F(VolumeTest, AWriteLargerThanABlockGoesIntoBlocksAndNotIntoRows) {
  open();
  ASSERT_TRUE(write(make("a"), 0, std::string(3 * settings_.block_size + 1, 'x')).ok());
  ASSERT_TRUE(volume_->commit().ok());
  EXPECT_EQ(volume_->last_inline().value, 0u);
  EXPECT_EQ(blocks_.space().live_bytes, 3 * settings_.block_size + 1);
}

TEST_F(VolumeTest, AWriteOfNothingChangesNothing) {
  open();
  const InodeId file = make("a");
  const meta::Attr before = *tree_->get_attr(file);
  clock_.advance(1000);
  ASSERT_TRUE(write(file, 100, "").ok());
  EXPECT_EQ(tree_->get_attr(file)->size, 0u);
  EXPECT_EQ(tree_->get_attr(file)->mtime, before.mtime);
}

TEST_F(VolumeTest, WithoutAFlusherAWriterStoresTheBuffersItself) {
  settings_.dirty_limit_bytes = 1000;
  open();
  const InodeId file = make("a");
  for (uint64_t i = 0; i < 10; ++i) {
    ASSERT_TRUE(write(file, i * 500, std::string(500, 'x')).ok());
  }
  EXPECT_LE(volume_->usage().dirty, 1500u);
  EXPECT_EQ(tree_->get_attr(file)->size, 5000u);
}

TEST_F(VolumeTest, OnlyRegularFilesHaveBytes) {
  open();
  NewNode node;
  node.type = meta::FileType::kSymlink;
  node.target = "elsewhere";
  const InodeId symlink = tree_->make_node({}, kRootInode, "s", node)->attr.ino;
  const InodeId directory = make(kRootInode, "d", meta::FileType::kDirectory);
  EXPECT_EQ(read(symlink), name_of(Code::kInvalid));
  EXPECT_EQ(read(directory), name_of(Code::kIsDirectory));
  EXPECT_EQ(write(symlink, 0, "x").code(), Code::kInvalid);
  EXPECT_EQ(tree_->seek(directory, 0, SeekKind::kHole).code(), Code::kInvalid);
  EXPECT_EQ(tree_->copy_range(symlink, 0, symlink, 0, 1).code(), Code::kInvalid);
}

TEST_F(VolumeTest, AnUnlinkedFileLivesWhileItIsReferredTo) {
  open();
  const InodeId file = make("a");
  ASSERT_TRUE(write(file, 0, "text").ok());
  ASSERT_TRUE(tree_->unlink(kRootInode, "a").ok());
  ASSERT_TRUE(volume_->commit().ok());
  EXPECT_EQ(read(file), "text");
  tree_->forget(file, 1);
  EXPECT_EQ(read(file), name_of(Code::kNotFound));
}

TEST_F(VolumeTest, AFileUnlinkedWhileOpenIsGoneAfterACrash) {
  open();
  const InodeId file = make("a");
  ASSERT_TRUE(tree_->unlink(kRootInode, "a").ok());
  ASSERT_TRUE(volume_->commit().ok());
  crash();
  EXPECT_EQ(read(file), name_of(Code::kNotFound));
  EXPECT_EQ(volume_->usage().inodes, 1u);
}

TEST_F(VolumeTest, ASyncOfAFileReturnsAtOnceWhenNothingOfItIsDirty) {
  open();
  const InodeId file = make("a");
  ASSERT_TRUE(volume_->commit().ok());
  make("b");
  const Sequence before = volume_->committed();
  ASSERT_TRUE(tree_->sync(file, SyncScope::kAll).ok());
  EXPECT_EQ(volume_->committed(), before);
  ASSERT_TRUE(tree_->sync(kRootInode, SyncScope::kAll).ok());
  EXPECT_GT(volume_->committed(), before);
}

TEST_F(VolumeTest, AClosedVolumeRefusesChanges) {
  open();
  const InodeId file = make("a");
  ASSERT_TRUE(volume_->close().ok());
  EXPECT_EQ(write(file, 0, "x").code(), Code::kReadOnly);
  EXPECT_EQ(tree_->make_node({}, kRootInode, "b", {}).code(), Code::kReadOnly);
  EXPECT_EQ(tree_->unlink(kRootInode, "a").code(), Code::kReadOnly);
  EXPECT_EQ(tree_->rename(kRootInode, "a", kRootInode, "b", RenameMode::kReplace).code(),
            Code::kReadOnly);
}

// What `.nacre` shows.
// So that a store that is far away has it when it is asked for.
TEST_F(VolumeTest, WhoReadsAFileFromEndToEndHasTheRestHintedAt) {
  open();
  constexpr size_t size = 40 * kMiB;
  const InodeId file = make("large");
  const std::string text(kMiB, 'x');
  for (size_t at = 0; at < size; at += kMiB) {
    ASSERT_TRUE(write(file, at, text.substr(at / kMiB)).ok());
    ASSERT_TRUE(volume_->commit().ok());
  }
  os::SeededRandom random(3);
  std::string bytes(128 * kKiB, '\0');
  for (int i = 0; i < 1000; ++i) {
    const MutableBytes page = as_writable_bytes(bytes).first(4096);
    ASSERT_TRUE(tree_->read(file, random.next() % size / 4096 * 4096, page).ok());
  }
  EXPECT_LE(blocks_.hinted_bytes(), size);  // by chance
  const uint64_t before = blocks_.hinted_bytes();
  for (size_t at = 0; at < size / 2; at += bytes.size()) {
    ASSERT_TRUE(tree_->read(file, at, as_writable_bytes(bytes)).ok());
    // Of what is read next, half of a stretch of 4 MiB at least.
    if (at < 4 * kMiB) continue;
    EXPECT_GE(blocks_.hinted_bytes() - before + kMiB, at) << at;
  }
}

class HiddenDirectoryTest : public VolumeTest {
 protected:
  HiddenDirectoryTest() { open(); }
  // Follows names from the root.
  Result<InodeId> walk(const std::vector<std::string>& path) {
    InodeId at = kRootInode;
    for (const std::string& name : path) at = TRY(tree_->lookup(at, name)).attr.ino;
    return at;
  }
};

TEST_F(HiddenDirectoryTest, IsNotListedAndItsNameIsReserved) {
  EXPECT_EQ(names(kRootInode), ". .. ");
  EXPECT_EQ(names(*walk({".nacre"})), ". .. at snapshots ");
  EXPECT_EQ(tree_->make_node({}, kRootInode, ".nacre", {}).code(), Code::kNotPermitted);
  EXPECT_EQ(tree_->unlink(kRootInode, ".nacre").code(), Code::kNotPermitted);
  make("a");
  EXPECT_EQ(tree_->rename(kRootInode, "a", kRootInode, ".nacre", RenameMode::kReplace).code(),
            Code::kNotPermitted);
}

TEST_F(HiddenDirectoryTest, ShowsTheTreeAsOfACommit) {
  const InodeId file = make("a");
  ASSERT_TRUE(write(file, 0, "one").ok());
  ASSERT_TRUE(volume_->commit().ok());
  const std::string first = std::to_string(volume_->committed().value);
  ASSERT_TRUE(write(file, 0, "two and more").ok());
  make("b");
  ASSERT_TRUE(volume_->commit().ok());
  const InodeId root = *walk({".nacre", "at", first});
  EXPECT_EQ(names(root), ". .. a ");
  EXPECT_EQ(read(*walk({".nacre", "at", first, "a"})), "one");
  EXPECT_EQ(read(*walk({".nacre", "at", "now", "a"})), "two and more");
}

TEST_F(HiddenDirectoryTest, InodesOfThePastHaveNumbersOfTheirOwn) {
  const InodeId file = make("a");
  ASSERT_TRUE(volume_->commit().ok());
  const std::string first = std::to_string(volume_->committed().value);
  ASSERT_TRUE(write(file, 0, "x").ok());
  ASSERT_TRUE(volume_->commit().ok());
  const std::string second = std::to_string(volume_->committed().value);
  const InodeId one = *walk({".nacre", "at", first, "a"});
  const InodeId other = *walk({".nacre", "at", second, "a"});
  EXPECT_NE(one, file);
  EXPECT_NE(one, other);
  EXPECT_TRUE(one.value & kViewBit);
  EXPECT_EQ(one, *walk({".nacre", "at", first, "a"})) << "the same while it is referred to";
}

TEST_F(HiddenDirectoryTest, ThePastCannotBeChanged) {
  make("a");
  ASSERT_TRUE(volume_->commit().ok());
  const InodeId root = *walk({".nacre", "at", "1"});
  EXPECT_EQ(tree_->make_node({}, root, "x", {}).code(), Code::kReadOnly);
  EXPECT_EQ(tree_->unlink(root, "a").code(), Code::kReadOnly);
  EXPECT_EQ(tree_->link(*walk({".nacre", "at", "now", "a"}), kRootInode, "b").code(),
            Code::kCrossDevice);
  EXPECT_EQ(write(*walk({".nacre", "at", "now", "a"}), 0, "x").code(), Code::kReadOnly);
}

TEST_F(HiddenDirectoryTest, MomentsThatAreNotThereAreNotFound) {
  EXPECT_EQ(walk({".nacre", "at", "999"}).code(), Code::kNotFound);
  EXPECT_EQ(walk({".nacre", "at", "no such snapshot"}).code(), Code::kNotFound);
  EXPECT_EQ(walk({".nacre", "snapshots", "none"}).code(), Code::kNotFound);
  EXPECT_EQ(walk({".nacre", "other"}).code(), Code::kNotFound);
}

}  // namespace
}  // namespace nacre::fs
