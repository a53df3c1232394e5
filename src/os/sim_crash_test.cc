// What a power cut leaves on the simulated disk, over many seeds. Each outcome that the model
// allows must be seen, and no other.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "base/units.h"
#include "os/random.h"
#include "os/sim_disk.h"

namespace nacre::os {
namespace {

constexpr uint64_t kSeeds = 300;

// A disk and the steps of a story, which all succeed until the power goes.
class Story {
 public:
  explicit Story(uint64_t seed) : disk(seed, 256 * kMiB) {}

  void write(const std::string& path, std::string_view text, uint64_t offset = 0) {
    EXPECT_TRUE(open(path)->write_at(offset, as_bytes(text)).ok());
  }
  void sync(const std::string& path) { EXPECT_TRUE(open(path)->sync().ok()); }
  void sync_directory(const std::string& path = "/") {
    EXPECT_TRUE(disk.sync_directory(path).ok());
  }
  void make_durable(const std::string& path, std::string_view text) {
    write(path, text);
    sync(path);
    sync_directory();
  }
  // What the file holds; nothing if there is no such file.
  std::optional<std::string> read(const std::string& path) {
    auto file = disk.open(path, OpenMode::kRead);
    if (!file.ok()) return std::nullopt;
    std::string text((*file)->size().take(), '?');
    EXPECT_EQ((*file)->read_at(0, as_writable_bytes(text)).take(), text.size());
    return text;
  }
  std::unique_ptr<File> open(const std::string& path) {
    auto file = disk.open(path, OpenMode::kCreate);
    EXPECT_TRUE(file.ok()) << file.error().to_string();
    return file.take();
  }

  SimDisk disk;
};

TEST(SimCrash, WhatWasSyncedSurvivesWhateverComesAfter) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Story story(seed);
    const std::string text(9000, 's');
    story.make_durable("/a", text);
    story.write("/a", std::string(9000, 'u'), 9000);
    story.write("/b", "other");
    story.disk.crash();
    EXPECT_EQ(story.read("/a")->substr(0, 9000), text) << "seed " << seed;
  }
}

TEST(SimCrash, AnUnsyncedWriteSurvivesWholeOrInPartOrNotAtAll) {
  std::set<std::string> outcomes;
  bool torn = false;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Story story(seed);
    story.make_durable("/a", std::string(2048, 'o'));
    story.write("/a", std::string(2048, 'n'));
    story.disk.crash();
    const std::string after = *story.read("/a");
    ASSERT_EQ(after.size(), 2048u);
    for (size_t at = 0; at < after.size(); at += 512) {
      const std::string sector = after.substr(at, 512);
      EXPECT_TRUE(sector == std::string(512, 'o') || sector == std::string(512, 'n'));
    }
    torn = torn || (after.contains('o') && after.contains('n'));
    outcomes.insert(after);
  }
  EXPECT_TRUE(outcomes.contains(std::string(2048, 'o')));
  EXPECT_TRUE(outcomes.contains(std::string(2048, 'n')));
  EXPECT_TRUE(torn);
}

TEST(SimCrash, AWriteTearsWhereSectorsOfTheFileMeet) {
  std::set<std::string> outcomes;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Story story(seed);
    story.make_durable("/a", std::string(1024, 'o'));
    story.write("/a", std::string(500, 'n'), 300);
    story.disk.crash();
    outcomes.insert(story.read("/a")->substr(300, 500));
  }
  const auto either = [](char first, char second) {
    return std::string(212, first) + std::string(288, second);
  };
  EXPECT_EQ(outcomes, (std::set<std::string>{either('o', 'o'), either('o', 'n'), either('n', 'o'),
                                             either('n', 'n')}));
}

TEST(SimCrash, ALaterWriteMaySurviveWithoutAnEarlierOne) {
  bool reordered = false;
  bool in_order = false;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Story story(seed);
    story.make_durable("/a", "");
    story.write("/a", "first", 0);
    story.write("/a", "second", 512);
    story.disk.crash();
    const std::string after = *story.read("/a");
    reordered = reordered || after == std::string(512, '\0') + "second";
    in_order = in_order || after == "first";
  }
  EXPECT_TRUE(reordered);
  EXPECT_TRUE(in_order);
}

TEST(SimCrash, AnUnsyncedTruncateOrAllocationSurvivesOrNot) {
  std::set<uint64_t> sizes;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Story story(seed);
    story.make_durable("/a", std::string(1000, 'x'));
    EXPECT_TRUE(story.open("/a")->truncate(300).ok());
    EXPECT_TRUE(story.open("/a")->allocate(0, 2000).ok());
    story.disk.crash();
    const std::string after = *story.read("/a");
    EXPECT_EQ(after.substr(0, 300), std::string(300, 'x'));
    sizes.insert(after.size());
  }
  EXPECT_EQ(sizes, (std::set<uint64_t>{300, 1000, 2000}));
}

TEST(SimCrash, ASyncedTruncateStays) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Story story(seed);
    story.make_durable("/a", std::string(10'000, 'x'));
    EXPECT_TRUE(story.open("/a")->truncate(5000).ok());
    EXPECT_TRUE(story.open("/a")->truncate(7000).ok());
    story.sync("/a");
    story.disk.crash();
    EXPECT_EQ(*story.read("/a"), std::string(5000, 'x') + std::string(2000, '\0'));
  }
}

TEST(SimCrash, ASyncedFileMayBeGoneIfItsDirectoryWasNotSynced) {
  bool gone = false;
  bool there = false;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Story story(seed);
    story.write("/a", "text");
    story.sync("/a");
    story.disk.crash();
    const auto after = story.read("/a");
    if (after) {
      EXPECT_EQ(*after, "text");
    }
    gone = gone || !after;
    there = there || after;
  }
  EXPECT_TRUE(gone);
  EXPECT_TRUE(there);
}

TEST(SimCrash, OfTheNamesMadeAPrefixSurvives) {
  std::set<size_t> counts;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Story story(seed);
    for (const char* path : {"/0", "/1", "/2", "/3", "/4"}) story.write(path, "");
    story.disk.crash();
    const auto names = story.disk.list("/").take();
    for (size_t i = 0; i < names.size(); ++i) EXPECT_EQ(names[i], std::to_string(i));
    counts.insert(names.size());
  }
  EXPECT_EQ(counts, (std::set<size_t>{0, 1, 2, 3, 4, 5}));
}

TEST(SimCrash, SyncingADirectoryKeepsItsNamesAndThoseMadeBefore) {
  bool later_lost = false;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Story story(seed);
    story.write("/before", "");
    EXPECT_TRUE(story.disk.create_directories("/d/e").ok());
    story.write("/d/e/a", "");
    story.write("/later", "");
    story.sync_directory("/d/e");
    story.disk.crash();
    EXPECT_TRUE(story.read("/d/e/a"));
    EXPECT_TRUE(story.read("/before"));
    later_lost = later_lost || !story.read("/later");
  }
  EXPECT_TRUE(later_lost);
}

TEST(SimCrash, ARenameOverAFileLeavesTheOldOneOrTheNew) {
  std::set<std::string> outcomes;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Story story(seed);
    story.make_durable("/a", "old");
    story.write("/new", "new");
    story.sync("/new");
    EXPECT_TRUE(story.disk.rename("/new", "/a").ok());
    story.disk.crash();
    const auto after = story.read("/a");
    ASSERT_TRUE(after);
    if (*after == "new") {
      EXPECT_FALSE(story.read("/new"));
    }
    outcomes.insert(*after);
  }
  EXPECT_EQ(outcomes, (std::set<std::string>{"old", "new"}));
}

TEST(SimCrash, ARenameMaySurviveWithoutTheUnsyncedContent) {
  std::set<std::string> outcomes;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Story story(seed);
    story.make_durable("/a", "old");
    story.write("/new", "new");
    EXPECT_TRUE(story.disk.rename("/new", "/a").ok());
    story.disk.crash();
    outcomes.insert(*story.read("/a"));
  }
  EXPECT_EQ(outcomes, (std::set<std::string>{"old", "new", ""}));
}

TEST(SimCrash, ARemovedFileComesBackWithItsSyncedContentOrStaysAway) {
  bool back = false;
  bool away = false;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Story story(seed);
    story.make_durable("/a", "text");
    EXPECT_TRUE(story.disk.remove_file("/a").ok());
    story.disk.crash();
    const auto after = story.read("/a");
    if (after) {
      EXPECT_EQ(*after, "text");
    }
    back = back || after;
    away = away || !after;
  }
  EXPECT_TRUE(back);
  EXPECT_TRUE(away);
}

TEST(SimCrash, ALinkedFileIsOneFileAfterwardsToo) {
  bool both = false;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Story story(seed);
    story.make_durable("/a", "text");
    EXPECT_TRUE(story.disk.link("/a", "/b").ok());
    story.disk.crash();
    if (!story.read("/b")) continue;
    both = true;
    story.write("/b", "more");
    EXPECT_EQ(*story.read("/a"), "more");
  }
  EXPECT_TRUE(both);
}

TEST(SimCrash, SurvivorsSurviveTheNextCrashToo) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Story story(seed);
    story.write("/a", std::string(5000, 'x'));
    story.write("/b", std::string(5000, 'y'));
    story.disk.crash();
    const auto a = story.read("/a");
    const auto b = story.read("/b");
    story.disk.crash();
    EXPECT_EQ(story.read("/a"), a);
    EXPECT_EQ(story.read("/b"), b);
  }
}

TEST(SimCrash, UnsyncedWritesBeyondTheBoundAreWrittenBackOldestFirst) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    Story story(seed);
    story.make_durable("/a", "");
    const std::string text(kMiB, 'x');
    for (uint64_t i = 0; i < 40; ++i) story.write("/a", text, i * kMiB);
    story.disk.crash();
    const std::string after = *story.read("/a");
    ASSERT_GE(after.size(), 8 * kMiB);
    EXPECT_EQ(after.substr(0, 8 * kMiB).find_first_not_of('x'), std::string::npos);
  }
}

// Writes, syncs and namespace changes, eight operations in all. Gives how many succeeded.
int eight_operations(SimDisk& disk) {
  int done = 0;
  const auto count = [&](bool ok) { done += ok ? 1 : 0; };
  auto file = disk.open("/a", OpenMode::kCreate);
  count(file.ok());
  if (!file.ok()) return done;
  count((*file)->write_at(0, as_bytes(std::string(2048, 'x'))).ok());
  count((*file)->sync().ok());
  count(disk.sync_directory("/").ok());
  count((*file)->allocate(0, 4096).ok());
  count(disk.create_directories("/d").ok());
  count(disk.rename("/a", "/d/b").ok());
  count(disk.remove_file("/d/b").ok());
  return done;
}

TEST(SimCrash, AnArmedCrashStrikesEachOperationInTurn) {
  SimDisk whole(0, kMiB);
  EXPECT_EQ(eight_operations(whole), 8);
  ASSERT_EQ(whole.operations(), 8u);
  for (uint64_t strike = 1; strike <= 8; ++strike) {
    SimDisk disk(strike, kMiB);
    disk.crash_after(strike);
    EXPECT_FALSE(disk.is_down());
    EXPECT_EQ(eight_operations(disk), static_cast<int>(strike) - 1);
    EXPECT_TRUE(disk.is_down());
    EXPECT_EQ(disk.list("/").code(), Code::kIo);
    EXPECT_EQ(disk.kind("/").code(), Code::kIo);
    EXPECT_EQ(disk.lock("/a").code(), Code::kIo);
    disk.crash();
    EXPECT_FALSE(disk.is_down());
    EXPECT_TRUE(disk.list("/").ok());
    EXPECT_TRUE(disk.open("/new", OpenMode::kCreate).ok());
  }
}

TEST(SimCrash, AnArmedCrashBeyondTheLastOperationIsDisarmedByCrash) {
  SimDisk disk(1, kMiB);
  disk.crash_after(2);
  ASSERT_TRUE(disk.open("/a", OpenMode::kCreate).ok());
  disk.crash();
  EXPECT_TRUE(disk.open("/b", OpenMode::kCreate).ok());
  EXPECT_TRUE(disk.open("/c", OpenMode::kCreate).ok());
  EXPECT_FALSE(disk.is_down());
}

TEST(SimCrash, TheWriteThatAnArmedCrashStrikesIsTorn) {
  uint64_t torn = 0;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Story story(seed);
    story.make_durable("/a", std::string(8192, 'o'));
    const auto file = story.open("/a");
    story.disk.crash_after(1);
    EXPECT_EQ(file->write_at(0, as_bytes(std::string(8192, 'n'))).code(), Code::kIo);
    story.disk.crash();
    const std::string after = *story.read("/a");
    if (after.contains('o') && after.contains('n')) ++torn;
  }
  EXPECT_GT(torn, kSeeds * 9 / 10);
}

// Many random writes, truncates and syncs to one file; remembers what each byte may be afterwards.
TEST(SimCrash, EveryByteIsTheSyncedOneOrOneWrittenSince) {
  constexpr uint64_t kSpan = 20'000;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Story story(seed);
    SeededRandom random(seed + 1'000'000);
    story.make_durable("/a", "");
    const auto file = story.open("/a");
    std::string latest;
    std::vector<std::set<char>> allowed(2 * kSpan, {'\0'});
    uint64_t size_min = 0;
    const uint64_t steps = random.next() % 40;
    for (uint64_t step = 0; step < steps; ++step) {
      const uint64_t offset = random.next() % kSpan;
      switch (random.next() % 8) {
        case 0:
          EXPECT_TRUE(file->sync().ok());
          latest.resize(2 * kSpan);
          for (uint64_t i = 0; i < 2 * kSpan; ++i) allowed[i] = {latest[i]};
          size_min = *file->size();
          latest.resize(size_min);
          break;
        case 1:
          EXPECT_TRUE(file->truncate(offset).ok());
          latest.resize(offset);
          size_min = std::min(size_min, offset);
          for (uint64_t i = offset; i < 2 * kSpan; ++i) allowed[i].insert('\0');
          break;
        default: {
          const uint64_t length = 1 + random.next() % 9000;
          const char letter = static_cast<char>('a' + step % 26);
          EXPECT_TRUE(file->write_at(offset, as_bytes(std::string(length, letter))).ok());
          latest.resize(std::max<size_t>(latest.size(), offset + length));
          latest.replace(offset, length, length, letter);
          for (uint64_t i = offset; i < offset + length; ++i) allowed[i].insert(letter);
        }
      }
    }
    story.disk.crash();
    const std::string after = *story.read("/a");
    ASSERT_GE(after.size(), size_min) << "seed " << seed;
    for (uint64_t i = 0; i < after.size(); ++i) {
      ASSERT_TRUE(allowed[i].contains(after[i])) << "seed " << seed << ", byte " << i;
    }
  }
}

}  // namespace
}  // namespace nacre::os
