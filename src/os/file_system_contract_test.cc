// What every FileSystem promises, run on the machine and on the simulated disk.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/units.h"
#include "os/file_system.h"
#include "os/random.h"
#include "os/sim_disk.h"
#include "os/temp_directory.h"
#include "os/thread.h"

namespace nacre::os {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// A file system with an empty directory to work in.
struct Ground {
  virtual ~Ground() = default;
  virtual FileSystem& files() = 0;
  virtual std::string directory() = 0;
};

struct RealGround final : Ground {
  FileSystem& files() override { return real_file_system(); }
  std::string directory() override { return temp.path(); }
  TempDirectory temp;
};

struct SimGround final : Ground {
  SimGround() { EXPECT_TRUE(disk.create_directories("/sim").ok()); }
  FileSystem& files() override { return disk; }
  std::string directory() override { return "/sim"; }
  SimDisk disk{1, 64 * kMiB};
};

struct GroundKind {
  const char* name;
  std::unique_ptr<Ground> (*make)();
};

class FileSystemContract : public ::testing::TestWithParam<GroundKind> {
 protected:
  std::string at(const std::string& name) { return ground_->directory() + "/" + name; }

  std::unique_ptr<File> open(const std::string& name, OpenMode mode = OpenMode::kCreate) {
    auto file = fs_.open(at(name), mode);
    EXPECT_TRUE(file.ok()) << file.error().to_string();
    return file.ok() ? file.take() : nullptr;
  }
  void write(const std::string& name, std::string_view text) {
    EXPECT_TRUE(open(name)->write_at(0, as_bytes(text)).ok());
  }
  static std::string read(File& file, uint64_t offset = 0, size_t length = 1 << 20) {
    std::string text(length, '?');
    auto count = file.read_at(offset, as_writable_bytes(text));
    EXPECT_TRUE(count.ok()) << count.error().to_string();
    text.resize(count.ok() ? *count : 0);
    return text;
  }
  std::string read(const std::string& name) { return read(*open(name, OpenMode::kRead)); }
  std::vector<std::string> names() { return fs_.list(ground_->directory()).take(); }

 private:
  const std::unique_ptr<Ground> ground_ = GetParam().make();

 protected:
  FileSystem& fs_ = ground_->files();
};

INSTANTIATE_TEST_SUITE_P(All, FileSystemContract,
                         ::testing::Values(GroundKind{"Real",
                                                      []() -> std::unique_ptr<Ground> {
                                                        return std::make_unique<RealGround>();
                                                      }},
                                           GroundKind{"Sim",
                                                      []() -> std::unique_ptr<Ground> {
                                                        return std::make_unique<SimGround>();
                                                      }}),
                         [](const auto& kind) { return kind.param.name; });

TEST_P(FileSystemContract, WhatIsWrittenIsReadBack) {
  const auto file = open("a");
  ASSERT_TRUE(file->write_at(0, as_bytes("hello, world")).ok());
  ASSERT_TRUE(file->write_at(7, as_bytes("there")).ok());
  EXPECT_EQ(read(*file), "hello, there");
  EXPECT_EQ(*file->size(), 12u);
  EXPECT_EQ(read("a"), "hello, there");
}

TEST_P(FileSystemContract, AReadStopsAtTheEnd) {
  write("a", "0123456789");
  const auto file = open("a", OpenMode::kRead);
  EXPECT_EQ(read(*file, 8, 100), "89");
  EXPECT_EQ(read(*file, 10, 100), "");
  EXPECT_EQ(read(*file, 1 << 30, 100), "");
  EXPECT_EQ(read(*file, 2, 3), "234");
}

TEST_P(FileSystemContract, AGapReadsAsZeros) {
  const auto file = open("a");
  ASSERT_TRUE(file->write_at(10'000, as_bytes("x")).ok());
  EXPECT_EQ(read(*file), std::string(10'000, '\0') + "x");
}

TEST_P(FileSystemContract, PartsAreWrittenOneAfterAnotherHoweverMany) {
  std::vector<std::string> texts;
  std::string all;
  for (int i = 0; i < 3000; ++i) {
    texts.push_back(std::string(static_cast<size_t>(i % 7), static_cast<char>('a' + i % 26)));
    all += texts.back();
  }
  std::vector<ByteView> parts;
  for (const std::string& text : texts) parts.push_back(as_bytes(text));
  const auto file = open("a");
  ASSERT_TRUE(file->write_parts_at(3, parts).ok());
  EXPECT_EQ(read(*file, 3), all);
}

TEST_P(FileSystemContract, AnEmptyWriteDoesNotGrowTheFile) {
  const auto file = open("a");
  EXPECT_TRUE(file->write_at(100, {}).ok());
  EXPECT_TRUE(file->write_parts_at(100, {}).ok());
  EXPECT_TRUE(file->allocate(100, 0).ok());
  EXPECT_EQ(*file->size(), 0u);
}

TEST_P(FileSystemContract, AFileOpenedForReadingRefusesWrites) {
  write("a", "kept");
  const auto file = open("a", OpenMode::kRead);
  EXPECT_FALSE(file->write_at(0, as_bytes("lost")).ok());
  EXPECT_FALSE(file->truncate(0).ok());
  EXPECT_EQ(read("a"), "kept");
}

TEST_P(FileSystemContract, OpenModesSayWhetherTheFileMustExist) {
  EXPECT_EQ(fs_.open(at("a"), OpenMode::kRead).code(), Code::kNotFound);
  EXPECT_EQ(fs_.open(at("a"), OpenMode::kReadWrite).code(), Code::kNotFound);
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_TRUE(fs_.open(at("a"), OpenMode::kCreateNew).ok());
  EXPECT_EQ(fs_.open(at("a"), OpenMode::kCreateNew).code(), Code::kExists);
  EXPECT_TRUE(fs_.open(at("a"), OpenMode::kCreate).ok());
  EXPECT_TRUE(fs_.open(at("a"), OpenMode::kReadWrite).ok());
  EXPECT_THAT(names(), UnorderedElementsAre("a"));
}

TEST_P(FileSystemContract, ADirectoryIsNotOpenedAsAFile) {
  ASSERT_TRUE(fs_.create_directories(at("d")).ok());
  for (const OpenMode mode : {OpenMode::kRead, OpenMode::kReadWrite, OpenMode::kCreate}) {
    EXPECT_EQ(fs_.open(at("d"), mode).code(), Code::kIsDirectory);
  }
  EXPECT_EQ(fs_.open(at("d"), OpenMode::kCreateNew).code(), Code::kExists);
}

TEST_P(FileSystemContract, TruncateCutsAndGrowsByZeros) {
  const auto file = open("a");
  const std::string text(5000, 'x');
  ASSERT_TRUE(file->write_at(0, as_bytes(text)).ok());
  ASSERT_TRUE(file->truncate(4500).ok());
  EXPECT_EQ(*file->size(), 4500u);
  ASSERT_TRUE(file->truncate(6000).ok());
  EXPECT_EQ(read(*file), std::string(4500, 'x') + std::string(1500, '\0'));
}

TEST_P(FileSystemContract, AllocateGrowsByZerosAndKeepsWhatIsThere) {
  const auto file = open("a");
  ASSERT_TRUE(file->write_at(0, as_bytes("kept")).ok());
  ASSERT_TRUE(file->allocate(2, 9998).ok());
  EXPECT_EQ(read(*file), "kept" + std::string(9996, '\0'));
  ASSERT_TRUE(file->allocate(0, 10).ok());
  EXPECT_EQ(*file->size(), 10'000u);
}

TEST_P(FileSystemContract, OffsetsBeyondTheLimitAreTooBig) {
  const auto file = open("a");
  const uint64_t limit = uint64_t{1} << 63;
  EXPECT_EQ(file->write_at(limit - 1, as_bytes("xy")).code(), Code::kTooBig);
  EXPECT_EQ(file->write_at(limit + 5, as_bytes("x")).code(), Code::kTooBig);
  EXPECT_EQ(file->allocate(1, ~uint64_t{0}).code(), Code::kTooBig);
  EXPECT_EQ(file->truncate(limit).code(), Code::kTooBig);
  EXPECT_EQ(read(*file, limit + 5, 1), "");
}

TEST_P(FileSystemContract, RandomChangesAgreeWithAPlainString) {
  SeededRandom random(7);
  const auto below = [&](uint64_t bound) { return random.next() % bound; };
  const auto file = open("a");
  std::string model;
  for (int step = 0; step < 2000; ++step) {
    const uint64_t offset = below(3 * kMiB);
    const uint64_t length = 1 + below(below(4) == 0 ? 200'000 : 6000);
    switch (below(6)) {
      case 0:
        ASSERT_TRUE(file->truncate(offset).ok());
        model.resize(offset);
        break;
      case 1:
        ASSERT_TRUE(file->allocate(offset, length).ok());
        model.resize(std::max<size_t>(model.size(), offset + length));
        break;
      case 2:
        ASSERT_TRUE(file->sync().ok());
        break;
      case 3: {
        const std::string want = offset < model.size() ? model.substr(offset, length) : "";
        ASSERT_EQ(read(*file, offset, length), want);
        break;
      }
      default: {
        const std::string text(length, static_cast<char>('a' + below(26)));
        ASSERT_TRUE(file->write_at(offset, as_bytes(text)).ok());
        model.resize(std::max<size_t>(model.size(), offset + length));
        model.replace(offset, length, text);
      }
    }
  }
  EXPECT_TRUE(read(*file, 0, 4 * kMiB) == model);
}

TEST_P(FileSystemContract, DirectoriesAreMadeWithTheirParentsAndListed) {
  ASSERT_TRUE(fs_.create_directories(at("d/e/f")).ok());
  ASSERT_TRUE(fs_.create_directories(at("d/e/f")).ok());
  write("d/e/x", "");
  EXPECT_THAT(fs_.list(at("d/e")).take(), UnorderedElementsAre("f", "x"));
  EXPECT_THAT(names(), UnorderedElementsAre("d"));
  EXPECT_EQ(fs_.list(at("missing")).code(), Code::kNotFound);
  EXPECT_EQ(fs_.list(at("d/e/x")).code(), Code::kNotDirectory);
  EXPECT_TRUE(fs_.sync_directory(at("d/e")).ok());
  EXPECT_EQ(fs_.sync_directory(at("missing")).code(), Code::kNotFound);
}

TEST_P(FileSystemContract, AFileInTheWayOfADirectoryIsAnError) {
  write("a", "");
  EXPECT_EQ(fs_.create_directories(at("a")).code(), Code::kExists);
  EXPECT_EQ(fs_.create_directories(at("a/b")).code(), Code::kNotDirectory);
  EXPECT_EQ(fs_.open(at("a/b"), OpenMode::kCreateNew).code(), Code::kNotDirectory);
  EXPECT_EQ(fs_.open(at("missing/b"), OpenMode::kCreate).code(), Code::kNotFound);
}

TEST_P(FileSystemContract, OnlyEmptyDirectoriesAreRemoved) {
  ASSERT_TRUE(fs_.create_directories(at("d")).ok());
  write("d/a", "");
  EXPECT_EQ(fs_.remove_directory(at("d")).code(), Code::kNotEmpty);
  EXPECT_EQ(fs_.remove_directory(at("d/a")).code(), Code::kNotDirectory);
  EXPECT_EQ(fs_.remove_file(at("d")).code(), Code::kIsDirectory);
  ASSERT_TRUE(fs_.remove_file(at("d/a")).ok());
  EXPECT_EQ(fs_.remove_file(at("d/a")).code(), Code::kNotFound);
  ASSERT_TRUE(fs_.remove_directory(at("d")).ok());
  EXPECT_THAT(names(), IsEmpty());
}

TEST_P(FileSystemContract, ARenameReplacesTheTarget) {
  write("old", "old");
  write("new", "new");
  ASSERT_TRUE(fs_.rename(at("new"), at("old")).ok());
  EXPECT_THAT(names(), UnorderedElementsAre("old"));
  EXPECT_EQ(read("old"), "new");
  EXPECT_EQ(fs_.rename(at("new"), at("other")).code(), Code::kNotFound);
  EXPECT_TRUE(fs_.rename(at("old"), at("old")).ok());
  EXPECT_EQ(read("old"), "new");
}

TEST_P(FileSystemContract, ARenameMovesADirectoryWithWhatItHolds) {
  ASSERT_TRUE(fs_.create_directories(at("d/e")).ok());
  write("d/e/a", "text");
  ASSERT_TRUE(fs_.create_directories(at("empty")).ok());
  ASSERT_TRUE(fs_.rename(at("d"), at("empty")).ok());
  EXPECT_EQ(read("empty/e/a"), "text");
  EXPECT_THAT(names(), UnorderedElementsAre("empty"));
}

TEST_P(FileSystemContract, ARenameThatMakesNoSenseIsRefused) {
  ASSERT_TRUE(fs_.create_directories(at("d/e")).ok());
  write("a", "");
  EXPECT_EQ(fs_.rename(at("d"), at("d/e/f")).code(), Code::kInvalid);
  EXPECT_EQ(fs_.rename(at("d/e"), at("d")).code(), Code::kNotEmpty);
  EXPECT_EQ(fs_.rename(at("a"), at("d")).code(), Code::kIsDirectory);
  EXPECT_EQ(fs_.rename(at("d"), at("a")).code(), Code::kNotDirectory);
  EXPECT_EQ(fs_.rename(at("a"), at("missing/a")).code(), Code::kNotFound);
}

TEST_P(FileSystemContract, AnOpenFileOutlivesItsName) {
  write("target", "replaced");
  const auto replaced = open("target");
  const auto moved = open("moved");
  ASSERT_TRUE(moved->write_at(0, as_bytes("moved")).ok());
  ASSERT_TRUE(fs_.rename(at("moved"), at("target")).ok());
  ASSERT_TRUE(moved->write_at(5, as_bytes(" on")).ok());
  EXPECT_EQ(read("target"), "moved on");
  EXPECT_EQ(read(*replaced), "replaced");
  ASSERT_TRUE(fs_.remove_file(at("target")).ok());
  ASSERT_TRUE(moved->write_at(8, as_bytes("!")).ok());
  ASSERT_TRUE(moved->sync().ok());
  EXPECT_EQ(read(*moved), "moved on!");
}

TEST_P(FileSystemContract, ALinkIsTheSameFile) {
  write("a", "one");
  ASSERT_TRUE(fs_.link(at("a"), at("b")).ok());
  write("b", "two");
  EXPECT_EQ(read("a"), "two");
  EXPECT_TRUE(fs_.rename(at("a"), at("b")).ok()) << "two names of one file: nothing happens";
  ASSERT_TRUE(fs_.remove_file(at("a")).ok());
  EXPECT_EQ(read("b"), "two");
  ASSERT_TRUE(fs_.create_directories(at("d")).ok());
  EXPECT_EQ(fs_.link(at("b"), at("d")).code(), Code::kExists);
  EXPECT_EQ(fs_.link(at("d"), at("e")).code(), Code::kNotPermitted);
  EXPECT_EQ(fs_.link(at("missing"), at("e")).code(), Code::kNotFound);
}

TEST_P(FileSystemContract, TheKindOfAPathIsTold) {
  write("a", "");
  ASSERT_TRUE(fs_.create_directories(at("d")).ok());
  EXPECT_EQ(*fs_.kind(at("a")), PathKind::kFile);
  EXPECT_EQ(*fs_.kind(at("d")), PathKind::kDirectory);
  EXPECT_EQ(*fs_.kind(at("missing")), PathKind::kMissing);
  EXPECT_EQ(*fs_.kind(at("missing/b")), PathKind::kMissing);
  EXPECT_EQ(*fs_.kind(at("a/b")), PathKind::kMissing);
}

TEST_P(FileSystemContract, NamesOver255BytesAreTooLong) {
  const std::string name(256, 'n');
  EXPECT_EQ(fs_.open(at(name), OpenMode::kCreate).code(), Code::kNameTooLong);
  EXPECT_TRUE(fs_.open(at(name.substr(1)), OpenMode::kCreate).ok());
}

TEST_P(FileSystemContract, ALockHasOneHolderAtATime) {
  auto first = fs_.lock(at("lock"));
  ASSERT_TRUE(first.ok()) << first.error().to_string();
  EXPECT_EQ(fs_.lock(at("lock")).code(), Code::kBusy);
  EXPECT_TRUE(fs_.lock(at("other")).ok());
  first.take().reset();
  EXPECT_TRUE(fs_.lock(at("lock")).ok());
  EXPECT_THAT(names(), UnorderedElementsAre("lock", "other"));
  EXPECT_EQ(fs_.lock(at("missing/lock")).code(), Code::kNotFound);
}

TEST_P(FileSystemContract, ErrorsNameThePathAndTheOperation) {
  const auto error = fs_.open(at("missing"), OpenMode::kRead).error();
  EXPECT_THAT(error.context(), HasSubstr(at("missing")));
  EXPECT_THAT(error.context(), HasSubstr("open"));
  EXPECT_THAT(fs_.rename(at("x"), at("y")).error().context(), HasSubstr("rename " + at("x")));
  EXPECT_THAT(fs_.remove_file(at("x")).error().context(), HasSubstr("remove " + at("x")));
  EXPECT_THAT(fs_.list(at("x")).error().context(), HasSubstr("list " + at("x")));
}

TEST_P(FileSystemContract, SpaceIsFreeAndLimited) {
  const HostSpace space = fs_.space(at("")).take();
  EXPECT_GT(space.total_bytes, 0u);
  EXPECT_GT(space.free_bytes, 0u);
  EXPECT_LE(space.free_bytes, space.total_bytes);
  EXPECT_EQ(fs_.space(at("missing")).code(), Code::kNotFound);
}

TEST_P(FileSystemContract, ThreadsMayShareAHandle) {
  const auto file = open("a");
  constexpr size_t kLength = 30'000;
  {
    std::vector<Thread> writers;
    for (size_t i = 0; i < 4; ++i) {
      writers.emplace_back("writer", [&, i] {
        const std::string text(kLength, static_cast<char>('a' + i));
        for (int round = 0; round < 20; ++round) {
          EXPECT_TRUE(file->write_at(i * kLength, as_bytes(text)).ok());
          EXPECT_EQ(read(*file, i * kLength, kLength), text);
          EXPECT_TRUE(file->sync().ok());
        }
      });
    }
  }
  EXPECT_EQ(*file->size(), 4 * kLength);
}

}  // namespace
}  // namespace nacre::os
