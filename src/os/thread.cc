#include "os/thread.h"

#include <pthread.h>

#include <utility>

namespace nacre::os {

Thread::Thread(std::string name, std::function<void()> body)
    : thread_([name = std::move(name), body = std::move(body)] {
        constexpr size_t kShownBytes = 15;
        ::pthread_setname_np(::pthread_self(), name.substr(0, kShownBytes).c_str());
        body();
      }) {}

}  // namespace nacre::os
