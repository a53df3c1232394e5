// Calls something when what was put on a device is durable: whatever waits at a time shares one
// sync, and no thread waits for it but one of each device. Any thread may call everything.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "device/device.h"
#include "os/mutex.h"
#include "os/thread.h"

namespace nacre::cluster {

class DurableQueue {
 public:
  using Then = std::function<void(const Status&)>;

  // `then` is called with how the sync went, on another thread. It must not wait for long.
  void add(const std::shared_ptr<device::Device>& device, Then then);

 private:
  struct Item {
    std::shared_ptr<device::Device> device;
    Then then;
  };
  // Of one device.
  class Lane {
   public:
    Lane() : thread_("durable", [this] { run(); }) {}
    ~Lane();
    void add(Item item);

   private:
    void run();

    os::Mutex mutex_;  // a leaf
    os::CondVar changed_;
    std::vector<Item> waiting_ GUARDED_BY(mutex_);
    bool idle_ GUARDED_BY(mutex_) = false;
    bool ending_ GUARDED_BY(mutex_) = false;
    os::Thread thread_;
  };

  os::Mutex mutex_;  // before those of the lanes
  std::map<wire::DeviceId, std::unique_ptr<Lane>> lanes_ GUARDED_BY(mutex_);
};

}  // namespace nacre::cluster
