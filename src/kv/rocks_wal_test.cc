// The rules of rocks_wal.h, one by one. What they are for is in rocks_crash_test.cc.
#include "kv/rocks_wal.h"

#include <gtest/gtest.h>

#include "kv/rocks_store.h"
#include "os/sim_disk.h"

namespace nacre::kv {
namespace {

constexpr const char* kPath = "/store";
constexpr uint64_t kLogBlockBytes = 32 * kKiB;

class RocksWal : public testing::Test {
 protected:
  void use_disk(uint64_t seed) { disk_ = std::make_unique<os::SimDisk>(seed, kGiB); }
  std::unique_ptr<RocksStore> open() {
    auto opened = RocksStore::open(*disk_, kPath, {.create = true});
    EXPECT_TRUE(opened.ok()) << opened.error().to_string();
    return opened.ok() ? opened.take() : nullptr;
  }
  static std::string key(uint64_t k) { return "row" + std::to_string(100 + k); }
  // The power goes before the store can do anything more.
  void power_cut(std::unique_ptr<RocksStore> store) {
    disk_->crash_after(1);
    store.reset();
    disk_->crash();
  }
  // One record of the log, `bytes` long in all.
  static Status put(Store& store, uint64_t k, uint64_t bytes = 1024) {
    constexpr uint64_t kOverheadBytes = 7 + 12 + 1 + 1 + 1 + 6 + 2;  // of record, batch and row
    Batch batch;
    batch.put(Family::kLive, key(k), std::string(bytes - kOverheadBytes, 'v'));
    return store.write(batch, Durability::kBuffered);
  }
  // How many rows there are, from the first on without a gap.
  static uint64_t rows_of(Store& store) {
    uint64_t k = 0;
    const auto rows = store.iterate(Family::kLive, {});
    for (rows->seek_to_first(); rows->valid(); rows->next(), ++k) EXPECT_EQ(rows->key(), key(k));
    EXPECT_TRUE(rows->status().ok());
    return k;
  }
  std::unique_ptr<os::File> newest_log() {
    std::string newest;
    const std::vector<std::string> names = disk_->list(kPath).take();
    for (const std::string& name : names) {
      if (WalFiles::is_wal(name)) newest = std::max(newest, name);
    }
    return disk_->open(std::string(kPath) + "/" + newest, os::OpenMode::kReadWrite).take();
  }

  std::unique_ptr<os::SimDisk> disk_ = std::make_unique<os::SimDisk>(1, kGiB);
};

TEST_F(RocksWal, AGapInTheLogEndsTheReplayThere) {
  constexpr uint64_t kRecordBytes = 1024;
  constexpr uint64_t kRecordsOfABlock = kLogBlockBytes / kRecordBytes;
  auto store = open();
  for (uint64_t k = 0; k < 3 * kRecordsOfABlock; ++k) ASSERT_TRUE(put(*store, k).ok());
  ASSERT_TRUE(store->sync().ok());
  power_cut(std::move(store));

  const auto log = newest_log();
  std::string header(7, '\0');
  ASSERT_EQ(*log->read_at(kLogBlockBytes, as_writable_bytes(header)), header.size());
  ASSERT_EQ(header[6], 1) << "the second block must begin with a whole record";
  const std::string zeros(2 * kRecordBytes, '\0');
  ASSERT_TRUE(log->write_at(kLogBlockBytes - zeros.size(), as_bytes(zeros)).ok());
  ASSERT_TRUE(log->sync().ok());

  store = open();
  ASSERT_TRUE(store);
  EXPECT_EQ(rows_of(*store), kRecordsOfABlock - 2);
}

TEST_F(RocksWal, TheFirstRecordOfALogIsDurableAtOnce) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    use_disk(seed);
    auto store = open();
    ASSERT_TRUE(store);
    ASSERT_TRUE(put(*store, 0).ok());
    power_cut(std::move(store));
    store = open();
    ASSERT_TRUE(store);
    EXPECT_EQ(rows_of(*store), 1u) << "seed " << seed;
  }
}

TEST_F(RocksWal, ALogIsDurableBeforeTheNextIsMade) {
  WalFiles logs(*disk_, nullptr);
  ASSERT_TRUE(disk_->create_directories("/logs").ok());
  auto first = logs.create("/logs/000001.log", {});
  ASSERT_TRUE(first.ok());
  const std::string data(100 * 1000, 'x');
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE((*first)->Append(data, rocksdb::IOOptions(), nullptr).ok());
  }
  auto second = logs.create("/logs/000002.log", {});
  ASSERT_TRUE(second.ok());
  disk_->crash();
  const auto file = disk_->open("/logs/000001.log", os::OpenMode::kRead);
  ASSERT_TRUE(file.ok());
  std::string read(10 * data.size(), '\0');
  ASSERT_EQ(*(*file)->read_at(0, as_writable_bytes(read)), read.size());
  EXPECT_EQ(read.find_first_not_of('x'), std::string::npos);
}

TEST_F(RocksWal, ASyncedLogIsExtendedWithZerosAndCutWhenItIsClosed) {
  WalFiles logs(*disk_, nullptr);
  ASSERT_TRUE(disk_->create_directories("/logs").ok());
  auto log = logs.create("/logs/000001.log", {}).take();
  const auto file = disk_->open("/logs/000001.log", os::OpenMode::kRead).take();
  const rocksdb::IOOptions options;
  ASSERT_TRUE(log->Append("first", options, nullptr).ok());
  ASSERT_TRUE(log->Append("second", options, nullptr).ok());
  EXPECT_EQ(*file->size(), 11u);
  ASSERT_TRUE(log->Sync(options, nullptr).ok());
  const uint64_t extended = *file->size();
  EXPECT_GT(extended, 4 * kKiB);
  EXPECT_EQ(logs.bytes(), extended);

  ASSERT_TRUE(log->Append("third", options, nullptr).ok());
  ASSERT_TRUE(logs.sync().ok());
  EXPECT_EQ(*file->size(), extended) << "the next sync must find its blocks in place";
  EXPECT_EQ(log->GetFileSize(options, nullptr), 16u);

  ASSERT_TRUE(log->Close(options, nullptr).ok());
  EXPECT_EQ(logs.bytes(), 16u);
  std::string content(100, '\0');
  content.resize(*file->read_at(0, as_writable_bytes(content)));
  EXPECT_EQ(content, "firstsecondthird");
  logs.forget("/logs/000001.log");
  EXPECT_EQ(logs.bytes(), 0u);
}

// A disk whose first sync of a file fails, and no other.
class SyncFailsOnce final : public os::FileSystem {
 public:
  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override {
    return std::unique_ptr<os::File>(
        std::make_unique<FailingFile>(TRY(disk_.open(path, mode)), failed_));
  }
  Status create_directories(const std::string& path) override {
    return disk_.create_directories(path);
  }
  Status sync_directory(const std::string& path) override { return disk_.sync_directory(path); }
  Result<std::vector<std::string>> list(const std::string&) override { return Code::kUnsupported; }
  Status remove_file(const std::string&) override { return Code::kUnsupported; }
  Status remove_directory(const std::string&) override { return Code::kUnsupported; }
  Status rename(const std::string&, const std::string&) override { return Code::kUnsupported; }
  Status link(const std::string&, const std::string&) override { return Code::kUnsupported; }
  Result<os::PathKind> kind(const std::string&) override { return Code::kUnsupported; }
  Result<os::HostSpace> space(const std::string&) override { return Code::kUnsupported; }
  Result<std::unique_ptr<os::FileLock>> lock(const std::string&) override {
    return Code::kUnsupported;
  }

 private:
  class FailingFile final : public os::File {
   public:
    FailingFile(std::unique_ptr<os::File> file, bool& failed)
        : file_(std::move(file)), failed_(failed) {}
    Status sync() override {
      if (std::exchange(failed_, true)) return file_->sync();
      return Error(Code::kIo, "this once");
    }
    Result<size_t> read_at(uint64_t offset, MutableBytes into) override {
      return file_->read_at(offset, into);
    }
    Status write_at(uint64_t offset, ByteView data) override {
      return file_->write_at(offset, data);
    }
    Status write_parts_at(uint64_t offset, std::span<const ByteView> parts) override {
      return file_->write_parts_at(offset, parts);
    }
    void start_writeback(uint64_t offset, uint64_t length) override {
      file_->start_writeback(offset, length);
    }
    Status allocate(uint64_t offset, uint64_t length) override {
      return file_->allocate(offset, length);
    }
    Status truncate(uint64_t size) override { return file_->truncate(size); }
    Result<uint64_t> size() override { return file_->size(); }

   private:
    const std::unique_ptr<os::File> file_;
    bool& failed_;
  };

  os::SimDisk disk_{1, kGiB};
  bool failed_ = false;
};

TEST(RocksWalFailure, ALogTakesNothingMoreAfterAFailedSync) {
  SyncFailsOnce disk;
  WalFiles logs(disk, nullptr);
  ASSERT_TRUE(disk.create_directories("/logs").ok());
  auto log = logs.create("/logs/000001.log", {}).take();
  const rocksdb::IOOptions options;
  EXPECT_FALSE(log->Append("first, and so synced", options, nullptr).ok());
  EXPECT_FALSE(log->Append("second", options, nullptr).ok());
  EXPECT_FALSE(logs.sync().ok()) << "what the host forgot does not become durable by asking again";
  EXPECT_FALSE(logs.create("/logs/000002.log", {}).ok());
}

}  // namespace
}  // namespace nacre::kv
