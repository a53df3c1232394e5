#include "cluster/durable_queue.h"

#include <utility>

namespace nacre::cluster {

void DurableQueue::add(const std::shared_ptr<device::Device>& device, Then then) {
  const os::Lock lock(mutex_);
  std::unique_ptr<Lane>& lane = lanes_[device->identity().device];
  if (lane == nullptr) lane = std::make_unique<Lane>();
  lane->add({device, std::move(then)});
}

DurableQueue::Lane::~Lane() {
  {
    const os::Lock lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void DurableQueue::Lane::add(Item item) {
  bool wake = false;
  {
    const os::Lock lock(mutex_);
    waiting_.push_back(std::move(item));
    wake = std::exchange(idle_, false);
  }
  if (wake) changed_.notify_all();
}

void DurableQueue::Lane::run() {
  const os::Lock lock(mutex_);
  for (;;) {
    while (waiting_.empty() && !ending_) {
      idle_ = true;
      changed_.wait(mutex_);
    }
    idle_ = false;
    if (waiting_.empty()) return;
    std::vector<Item> batch;
    batch.swap(waiting_);
    mutex_.unlock();
    const Status synced = batch.front().device->sync();
    for (const Item& item : batch) item.then(synced);
    batch.clear();
    mutex_.lock();
  }
}

}  // namespace nacre::cluster
