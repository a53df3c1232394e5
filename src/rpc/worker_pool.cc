#include "rpc/worker_pool.h"

#include <utility>

namespace nacre::rpc {

bool WorkerPool::submit(std::function<void()>& work, size_t bytes) {
  const os::Lock lock(mutex_);
  const bool full = queue_.size() >= options_.queued_max ||
                    (!queue_.empty() && queued_bytes_ + bytes > options_.queued_bytes_max);
  if (stopping_ || full) return false;
  queue_.push_back({std::move(work), bytes});
  queued_bytes_ += bytes;
  if (idle_ >= queue_.size()) {
    changed_.notify_one();
  } else if (threads_.size() < options_.threads_max) {
    threads_.emplace_back("rpc-worker", [this] { run(); });
  }
  return true;
}

void WorkerPool::run() {
  const os::Lock lock(mutex_);
  for (;;) {
    ++idle_;
    while (queue_.empty() && !stopping_) changed_.wait(mutex_);
    --idle_;
    if (queue_.empty()) return;
    {
      const Item item = std::move(queue_.front());
      queue_.pop_front();
      queued_bytes_ -= item.bytes;
      mutex_.unlock();
      item.work();
    }
    mutex_.lock();
  }
}

void WorkerPool::stop() {
  std::vector<os::Thread> threads;
  {
    const os::Lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
    threads = std::move(threads_);
    threads_.clear();
  }
  for (os::Thread& each : threads) each.join();
}

}  // namespace nacre::rpc
