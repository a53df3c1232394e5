#include "mount/clientele.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstring>
#include <string_view>

#include "mount/abi.h"
#include "os/fd.h"

namespace nacre::mount {
namespace {

// Of /proc/TID/stat, behind the name in parentheses, which may hold anything.
constexpr int kWordsBeforeCpu = 36;

constexpr int kSeveralFor = 64;   // requests
constexpr int kFollowEvery = 16;  // requests

int cpu_in(std::string_view stat) {
  const size_t name_end = stat.rfind(") ");
  if (name_end == std::string_view::npos) return -1;
  stat.remove_prefix(name_end + 2);
  for (int i = 0; i < kWordsBeforeCpu; ++i) {
    const size_t space = stat.find(' ');
    if (space == std::string_view::npos) return -1;
    stat.remove_prefix(space + 1);
  }
  int cpu = -1;
  std::from_chars(stat.data(), stat.data() + stat.size(), cpu);
  return cpu;
}

}  // namespace

int cpu_of_thread(uint32_t tid) {
  const os::Fd file(::open(fmt::format("/proc/{}/stat", tid).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return -1;
  std::array<char, 1024> text = {};
  const ssize_t count = ::read(file.get(), text.data(), text.size());
  return count > 0 ? cpu_in({text.data(), static_cast<size_t>(count)}) : -1;
}

void move_to_cpu(int cpu) {
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return;
  if (cpu < 0 || cpu >= CPU_SETSIZE || !CPU_ISSET(cpu, &allowed)) return;
  cpu_set_t there;
  CPU_ZERO(&there);
  CPU_SET(cpu, &there);
  if (::sched_setaffinity(0, sizeof(there), &there) != 0) return;
  ::sched_setaffinity(0, sizeof(allowed), &allowed);
}

void Clientele::note(ByteView message, bool at_once) {
  fuse_in_header header = {};
  if (message.size() < sizeof(header)) return;
  std::memcpy(&header, message.data(), sizeof(header));
  const bool is_data = header.opcode == FUSE_READ || header.opcode == FUSE_WRITE;
  if (is_data && was_data_ && at_once) several_ = kSeveralFor;
  was_data_ = is_data;
  if (is_data) return;
  if (header.pid == 0) return;  // nobody waits
  if (header.pid != tid_) {
    if (tid_ != 0) several_ = kSeveralFor;
    tid_ = header.pid;
    streak_ = 0;
  }
  if (several_ > 0) --several_;
  if (++streak_ % kFollowEvery != 0 || several_ > 0) return;
  const int cpu = cpu_of_thread(tid_);
  if (cpu >= 0 && cpu != ::sched_getcpu()) move_to_cpu(cpu);
}

}  // namespace nacre::mount
