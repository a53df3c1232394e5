#include "keeper/forget.h"

#include <gtest/gtest.h>

#include "keeper/prune.h"
#include "keeper/retention.h"
#include "keeper/test_exercise.h"
#include "keeper/test_volume.h"

namespace nacre::keeper {
namespace {

Forgotten forget(TestVolume& test, InodeId ino, bool whole = false) {
  Compactor compactor(*test.volume);
  return must(keeper::forget(*test.volume, compactor, ino, {whole}));
}

// Whether the bytes are anywhere in rows or blocks.
bool holds(TestVolume& test, std::string_view bytes) {
  for (const auto family : {kv::Family::kLive, kv::Family::kPast}) {
    const auto rows = test.rows.iterate(family, {});
    for (rows->seek_to_first(); rows->valid(); rows->next()) {
      if (rows->value().find(bytes) != std::string_view::npos) return true;
    }
  }
  bool found = false;
  must(test.blocks.list([&](BlockId id, const block::BlockInfo& info) {
    std::string block(info.logical_bytes, '\0');
    must(test.blocks.read(id, 0, as_writable_bytes(block)));
    found = found || block.find(bytes) != std::string::npos;
    return true;
  }));
  return found;
}

TEST(Forget, ADeletedFileLeavesNoByteBehind) {
  TestVolume test;
  const InodeId ino = test.make_file("secret");
  test.write(ino, 0, std::string(5'000, 'a') + "the secret" + std::string(5'000, 'b'));
  test.write(test.make_file("beside"), 0, TestVolume::noise(1, 20'000));
  test.commit();
  test.unlink("secret");
  test.commit();
  ASSERT_TRUE(holds(test, "the secret"));
  const Forgotten done = forget(test, ino);
  EXPECT_GT(done.extents, 0u);
  EXPECT_FALSE(holds(test, "the secret"));
  EXPECT_EQ(test.read(test.find("beside")), TestVolume::noise(1, 20'000));
  EXPECT_EQ(test.blocks.bytes(), 20'000u);
}

TEST(Forget, TheLiveFileStaysAndItsPastIsEmpty) {
  TestVolume test;
  const InodeId ino = test.make_file("file");
  test.write(ino, 0, "the secret" + std::string(9'000, 'x'));
  const Sequence old = test.commit();
  test.write(ino, 0, "harmless..");
  test.commit();
  forget(test, ino);
  EXPECT_FALSE(holds(test, "the secret"));
  EXPECT_EQ(test.read(ino), "harmless.." + std::string(9'000, 'x'));
  EXPECT_EQ(test.read_past(old, ino), "");
}

TEST(Forget, SmallContentInTheRowsGoesToo) {
  TestVolume test;
  const InodeId ino = test.make_file("file");
  test.write(ino, 0, "the secret");
  test.commit();
  test.truncate(ino, 0);
  test.commit();
  ASSERT_TRUE(holds(test, "the secret"));
  forget(test, ino);
  EXPECT_FALSE(holds(test, "the secret"));
}

TEST(Forget, AttributesOfThePastGoAndThoseOfThePresentStay) {
  TestVolume test;
  const InodeId ino = test.make_file("file");
  must(test.tree->set_xattr(ino, "user.a", "the secret", fs::XattrMode::kSet, false));
  test.commit();
  must(test.tree->set_xattr(ino, "user.a", "harmless", fs::XattrMode::kSet, false));
  test.commit();
  forget(test, ino);
  EXPECT_FALSE(holds(test, "the secret"));
  EXPECT_EQ(must(test.tree->get_xattr(ino, "user.a")), "harmless");
}

TEST(Forget, SnapshotsDoNotHoldItBack) {
  TestVolume test;
  const InodeId ino = test.make_file("file");
  test.write(ino, 0, "the secret" + std::string(9'000, 'x'));
  test.snapshot("kept");
  test.unlink("file");
  test.commit();
  forget(test, ino);
  EXPECT_FALSE(holds(test, "the secret"));
  EXPECT_EQ(test.count(kv::Family::kBlocks, "b"), 0u);
}

TEST(Forget, OldViewsStillListTheNameUnlessTheWholeIsForgotten) {
  TestVolume test;
  const InodeId ino = test.make_file("file");
  test.write(ino, 0, "the secret");
  const Sequence old = test.commit();
  test.unlink("file");
  test.commit();
  forget(test, ino);
  EXPECT_TRUE(test.image(old).contains("/file"));
  EXPECT_EQ(forget(test, ino, true).names, 1u);
  EXPECT_FALSE(test.image(old).contains("/file"));
  Compactor compactor(*test.volume);
  const auto again = keeper::forget(*test.volume, compactor, ino, {true});
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.code(), Code::kNotFound);
}

TEST(Forget, BytesThatAnotherFileSharesStayForIt) {
  TestVolume test;
  const InodeId ino = test.make_file("file");
  const std::string bytes = TestVolume::noise(1, 30'000);
  test.write(ino, 0, bytes);
  test.commit();
  const InodeId copy = test.make_file("copy");
  (void)must(test.tree->copy_range(ino, 0, copy, 0, 10'000));
  test.commit();
  test.unlink("file");
  test.commit();
  forget(test, ino);
  EXPECT_EQ(test.read(copy), bytes.substr(0, 10'000));
  EXPECT_EQ(test.blocks.bytes(), 10'000u);
}

TEST(Forget, ABlockThatCannotBeReadIsCounted) {
  TestVolume test;
  const InodeId ino = test.make_file("file");
  test.write(ino, 0, TestVolume::noise(1, 30'000));
  test.commit();
  test.truncate(ino, 20'000);
  test.commit();
  must(test.blocks.list([&](BlockId id, const block::BlockInfo&) {
    test.blocks.rot(id);
    return true;
  }));
  EXPECT_EQ(forget(test, ino).damaged, 1u);
}

TEST(Forget, ADirectoryIsRefused) {
  TestVolume test;
  const InodeId ino = test.make_directory("dir");
  test.commit();
  Compactor compactor(*test.volume);
  EXPECT_EQ(keeper::forget(*test.volume, compactor, ino, {}).code(), Code::kIsDirectory);
}

TEST(Forget, EverythingElseStaysAsItWas) {
  TestVolume test;
  Exercise work(test, 3);
  work.rounds(30);
  const InodeId ino = test.make_file("victim");
  for (uint64_t i = 0; i < 8; ++i) {
    test.write(ino, 1'000 * i, TestVolume::noise(i, 15'000));
    work.round();
  }
  test.unlink("victim");
  work.round();
  const auto images = work.images();
  forget(test, ino, true);
  for (const auto& [at, before] : images) {
    TreeImage expected = before;
    expected.erase("/victim");
    EXPECT_TRUE(test.image(at) == expected) << at.value;
  }
}

}  // namespace
}  // namespace nacre::keeper
