// A volume as on a real machine, RocksDB and a device with segments, but on a simulated disk: one
// that forgets, tears and reorders what was not synced when the power goes.
#pragma once

#include <memory>
#include <string>

#include "block/local_store.h"
#include "kv/rocks_store.h"
#include "model/machine.h"
#include "os/sim_disk.h"

namespace nacre::crash {

struct DiskLayout {
  uint64_t disk_bytes = 256 * kMiB;
  uint64_t device_bytes = 16 * kMiB;
  uint64_t segment_bytes = 64 * kKiB;  // so that there is something to clean
  uint64_t rows_memory_bytes = 8 * kMiB;
  codec::Compression compression = codec::Compression::kNone;
  bool may_be_full = false;
};

class DiskMachine final : public model::Machine {
 public:
  DiskMachine(const fs::VolumeSettings& settings, const DiskLayout& layout, uint64_t seed);
  ~DiskMachine() override;

  void arm_power_cut(uint64_t operations) override;
  bool is_down() const override { return disk_.is_down(); }
  bool may_be_full() const override { return layout_.may_be_full; }

  os::SimDisk& disk() { return disk_; }
  static constexpr const char* kRowsPath = "/rows";
  static constexpr const char* kDevicePath = "/data";

 protected:
  Status attach() override;
  Status detach() override;
  void cut_power() override;
  kv::Store& rows() override { return *rows_; }
  block::Store& blocks() override { return *blocks_; }

 private:
  Status format();
  void drop_stores();

  const DiskLayout layout_;
  os::SimDisk disk_;
  bool formatted_ = false;
  std::unique_ptr<kv::RocksStore> rows_;
  std::unique_ptr<block::LocalStore> blocks_;
};

}  // namespace nacre::crash
