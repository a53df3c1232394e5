#include "meta/history.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "kv/memory_store.h"

namespace nacre::meta {
namespace {

constexpr NameKey kKey = {};
constexpr InodeId kFile{5};

// Rows as commits leave them: an inode or a name, in force from `begin` until `end`, or still.
class HistoryTest : public testing::Test {
 protected:
  static constexpr uint64_t kStill = 0;

  void put(const std::string& key, std::string value, uint64_t end) {
    kv::Batch batch;
    if (end == kStill) {
      batch.put(kv::Family::kLive, key, std::move(value));
    } else {
      batch.put(kv::Family::kPast, wire::past_key(key, Sequence{end}), std::move(value));
    }
    ASSERT_TRUE(store_.write(batch, kv::Durability::kSynced).ok());
  }
  void inode(uint64_t begin, uint64_t end, uint32_t nlink, uint64_t content) {
    wire::InodeRow row;
    row.begin = Sequence{begin};
    row.type = static_cast<uint8_t>(FileType::kRegular);
    row.nlink = nlink;
    row.content = Sequence{content};
    put(wire::inode_key(kFile), wire::encode(row), end);
  }
  void name(uint64_t parent, const std::string& text, uint64_t ino, uint64_t begin, uint64_t end,
            FileType type = FileType::kRegular) {
    wire::DentryRow row{Sequence{begin}, InodeId{ino}, static_cast<uint8_t>(type), text};
    put(wire::dentry_key(InodeId{parent}, cookie_of(kKey, text)), wire::encode(row), end);
  }
  void directory(uint64_t parent, const std::string& text, uint64_t ino, uint64_t begin,
                 uint64_t end) {
    name(parent, text, ino, begin, end, FileType::kDirectory);
  }
  // "1: 3-5 changed, 2: 5-now deleted".
  std::string versions() {
    const auto found = versions_of(store_, kFile);
    if (!found.ok()) return std::string(name_of(found.code()));
    std::string text;
    for (const Version& version : *found) {
      text +=
          fmt::format("{}{}: {}-{}{}{}", text.empty() ? "" : ", ", version.number,
                      version.begin.value, version.end ? std::to_string(version.end->value) : "now",
                      version.content_changed ? " changed" : "", version.deleted ? " deleted" : "");
    }
    return text;
  }
  std::string deleted(uint64_t parent) {
    std::string text;
    for (const PastName& past : deleted_names(store_, kKey, InodeId{parent}).take()) {
      text += fmt::format("{}{}={} {}-{}", text.empty() ? "" : ", ", past.name, past.ino.value,
                          past.begin.value, past.end.value);
    }
    return text;
  }
  std::string ever(const std::vector<std::string>& components) {
    const auto found = find_ever(store_, kKey, components);
    if (!found.ok()) return std::string(name_of(found.code()));
    return std::to_string(found->ino.value) +
           (found->end ? fmt::format(" until {}", found->end->value) : "");
  }
  kv::MemoryStore store_;
};

TEST_F(HistoryTest, EveryStateOfAnInodeIsAVersion) {
  inode(3, 5, 1, 3);
  inode(5, 9, 1, 5);
  inode(9, kStill, 1, 5);
  EXPECT_EQ(versions(), "1: 3-5 changed, 2: 5-9 changed, 3: 9-now");
}

TEST_F(HistoryTest, ADeletedFileEndsWithItsLastVersion) {
  inode(3, 5, 1, 3);
  inode(5, 9, 1, 3);
  EXPECT_EQ(versions(), "1: 3-5 changed, 2: 5-9 deleted");
}

TEST_F(HistoryTest, StatesWithoutANameAreNoVersions) {
  inode(3, 5, 1, 3);
  inode(5, 7, 0, 3);
  inode(7, 9, 0, 7);  // written to once more by who had it open
  EXPECT_EQ(versions(), "1: 3-5 changed deleted");
}

TEST_F(HistoryTest, AFileThatIsStillOpenWithoutANameIsDeleted) {
  inode(3, 5, 1, 3);
  inode(5, kStill, 0, 3);
  EXPECT_EQ(versions(), "1: 3-5 changed deleted");
}

TEST_F(HistoryTest, AnInodeNobodyKnowsIsNotFound) {
  EXPECT_EQ(versions(), name_of(Code::kNotFound));
}

TEST_F(HistoryTest, ADirectoryKnowsTheNamesItLost) {
  name(1, "gone", 5, 2, 4);
  name(1, "gone", 6, 6, 8);
  name(1, "there", 7, 2, 5);
  name(1, "there", 8, 5, kStill);
  name(2, "elsewhere", 9, 1, 3);
  EXPECT_EQ(deleted(1), "gone=6 6-8");
}

TEST_F(HistoryTest, APathOfThePresentIsFoundThere) {
  directory(1, "a", 2, 1, kStill);
  name(2, "x", 5, 1, 3);
  name(2, "x", 6, 3, kStill);
  EXPECT_EQ(ever({"a", "x"}), "6");
  EXPECT_EQ(ever({}), "1");
  EXPECT_EQ(ever({"b"}), name_of(Code::kNotFound));
}

TEST_F(HistoryTest, APathThatIsGoneIsTheInodeThatHadItLast) {
  directory(1, "a", 2, 1, kStill);
  name(2, "x", 5, 1, 3);
  name(2, "x", 6, 4, 7);
  EXPECT_EQ(ever({"a", "x"}), "6 until 7");
}

TEST_F(HistoryTest, APathIsFoundThroughADirectoryThatWasRenamed) {
  directory(1, "old", 2, 1, 5);
  directory(1, "new", 2, 5, kStill);
  name(2, "x", 6, 2, kStill);
  name(2, "later", 7, 6, kStill);
  EXPECT_EQ(ever({"old", "x"}), "6 until 5");
  EXPECT_EQ(ever({"new", "x"}), "6");
  EXPECT_EQ(ever({"old", "later"}), name_of(Code::kNotFound)) << "it never had that path";
}

TEST_F(HistoryTest, APathIsFoundThroughADirectoryThatWasReplaced) {
  directory(1, "a", 2, 1, 5);
  name(2, "x", 6, 2, 5);
  directory(1, "a", 3, 7, kStill);
  EXPECT_EQ(ever({"a", "x"}), "6 until 5");
  name(1, "b", 9, 3, kStill);
  directory(1, "b", 4, 1, 3);
  name(4, "y", 8, 1, 2);
  EXPECT_EQ(ever({"b", "y"}), "8 until 2") << "a file has the directory's name now";
}

TEST_F(HistoryTest, TheLatestEndCountsNotTheLatestDirectory) {
  directory(1, "a", 2, 1, 5);
  name(2, "x", 6, 2, 5);
  directory(1, "a", 3, 5, 9);
  name(3, "x", 7, 5, 6);
  EXPECT_EQ(ever({"a", "x"}), "7 until 6");
}

TEST_F(HistoryTest, ANameThatWasGoneBeforeItsDirectoryCameIsNoPath) {
  directory(1, "elsewhere", 2, 1, 5);
  directory(1, "a", 2, 5, kStill);
  name(2, "x", 6, 2, 4);
  EXPECT_EQ(ever({"elsewhere", "x"}), "6 until 4");
  EXPECT_EQ(ever({"a", "x"}), name_of(Code::kNotFound));
}

}  // namespace
}  // namespace nacre::meta
