// Threads that run queued work, started as they are needed. Any thread may call everything.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <vector>

#include "os/mutex.h"
#include "os/thread.h"

namespace nacre::rpc {

class WorkerPool {
 public:
  struct Options {
    size_t threads_max = 1;
    size_t queued_max = 1;
    size_t queued_bytes_max = 1;
  };

  explicit WorkerPool(Options options) : options_(options) {}
  ~WorkerPool() { stop(); }

  // False when the queue is full (an empty one takes work of any size) or the pool has stopped;
  // then `work` is as it was.
  bool submit(std::function<void()>& work, size_t bytes);
  // Takes no more, runs what is queued, and ends the threads.
  void stop();

 private:
  struct Item {
    std::function<void()> work;
    size_t bytes;
  };
  void run();

  const Options options_;
  os::Mutex mutex_;
  os::CondVar changed_;
  std::deque<Item> queue_ GUARDED_BY(mutex_);
  size_t queued_bytes_ GUARDED_BY(mutex_) = 0;
  size_t idle_ GUARDED_BY(mutex_) = 0;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::vector<os::Thread> threads_ GUARDED_BY(mutex_);
};

}  // namespace nacre::rpc
