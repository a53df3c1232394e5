// Whom a worker serves: one thread after its own heart, or several.
//
// A client that waits for each answer and the worker that gives it never run at the same time. On
// two CPUs each request wakes an idle CPU twice, which in a virtual machine takes longer than most
// requests take to serve; on one CPU each is a mere switch, and the next request is there when the
// worker looks. So a worker with a single client follows it to its CPU, and wakes no other worker.
//
// One per worker, used by its thread alone.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace nacre::mount {

class Clientele {
 public:
  // The worker is about to serve this request. `at_once`: it was there when the worker looked.
  void note(ByteView message, bool at_once);
  // Lately there were requests that others may be waiting behind: of several threads, or read-ahead
  // and write-back, of which the kernel sends many at once.
  bool several() const { return several_ > 0; }

 private:
  uint32_t tid_ = 0;       // of the last request that somebody waits for
  int streak_ = 0;         // requests of that thread in a row
  bool was_data_ = false;  // the last request was READ or WRITE
  int several_ = 0;        // requests until a lone thread counts as alone
};

// The CPU that a thread runs on or ran on last; -1 when it cannot be known.
int cpu_of_thread(uint32_t tid);
// Moves the calling thread to a CPU, from where it may be moved again.
void move_to_cpu(int cpu);

}  // namespace nacre::mount
