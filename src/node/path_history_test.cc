#include "node/path_history.h"

#include <gmock/gmock.h>

#include "node/test_volume.h"

namespace nacre::node {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class PathHistoryTest : public testing::Test {
 protected:
  const meta::NameKey& key() { return test_.volume().settings().name_key; }
  PathHistory history(const std::string& path) {
    auto history = history_of(test_.volume().rows(), key(), *split_path(path));
    EXPECT_TRUE(history.ok()) << path << ": " << history.error().to_string();
    return history.ok() ? history.take() : PathHistory();
  }
  // The sizes of the versions of a path, oldest first.
  std::vector<uint64_t> sizes(const std::string& path) {
    std::vector<uint64_t> sizes;
    for (const PathVersion& version : history(path).versions) sizes.push_back(version.attr.size);
    return sizes;
  }
  // What each version can be read as.
  std::vector<std::string> texts(const std::string& path) {
    std::vector<std::string> texts;
    for (const PathVersion& version : history(path).versions) {
      std::string text(version.attr.size, '\0');
      const auto count = test_.volume().read_past(version.at, version.ino, version.attr.size, 0,
                                                  as_writable_bytes(text));
      texts.push_back(count.ok() ? text : count.error().to_string());
    }
    return texts;
  }
  std::vector<std::string> deleted(const std::string& path, bool recursive) {
    std::vector<std::string> paths;
    const Status visited = visit_deleted(test_.volume().rows(), key(), *split_path(path), recursive,
                                         [&](const DeletedPath& deleted) {
                                           paths.push_back(join_path(deleted.path));
                                           return true;
                                         });
    EXPECT_TRUE(visited.ok()) << visited.error().to_string();
    std::ranges::sort(paths);
    return paths;
  }

  TestVolume test_;
};

TEST_F(PathHistoryTest, ShowsEachCommittedStateOfAFile) {
  test_.write("/a", "1");
  const Sequence second = test_.write("/a", "22");
  const Sequence third = test_.change_mode("/a", 0600);
  const PathHistory history = this->history("/a");
  ASSERT_EQ(history.versions.size(), 3u);
  EXPECT_FALSE(history.deleted);
  EXPECT_THAT(texts("/a"), ElementsAre("1", "22", "22"));
  EXPECT_EQ(history.versions[1].number, 2u);
  EXPECT_EQ(history.versions[1].begin, second);
  EXPECT_EQ(history.versions[1].end, third);
  EXPECT_THAT(history.versions[1].changes, ElementsAre("content", "size"));
  EXPECT_THAT(history.versions[2].changes, ElementsAre("mode"));
  EXPECT_EQ(history.versions[2].end, std::nullopt);
}

TEST_F(PathHistoryTest, OfADeletedFileEndsWithItsRemoval) {
  test_.write("/a", "1");
  const Sequence gone = test_.remove("/a");
  const PathHistory history = this->history("/a");
  EXPECT_TRUE(history.deleted);
  ASSERT_EQ(history.versions.size(), 1u);
  EXPECT_EQ(history.versions[0].end, gone);
}

TEST_F(PathHistoryTest, FollowsAFileThroughItsRenames) {
  test_.write("/draft", "1");
  test_.write("/draft", "22");
  test_.rename("/draft", "/final");
  test_.write("/final", "333");
  EXPECT_THAT(texts("/final"), ElementsAre("1", "22", "22", "333"));
  EXPECT_THAT(texts("/draft"), ElementsAre("1", "22"));
  EXPECT_TRUE(history("/draft").deleted);
}

TEST_F(PathHistoryTest, GoesThroughEveryFileThatBoreTheName) {
  test_.write("/a", "1");
  test_.write("/a.tmp", "22");
  test_.write("/a.tmp", "333");
  test_.rename("/a.tmp", "/a");
  const PathHistory history = this->history("/a");
  EXPECT_THAT(texts("/a"), ElementsAre("1", "333"));
  EXPECT_THAT(history.versions[1].changes, ElementsAre("another file"));
  EXPECT_EQ(history.versions[0].end, history.versions[1].begin);
}

TEST_F(PathHistoryTest, AFileMadeAnewUnderAnOldNameContinuesIt) {
  test_.write("/a", "1");
  test_.remove("/a");
  test_.write("/a", "22");
  EXPECT_THAT(texts("/a"), ElementsAre("1", "22"));
  EXPECT_FALSE(history("/a").deleted);
}

TEST_F(PathHistoryTest, AFileThatWentAndCameBackIsNotShownTwice) {
  test_.write("/a", "1");
  test_.rename("/a", "/b");
  test_.rename("/b", "/a");
  test_.write("/a", "22");
  const std::vector<std::string> all = texts("/a");
  EXPECT_EQ(all.front(), "1");
  EXPECT_EQ(all.back(), "22");
  for (size_t i = 1; i + 1 < all.size(); ++i) EXPECT_EQ(all[i], "1");
}

TEST_F(PathHistoryTest, FilesOfDeletedAndRemadeDirectoriesAreFound) {
  test_.make_directory("/d");
  test_.write("/d/a", "1");
  test_.remove("/d/a");
  test_.remove("/d");
  EXPECT_THAT(texts("/d/a"), ElementsAre("1"));
  test_.make_directory("/d");
  EXPECT_THAT(texts("/d/a"), ElementsAre("1"));
  test_.write("/d/a", "22");
  EXPECT_THAT(texts("/d/a"), ElementsAre("1", "22"));
}

TEST_F(PathHistoryTest, AMovedDirectoryTakesItsFilesHistoryAlong) {
  test_.make_directory("/d");
  test_.write("/d/a", "1");
  test_.write("/d/a", "22");
  test_.rename("/d", "/e");
  test_.write("/e/a", "333");
  EXPECT_THAT(texts("/e/a"), ElementsAre("1", "22", "333"));
  EXPECT_THAT(texts("/d/a"), ElementsAre("1", "22"));
  EXPECT_TRUE(history("/d/a").deleted);
}

TEST_F(PathHistoryTest, WhatNeverWasIsNotFound) {
  for (const char* path : {"/never", "/never/below", "/a/b"}) {
    test_.write("/a", "1");
    EXPECT_EQ(history_of(test_.volume().rows(), key(), *split_path(path)).code(), Code::kNotFound);
  }
}

TEST_F(PathHistoryTest, TheRootHasOneToo) {
  test_.write("/a", "1");
  EXPECT_FALSE(history("/").versions.empty());
}

TEST_F(PathHistoryTest, DeletedNamesAreListedWhereTheyWere) {
  test_.make_directory("/d");
  test_.make_directory("/d/e");
  test_.write("/d/kept", "1");
  test_.write("/d/gone", "22");
  test_.write("/d/e/deep", "333");
  EXPECT_THAT(deleted("/", true), IsEmpty());
  test_.remove("/d/gone");
  test_.remove("/d/e/deep");
  EXPECT_THAT(deleted("/", false), IsEmpty());
  EXPECT_THAT(deleted("/d", false), ElementsAre("/d/gone"));
  EXPECT_THAT(deleted("/", true), ElementsAre("/d/e/deep", "/d/gone"));
  test_.remove("/d/e");
  test_.remove("/d/kept");
  test_.remove("/d");
  EXPECT_THAT(deleted("/", false), ElementsAre("/d"));
  EXPECT_THAT(deleted("/", true), ElementsAre("/d", "/d/e", "/d/e/deep", "/d/gone", "/d/kept"));
  EXPECT_THAT(deleted("/d", false), ElementsAre("/d/e", "/d/gone", "/d/kept"));
}

TEST_F(PathHistoryTest, DirectoriesThatWereMovedIntoEachOtherAreWalkedThroughTime) {
  test_.make_directory("/a");
  test_.make_directory("/a/b");
  test_.write("/a/b/early", "1");
  test_.remove("/a/b/early");
  for (int turn = 0; turn < 3; ++turn) {
    test_.rename("/a/b", "/b");
    test_.rename("/a", "/b/a");
    test_.rename("/b/a", "/a");
    test_.rename("/b", "/a/b");
  }
  EXPECT_THAT(deleted("/", true), ElementsAre("/a/b/early", "/b", "/b/a"));
  test_.rename("/a/b", "/b");
  test_.rename("/a", "/b/a");
  test_.write("/b/a/late", "1");
  test_.remove("/b/a/late");
  EXPECT_THAT(deleted("/", true), ElementsAre("/a", "/a/b", "/a/b/early", "/b/a/late"));
  EXPECT_THAT(deleted("/b", true), ElementsAre("/b/a/late"));
}

TEST_F(PathHistoryTest, WhatADirectoryHeldThatWasReplacedIsListedToo) {
  test_.make_directory("/d");
  test_.write("/d/gone", "1");
  test_.write("/d/back", "1");
  for (const char* path : {"/d/gone", "/d/back", "/d"}) test_.remove(path);
  test_.make_directory("/d");
  test_.write("/d/back", "2");
  EXPECT_THAT(deleted("/", true), ElementsAre("/d/gone"));
  EXPECT_THAT(deleted("/d", false), ElementsAre("/d/gone"));
}

TEST_F(PathHistoryTest, ListingWhatAFileOrNothingHeldIsAnError) {
  test_.write("/a", "1");
  const auto ignore = [](const DeletedPath&) { return true; };
  EXPECT_EQ(visit_deleted(test_.volume().rows(), key(), {"a"}, false, ignore).code(),
            Code::kNotDirectory);
  EXPECT_EQ(visit_deleted(test_.volume().rows(), key(), {"b"}, false, ignore).code(),
            Code::kNotFound);
}

TEST(Paths, AreSplitAndJoined) {
  EXPECT_THAT(*split_path("/a//b/./c/"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(*split_path("/"), IsEmpty());
  EXPECT_EQ(join_path({"a", "b"}), "/a/b");
  EXPECT_EQ(join_path({}), "/");
  EXPECT_EQ(split_path("/a/../b").code(), Code::kInvalid);
  EXPECT_EQ(split_path("/" + std::string(256, 'x')).code(), Code::kNameTooLong);
}

}  // namespace
}  // namespace nacre::node
