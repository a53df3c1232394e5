// Threads. The only place that names std::thread.
#pragma once

#include <functional>
#include <string>
#include <thread>

namespace nacre::os {

// Runs `body` on a thread named `name` (15 bytes are shown by the kernel). The destructor joins.
class Thread {
 public:
  Thread() = default;
  Thread(std::string name, std::function<void()> body);
  ~Thread() { join(); }
  Thread(Thread&&) = default;
  Thread& operator=(Thread&& other) noexcept {
    join();
    thread_ = std::move(other.thread_);
    return *this;
  }
  void join() {
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::thread thread_;
};

}  // namespace nacre::os
