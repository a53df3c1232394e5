#include "mount/write_intent.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "os/fd.h"

namespace nacre::mount {
namespace {

// The kernel asks before it sleeps: the thread may still be on its way to that.
constexpr int kTries = 10'000;

std::string_view next_word(std::string_view& text) {
  const size_t end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

// Which argument of a system call says how many bytes it writes. kUnsaid: none does.
constexpr int kUnsaid = -1;
struct WritingCall {
  long number;
  int argument;
};
constexpr std::array kWritingCalls = {
    WritingCall{SYS_write, 2},           WritingCall{SYS_pwrite64, 2},
    WritingCall{SYS_writev, kUnsaid},    WritingCall{SYS_pwritev, kUnsaid},
    WritingCall{SYS_pwritev2, kUnsaid},  WritingCall{SYS_sendfile, 3},
    WritingCall{SYS_splice, 4},          WritingCall{SYS_copy_file_range, 4},
    WritingCall{SYS_io_submit, kUnsaid}, WritingCall{SYS_io_uring_enter, kUnsaid},
};

std::optional<uint64_t> hex_argument(std::string_view arguments, int index) {
  for (int i = 0; i < index; ++i) next_word(arguments);
  std::string_view word = next_word(arguments);
  if (!word.starts_with("0x")) return std::nullopt;
  word.remove_prefix(2);
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value, 16);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return value;
}

// The line of /proc once the thread sleeps in its call; empty when that cannot be known.
std::string system_call_of(uint32_t tid) {
  if (tid == 0) return {};
  const std::string path = fmt::format("/proc/{}/syscall", tid);
  for (int i = 0; i < kTries; ++i) {
    const os::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.valid()) return {};
    std::array<char, 256> line = {};
    const ssize_t count = ::read(file.get(), line.data(), line.size());
    if (count <= 0) return {};
    const std::string_view text(line.data(), static_cast<size_t>(count));
    if (!text.starts_with("running")) return std::string(text);
    ::sched_yield();
  }
  return {};
}

}  // namespace

std::optional<uint64_t> bytes_of_system_call(std::string_view line) {
  const std::string_view word = next_word(line);
  long number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  for (const WritingCall& call : kWritingCalls) {
    if (call.number != number) continue;
    if (call.argument == kUnsaid) return kAssumedWriteBytes;
    return hex_argument(line, call.argument).value_or(kAssumedWriteBytes);
  }
  return std::nullopt;
}

std::optional<uint64_t> bytes_being_written(uint32_t tid) {
  return bytes_of_system_call(system_call_of(tid));
}

bool is_surely_writing(uint32_t tid) {
  const std::string line = system_call_of(tid);
  constexpr std::array kOnlyWrites = {SYS_write, SYS_pwrite64, SYS_writev, SYS_pwritev,
                                      SYS_pwritev2};
  return std::ranges::any_of(
      kOnlyWrites, [&](long number) { return line.starts_with(fmt::format("{} ", number)); });
}

}  // namespace nacre::mount
