#include "crash/disk_machine.h"

#include "device/device.h"

namespace nacre::crash {

DiskMachine::DiskMachine(const fs::VolumeSettings& settings, const DiskLayout& layout,
                         uint64_t seed)
    : Machine(settings, seed), layout_(layout), disk_(seed, layout.disk_bytes) {}

DiskMachine::~DiskMachine() {
  drop_volume();
  disk_.crash();  // nothing needs to be written any more
  drop_stores();
}

void DiskMachine::arm_power_cut(uint64_t operations) {
  disk_.crash_after(operations == 0 ? UINT64_MAX : operations);
}

Status DiskMachine::format() {
  device::FormatOptions options;
  options.volume = {1, 2};
  options.backing = device::BackingKind::kDirectory;
  options.capacity_bytes = layout_.device_bytes;
  options.segment_bytes = layout_.segment_bytes;
  options.block_bytes = settings().block_size;
  TRY(device::Device::format({disk_, clock(), random()}, kDevicePath, options));
  TRY(disk_.create_directories(kRowsPath));
  TRY(disk_.sync_directory("/"));
  formatted_ = true;
  return {};
}

Status DiskMachine::attach() {
  if (!formatted_) TRY(format());
  rows_ = TRY(kv::RocksStore::open(disk_, kRowsPath,
                                   {.memory_bytes = layout_.rows_memory_bytes, .create = true}));
  std::vector<std::unique_ptr<device::Device>> devices;
  devices.push_back(TRY(device::Device::open({disk_, clock(), random()}, kDevicePath, {})));
  blocks_ = std::make_unique<block::LocalStore>(std::move(devices), layout_.compression, random());
  return {};
}

Status DiskMachine::detach() {
  TRY(blocks_->close());
  TRY(rows_->sync());
  drop_stores();
  return {};
}

void DiskMachine::cut_power() {
  disk_.crash();
  drop_stores();
}

void DiskMachine::drop_stores() {
  blocks_.reset();
  rows_.reset();
}

}  // namespace nacre::crash
