// Mounts in memory: what a daemon does without a kernel. For tests.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "node/mounter.h"
#include "os/mutex.h"

namespace nacre::node {

class TestMounter final : public Mounter {
 public:
  // One place where something is, or was, mounted.
  struct Place {
    fs::Tree* tree = nullptr;
    MountPlan plan;
    bool mounted = true;
    bool in_use = false;  // unmounting, but for lazily, is refused; and lazily does not end it
    int write_backs = 0;
    std::vector<std::string> changed_paths;
    std::vector<InodeId> forgotten_inodes;
    std::vector<std::string> forgotten_names;
  };

  Result<std::unique_ptr<Mounted>> mount(fs::Tree& tree, const MountPlan& plan) override;

  // The latest mount at the place, by value.
  Place at(const std::string& mountpoint);
  void use(const std::string& mountpoint, bool in_use);
  // As umount(8) does.
  void unmount(const std::string& mountpoint);

 private:
  class TestMounted;
  Place& find(const std::string& mountpoint) REQUIRES(mutex_);

  os::Mutex mutex_;
  os::CondVar changed_;
  std::list<Place> places_ GUARDED_BY(mutex_);
};

class TestMounter::TestMounted final : public Mounted {
 public:
  TestMounted(TestMounter& mounter, Place& place) : mounter_(mounter), place_(place) {}
  ~TestMounted() override { end(); }

  void start() override {}
  void wait() override {
    const os::Lock lock(mounter_.mutex_);
    while (place_.mounted) mounter_.changed_.wait(mounter_.mutex_);
  }
  Status unmount(bool lazy) override {
    const os::Lock lock(mounter_.mutex_);
    if (place_.in_use) return lazy ? Status() : Status(Error(Code::kBusy, "it is in use"));
    place_.mounted = false;
    mounter_.changed_.notify_all();
    return {};
  }
  const std::string& mountpoint() const override { return place_.plan.mountpoint; }
  bool read_only() const override { return place_.plan.read_only; }
  uint64_t requests() const override { return 7; }
  Status write_back() override {
    const os::Lock lock(mounter_.mutex_);
    ++place_.write_backs;
    return {};
  }
  Status change_content(const std::string& path, InodeId, const ContentChange& change) override {
    {
      const os::Lock lock(mounter_.mutex_);
      place_.changed_paths.push_back(path);
    }
    TRY(change());
    return {};
  }
  void forget_inode(InodeId ino) override {
    const os::Lock lock(mounter_.mutex_);
    place_.forgotten_inodes.push_back(ino);
  }
  void forget_entry(InodeId, const std::string& name) override {
    const os::Lock lock(mounter_.mutex_);
    place_.forgotten_names.push_back(name);
  }

 private:
  void end() {
    const os::Lock lock(mounter_.mutex_);
    place_.mounted = false;
    mounter_.changed_.notify_all();
  }

  TestMounter& mounter_;
  Place& place_;
};

inline Result<std::unique_ptr<Mounted>> TestMounter::mount(fs::Tree& tree, const MountPlan& plan) {
  if (plan.mountpoint == "/refused") return Error(Code::kNotPermitted, "not there");
  const os::Lock lock(mutex_);
  Place& place = places_.emplace_back();
  place.tree = &tree;
  place.plan = plan;
  return std::unique_ptr<Mounted>(std::make_unique<TestMounted>(*this, place));
}

inline TestMounter::Place& TestMounter::find(const std::string& mountpoint) {
  for (auto place = places_.rbegin(); place != places_.rend(); ++place) {
    if (place->plan.mountpoint == mountpoint) return *place;
  }
  return places_.emplace_back();
}

inline TestMounter::Place TestMounter::at(const std::string& mountpoint) {
  const os::Lock lock(mutex_);
  return find(mountpoint);
}

inline void TestMounter::use(const std::string& mountpoint, bool in_use) {
  const os::Lock lock(mutex_);
  find(mountpoint).in_use = in_use;
}

inline void TestMounter::unmount(const std::string& mountpoint) {
  const os::Lock lock(mutex_);
  find(mountpoint).mounted = false;
  changed_.notify_all();
}

}  // namespace nacre::node
