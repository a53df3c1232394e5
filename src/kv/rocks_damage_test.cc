// Disks that rot or refuse to read under RocksDB: a clear error, never wrong rows, never the end
// of the process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kv/rocks_store.h"
#include "os/sim_disk.h"

namespace nacre::kv {
namespace {

using testing::HasSubstr;

constexpr const char* kPath = "/store";
constexpr uint64_t kRowCount = 600;

std::string key(uint64_t k) { return "row" + std::to_string(10'000 + k); }
std::string value(uint64_t k) {
  return std::string(60, static_cast<char>('a' + k % 26)) + std::to_string(k * 7919);
}

class RocksDamage : public testing::Test {
 protected:
  Result<std::unique_ptr<RocksStore>> open(bool read_only = false) {
    return RocksStore::open(disk_, kPath, {.create = true, .read_only = read_only});
  }
  std::unique_ptr<RocksStore> open_sound() {
    auto opened = open();
    EXPECT_TRUE(opened.ok()) << opened.error().to_string();
    return opened.take();
  }
  // Rows 0, 1, ... in the past family, in a table, with a closed store.
  void make_store(uint64_t row_count = kRowCount) {
    const auto store = open_sound();
    for (uint64_t k = 0; k < row_count; ++k) ASSERT_TRUE(put(*store, k).ok());
  }
  static Status put(Store& store, uint64_t k, Durability durability = Durability::kBuffered) {
    Batch batch;
    batch.put(Family::kPast, key(k), value(k));
    return store.write(batch, durability);
  }

  // Paths of the store's files that end so, or begin so.
  std::vector<std::string> files(std::string_view prefix, std::string_view suffix) {
    std::vector<std::string> found;
    const std::vector<std::string> names = disk_.list(kPath).take();
    for (const std::string& name : names) {
      const bool mark = name.ends_with(".mark") && suffix != ".mark";
      if (!mark && name.starts_with(prefix) && name.ends_with(suffix)) {
        found.push_back(std::string(kPath) + "/" + name);
      }
    }
    return found;
  }
  std::string only_file(std::string_view prefix, std::string_view suffix) {
    const std::vector<std::string> found = files(prefix, suffix);
    EXPECT_EQ(found.size(), 1u) << prefix << "*" << suffix;
    return found.at(0);
  }
  std::string read(const std::string& path) {
    const auto file = disk_.open(path, os::OpenMode::kRead).take();
    std::string content(*file->size(), '\0');
    EXPECT_EQ(*file->read_at(0, as_writable_bytes(content)), content.size());
    return content;
  }

  // Runs `body` with one byte rotten at a time, at about `places` places all over the file, and
  // then with the file as it was.
  template <class Body>
  void for_rot(const std::string& path, uint64_t places, Body body) {
    const std::string sound = read(path);
    ASSERT_FALSE(sound.empty());
    for (uint64_t offset = 0; offset < sound.size(); offset += sound.size() / places + 1) {
      SCOPED_TRACE(path + " at " + std::to_string(offset) + " of " + std::to_string(sound.size()));
      ASSERT_TRUE(disk_.rot(path, offset).ok());
      body();
      const auto file = disk_.open(path, os::OpenMode::kReadWrite).take();
      ASSERT_TRUE(file->write_at(0, as_bytes(sound)).ok());
      ASSERT_TRUE(file->sync().ok());
    }
  }
  static constexpr uint64_t kEveryByte = 1'000'000;

  static void expect_corrupt(const Error& error, const std::string& what) {
    EXPECT_EQ(error.code(), Code::kCorrupt) << error.to_string();
    EXPECT_THAT(error.context(), HasSubstr(what));
  }

  // The power goes before the store can do anything more.
  void power_cut(std::unique_ptr<RocksStore> store) {
    disk_.crash_after(1);
    store.reset();
    disk_.crash();
  }

  static uint64_t count_rows(Store& store) {
    uint64_t k = 0;
    const auto rows = store.iterate(Family::kPast, {});
    for (rows->seek_to_first(); rows->valid(); rows->next(), ++k) {
      EXPECT_EQ(rows->key(), key(k));
      EXPECT_EQ(rows->value(), value(k));
    }
    EXPECT_TRUE(rows->status().ok()) << rows->status().error().to_string();
    return k;
  }

  // Every row is right, or the error says which file is damaged. True when all were read.
  static bool rows_are_right_or_corrupt(Store& store, const std::string& file) {
    bool all = true;
    for (uint64_t k = 0; k < kRowCount; k += 7) {
      const auto found = store.get(Family::kPast, key(k));
      if (found.ok()) {
        EXPECT_EQ(*found, value(k));
      } else {
        all = false;
        expect_corrupt(found.error(), file);
        EXPECT_THAT(found.error().context(), HasSubstr("family past"));
      }
    }
    const auto rows = store.iterate(Family::kPast, {});
    uint64_t k = 0;
    for (rows->seek_to_first(); rows->valid(); rows->next(), ++k) {
      EXPECT_EQ(rows->key(), key(k));
      EXPECT_EQ(rows->value(), value(k));
    }
    const Status status = rows->status();
    if (status.ok()) {
      EXPECT_EQ(k, kRowCount) << "an iterator ended early and said nothing";
      return all;
    }
    expect_corrupt(status.error(), file);
    return false;
  }

  os::SimDisk disk_{1, kGiB};
};

TEST_F(RocksDamage, ARottenTableGivesErrorsThatNameIt) {
  make_store();
  const std::string table = only_file("", ".sst");
  uint64_t damaged_reads = 0;
  for_rot(table, 97, [&] {
    const auto opened = open(true);
    if (!opened.ok()) {
      // RocksDB blames the manifest for a table whose properties do not parse.
      expect_corrupt(opened.error(), kPath);
      return;
    }
    if (!rows_are_right_or_corrupt(**opened, table)) ++damaged_reads;
    std::vector<std::string> corrupt;
    ASSERT_TRUE((*opened)->verify(corrupt).ok());
    EXPECT_THAT(corrupt, testing::ElementsAre(HasSubstr(table)));
  });
  EXPECT_GT(damaged_reads, 40u);
}

TEST_F(RocksDamage, ARottenManifestIsRefused) {
  make_store();
  const std::string manifest = only_file("MANIFEST", "");
  for_rot(manifest, kEveryByte, [&] {
    const auto opened = open();
    ASSERT_FALSE(opened.ok());
    expect_corrupt(opened.error(), manifest);
  });
}

TEST_F(RocksDamage, ARottenMarkOfTheManifestIsRefused) {
  make_store();
  const std::string mark = only_file("MANIFEST", ".mark");
  for_rot(mark, kEveryByte, [&] {
    const auto opened = open();
    ASSERT_FALSE(opened.ok());
    expect_corrupt(opened.error(), "MANIFEST");
  });
  ASSERT_TRUE(disk_.remove_file(mark).ok());
  const auto opened = open();
  ASSERT_FALSE(opened.ok());
  expect_corrupt(opened.error(), mark);
}

TEST_F(RocksDamage, ARottenPointerToTheManifestIsRefused) {
  make_store();
  for_rot(std::string(kPath) + "/CURRENT", kEveryByte, [&] {
    const auto opened = open();
    ASSERT_FALSE(opened.ok());
    expect_corrupt(opened.error(), "");
  });
}

TEST_F(RocksDamage, OtherRottenFilesDoNoHarm) {
  make_store();
  for (const std::string& path : {only_file("IDENTITY", ""), files("OPTIONS", "").back()}) {
    for_rot(path, 20, [&] {
      const auto opened = open(true);
      ASSERT_TRUE(opened.ok()) << opened.error().to_string();
      EXPECT_TRUE(rows_are_right_or_corrupt(**opened, ""));
    });
  }
}

TEST_F(RocksDamage, AMissingTableIsRefused) {
  make_store();
  const std::string table = only_file("", ".sst");
  ASSERT_TRUE(disk_.remove_file(table).ok());
  const auto opened = open();
  ASSERT_FALSE(opened.ok());
  expect_corrupt(opened.error(), table.substr(0, table.find_last_of('.')));
}

TEST_F(RocksDamage, AStoreThatLostItsPointerIsNotMadeAnew) {
  make_store();
  ASSERT_TRUE(disk_.remove_file(std::string(kPath) + "/CURRENT").ok());
  for (const bool read_only : {false, true}) {
    const auto opened = open(read_only);
    ASSERT_FALSE(opened.ok());
    expect_corrupt(opened.error(), "CURRENT");
  }
  EXPECT_EQ(files("", ".sst").size(), 1u);
}

TEST_F(RocksDamage, AnUnreadableTableIsAnErrorOfTheDisk) {
  constexpr uint64_t kLargeCount = 20'000;  // or opening it would read all of it
  make_store(kLargeCount);
  const std::string table = only_file("", ".sst");
  disk_.fail_reads(table, 0, 20'000);
  const auto store = open_sound();
  const auto found = store->get(Family::kPast, key(0));
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.code(), Code::kIo);
  EXPECT_THAT(found.error().context(), HasSubstr(table));
  EXPECT_EQ(*store->get(Family::kPast, key(kLargeCount - 1)), value(kLargeCount - 1));
  std::vector<std::string> corrupt;
  ASSERT_TRUE(store->verify(corrupt).ok());
  EXPECT_THAT(corrupt, testing::ElementsAre(HasSubstr(table)));
}

TEST_F(RocksDamage, ARottenNewestLogEndsAtTheRot) {
  std::string log;
  {
    auto store = open_sound();
    for (uint64_t k = 0; k < kRowCount; ++k) ASSERT_TRUE(put(*store, k).ok());
    ASSERT_TRUE(store->sync().ok());
    log = only_file("", ".log");
    power_cut(std::move(store));
  }
  const uint64_t log_bytes = kRowCount * 100;
  ASSERT_TRUE(disk_.rot(log, log_bytes / 2).ok());
  const auto store = open_sound();
  const uint64_t survivors = count_rows(*store);
  EXPECT_GT(survivors, kRowCount / 4);
  EXPECT_LT(survivors, kRowCount * 3 / 4);
}

TEST_F(RocksDamage, ARottenLogThatIsFinishedIsRefused) {
  const RocksOptions options{.memory_bytes = kMiB, .create = true};
  {
    auto store = RocksStore::open(disk_, kPath, options).take();
    // Keeps the first log alive: its family is not flushed with the other.
    Batch batch;
    batch.put(Family::kVolume, "pinned", "value");
    ASSERT_TRUE(store->write(batch, Durability::kSynced).ok());
    for (uint64_t k = 0; files("", ".log").size() < 2; ++k) ASSERT_TRUE(put(*store, k).ok());
    power_cut(std::move(store));
  }
  const std::string log = files("", ".log").at(0);
  for_rot(log, 50, [&] {
    const auto opened = RocksStore::open(disk_, kPath, options);
    ASSERT_FALSE(opened.ok());
    expect_corrupt(opened.error(), log);
  });
  const auto opened = RocksStore::open(disk_, kPath, options);
  ASSERT_TRUE(opened.ok()) << opened.error().to_string();
  EXPECT_EQ(*(*opened)->get(Family::kVolume, "pinned"), "value");
}

TEST_F(RocksDamage, ACompactionThatFindsRotSaysSoAndWritesStop) {
  make_store();
  const std::string table = only_file("", ".sst");
  const auto store = open_sound();
  Batch batch;
  batch.put(Family::kLive, "key", "value");
  ASSERT_TRUE(store->write(batch, Durability::kSynced).ok());
  ASSERT_TRUE(disk_.rot(table, 20'000).ok());

  const Status compacted = store->compact(Family::kPast, {});
  ASSERT_FALSE(compacted.ok());
  expect_corrupt(compacted.error(), table);
  const Status written = store->write(batch, Durability::kSynced);
  ASSERT_FALSE(written.ok());
  expect_corrupt(written.error(), table);
  EXPECT_EQ(*store->get(Family::kLive, "key"), "value");
  EXPECT_EQ(*store->get(Family::kPast, key(0)), value(0));
}

}  // namespace
}  // namespace nacre::kv
