#include "kv/store_contract.h"

#include <stdlib.h>

#include <filesystem>

#include "base/check.h"
#include "kv/rocks_store.h"
#include "os/sim_disk.h"

namespace nacre::kv {
namespace {

class MemoryStage final : public StoreStage {
 public:
  Store& store() override { return store_; }
  void reopen() override {}

 private:
  MemoryStore store_;
};

class RocksStage : public StoreStage {
 public:
  Store& store() override { return *store_; }
  void reopen() override {
    store_.reset();
    open();
  }

 protected:
  RocksStage(os::FileSystem& disk, std::string path) : disk_(disk), path_(std::move(path)) {
    open();
  }
  void close() { store_.reset(); }

 private:
  void open() {
    Result<std::unique_ptr<RocksStore>> opened =
        RocksStore::open(disk_, path_, {.memory_bytes = 8 * kMiB, .create = true});
    if (!opened.ok()) ADD_FAILURE() << opened.error().to_string();
    CHECK(opened.ok());
    store_ = opened.take();
  }

  os::FileSystem& disk_;
  const std::string path_;
  std::unique_ptr<RocksStore> store_;
};

// A directory of its own, removed at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory() { CHECK(::mkdtemp(path_.data()) != nullptr); }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_ = testing::TempDir() + "nacre_kv_XXXXXX";
};

class RealDiskStage final : private TemporaryDirectory, public RocksStage {
 public:
  RealDiskStage() : RocksStage(os::real_file_system(), path() + "/store") {}
  ~RealDiskStage() override { close(); }
};

struct OwnSimDisk {
  os::SimDisk disk{1, 4 * kGiB};
};

class SimDiskStage final : private OwnSimDisk, public RocksStage {
 public:
  SimDiskStage() : RocksStage(disk, "/store") {}
  ~SimDiskStage() override { close(); }
};

template <class Stage>
std::unique_ptr<StoreStage> make_stage() {
  return std::make_unique<Stage>();
}

INSTANTIATE_TEST_SUITE_P(Memory, StoreContract, testing::Values(make_stage<MemoryStage>));
INSTANTIATE_TEST_SUITE_P(RocksOnRealDisk, StoreContract,
                         testing::Values(make_stage<RealDiskStage>));
INSTANTIATE_TEST_SUITE_P(RocksOnSimDisk, StoreContract, testing::Values(make_stage<SimDiskStage>));

}  // namespace
}  // namespace nacre::kv
