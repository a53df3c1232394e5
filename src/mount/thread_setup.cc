#include "mount/thread_setup.h"

#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>

namespace nacre::mount {

void block_signals() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

void never_reclaim_through_file_systems() { ::prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0); }

}  // namespace nacre::mount
