#include "model/machine.h"

#include "model/audit.h"

namespace nacre::model {

namespace {

constexpr uint64_t kMemoryCapacity = 4 * kGiB;

}  // namespace

Machine::Machine(const fs::VolumeSettings& settings, uint64_t seed)
    : settings_(settings), random_(seed) {}

Status Machine::open() {
  TRY(attach());
  volume_ = TRY(fs::Volume::open({rows(), blocks(), clock_, random_}, settings_));
  keeper_ = std::make_unique<keeper::Keeper>(*volume_);
  tree_ = std::make_unique<fs::MountedTree>(*volume_);
  quiet_ = std::make_unique<fs::MountedTree>(*volume_, fs::LiveTreeOptions{.atime = false});
  return {};
}

Status Machine::close() {
  TRY(volume_->close());
  drop_volume();
  return detach();
}

void Machine::abandon() {
  drop_volume();
  cut_power();
}

void Machine::drop_volume() {
  quiet_.reset();
  tree_.reset();
  keeper_.reset();
  volume_.reset();
}

// The books are counted twice: by the volume's own check, and by one that shares nothing with it.
std::string Machine::verify() {
  std::string wrong;
  keeper::CheckOptions options;
  options.deep = true;
  const auto checked = keeper::check(
      *volume_, options, [](const keeper::CheckStage&) { return true; },
      [&](const keeper::Finding& finding) {
        wrong +=
            std::string(name_of(finding.kind)) + ": " + finding.what + " (" + finding.where + ")\n";
      });
  if (!checked.ok()) return "check: " + checked.error().to_string();
  if (!wrong.empty()) return "check found:\n" + wrong;
  return audit(rows(), blocks(), settings_.block_size);
}

MemoryMachine::MemoryMachine(const fs::VolumeSettings& settings, uint64_t seed)
    : Machine(settings, seed), blocks_(kMemoryCapacity, faults()) {}

}  // namespace nacre::model
