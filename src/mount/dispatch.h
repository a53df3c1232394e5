// From the bytes of one request to its answer: the table of opcodes, and the one place that looks
// at it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <string>

#include "base/bytes.h"
#include "mount/port.h"
#include "mount/session.h"

namespace nacre::mount {

// Requests served, by name of the operation, for tests and metrics.
using Stats = std::map<std::string, uint64_t>;

// Counts of one worker: written by it alone, read by any thread.
class RequestCounts {
 public:
  void add(uint32_t opcode) {
    std::atomic<uint64_t>& count = by_opcode_[opcode < kOpcodes ? opcode : 0];
    count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  // Adds what was counted to `stats`; operations never seen are left out.
  void add_to(Stats& stats) const;

 private:
  static constexpr size_t kOpcodes = 64;
  std::array<std::atomic<uint64_t>, kOpcodes> by_opcode_ = {};
};

// "LOOKUP", or "opcode 99".
std::string name_of_opcode(uint32_t opcode);

// Serves one request of any content: answers it on `port`, now or later from the notifier's thread,
// unless the operation has no answer. Malformed ones are answered EINVAL, unknown ones ENOSYS.
// `buffer` holds a READ's data during the call.
void dispatch(Session& session, ByteView message, Port& port, MutableBytes buffer,
              RequestCounts& counts);

}  // namespace nacre::mount
