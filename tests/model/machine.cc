#include "model/machine.h"

namespace nacre::model {

namespace {

constexpr uint64_t kMemoryCapacity = 4 * kGiB;

}  // namespace

Machine::Machine(const fs::VolumeSettings& settings, uint64_t seed)
    : settings_(settings), random_(seed) {}

Status Machine::open() {
  TRY(attach());
  volume_ = TRY(fs::Volume::open({rows(), blocks(), clock_, random_}, settings_));
  tree_ = std::make_unique<fs::MountedTree>(*volume_);
  quiet_ = std::make_unique<fs::MountedTree>(*volume_, fs::LiveTreeOptions{.atime = false});
  return {};
}

Status Machine::close() {
  TRY(volume_->close());
  drop_volume();
  detach();
  return {};
}

void Machine::abandon() {
  drop_volume();
  cut_power();
  detach();
}

void Machine::drop_volume() {
  quiet_.reset();
  tree_.reset();
  volume_.reset();
}

MemoryMachine::MemoryMachine(const fs::VolumeSettings& settings, uint64_t seed)
    : Machine(settings, seed), blocks_(kMemoryCapacity, faults_) {}

}  // namespace nacre::model
