// A volume and what it stands on, to be opened, closed, and cut off from power.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "fs/mounted_tree.h"
#include "fs/volume.h"
#include "keeper/keeper.h"
#include "kv/memory_store.h"
#include "model/faults.h"
#include "model/memory_blocks.h"
#include "os/clock.h"
#include "os/random.h"

namespace nacre::model {

class Machine {
 public:
  virtual ~Machine() = default;
  // Opens the volume, made if there is none.
  Status open();
  // Commits and closes.
  Status close();
  // The process dies, or the power goes: nothing more is committed.
  void abandon();

  bool is_open() const { return volume_ != nullptr; }
  fs::Volume& volume() { return *volume_; }
  // Works only when told to.
  keeper::Keeper& keeper() { return *keeper_; }
  // As a mount serves it.
  fs::Tree& tree() { return *tree_; }
  // The same, but reading leaves access times alone.
  fs::Tree& quiet() { return *quiet_; }
  os::ManualClock& clock() { return clock_; }
  Faults& faults() { return faults_; }

  // Operations may be refused with kNoSpace, without a trace.
  virtual bool may_be_full() const { return false; }
  // The power goes at the n-th operation of the disk from now; 0: not at all.
  virtual void arm_power_cut(uint64_t /*operations*/) {}
  // It went; abandon() is due.
  virtual bool is_down() const { return false; }
  // Checks everything stored. What is wrong, or nothing.
  std::string verify();

 protected:
  Machine(const fs::VolumeSettings& settings, uint64_t seed);
  // What the volume stands on: made before it opens, closed or dropped when it is gone.
  virtual Status attach() { return {}; }
  virtual Status detach() { return {}; }
  virtual void cut_power() {}
  virtual kv::Store& rows() = 0;
  virtual block::Store& blocks() = 0;
  void drop_volume();
  const fs::VolumeSettings& settings() const { return settings_; }
  os::Random& random() { return random_; }

 private:
  const fs::VolumeSettings settings_;
  os::ManualClock clock_;
  os::SeededRandom random_;
  Faults faults_;
  std::unique_ptr<fs::Volume> volume_;
  std::unique_ptr<keeper::Keeper> keeper_;
  std::unique_ptr<fs::MountedTree> tree_;
  std::unique_ptr<fs::MountedTree> quiet_;
};

// On stores in memory, which outlive the volume.
class MemoryMachine final : public Machine {
 public:
  MemoryMachine(const fs::VolumeSettings& settings, uint64_t seed);
  ~MemoryMachine() override { drop_volume(); }
  // Storing a block takes this long.
  void slow_down(std::chrono::nanoseconds put_time) { blocks_.slow_down(put_time); }

 protected:
  void cut_power() override { blocks_.lose_unsynced(); }
  kv::Store& rows() override { return faulty_rows_; }
  block::Store& blocks() override { return blocks_; }

 private:
  kv::MemoryStore rows_;
  FaultyRows faulty_rows_{rows_, faults()};
  MemoryBlocks blocks_;
};

}  // namespace nacre::model
