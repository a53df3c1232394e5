#include "keeper/low_priority.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace nacre::keeper {

namespace {

constexpr int kNice = 5;
constexpr int kIoWhoThread = 1;                 // IOPRIO_WHO_PROCESS: the calling thread
constexpr int kIoBestEffortLast = 2 << 13 | 7;  // IOPRIO_CLASS_BE, its lowest level

}  // namespace

void lower_priority() {
  // Without the right to do so everything works the same, only less politely.
  (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNice);
  (void)::syscall(SYS_ioprio_set, kIoWhoThread, 0, kIoBestEffortLast);
}

}  // namespace nacre::keeper
