#include "model/isolated.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <vector>

namespace nacre::model {

namespace {

void send(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count <= 0) return;
    text.remove_prefix(static_cast<size_t>(count));
  }
}

std::string receive(int fd) {
  std::string text;
  char part[4096];
  for (ssize_t count = 0; (count = ::read(fd, part, sizeof(part))) > 0;) {
    text.append(part, static_cast<size_t>(count));
  }
  return text;
}

}  // namespace

std::string run_isolated(const std::function<std::string()>& body) {
  int ends[2];
  if (::pipe(ends) != 0) return "no pipe";
  const pid_t child = ::fork();
  if (child < 0) return "no process";
  if (child == 0) {
    ::close(ends[0]);
    send(ends[1], body());
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string text = receive(ends[0]);
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) return std::string("died: ") + ::strsignal(WTERMSIG(status));
  if (WEXITSTATUS(status) != 0) return "exited with " + std::to_string(WEXITSTATUS(status));
  return text;
}

std::optional<uint64_t> find_failure(uint64_t first, uint64_t count,
                                     const std::function<bool(uint64_t)>& body) {
  const auto shards = static_cast<uint64_t>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
  // Which number each shard is at, plus one; 0: all done.
  const size_t bytes = shards * sizeof(std::atomic<uint64_t>);
  void* const shared =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  auto* const at = static_cast<std::atomic<uint64_t>*>(shared);
  std::vector<pid_t> children;
  for (uint64_t shard = 0; shard < shards; ++shard) {
    at[shard] = first + shard + 1;
    const pid_t child = ::fork();
    if (child == 0) {
      for (uint64_t n = first + shard; n < first + count; n += shards) {
        at[shard] = n + 1;
        if (!body(n)) ::_exit(1);
      }
      at[shard] = 0;
      ::_exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) ::waitpid(child, nullptr, 0);
  std::optional<uint64_t> failed;
  for (uint64_t shard = 0; shard < shards; ++shard) {
    if (at[shard] != 0) failed = std::min(failed.value_or(UINT64_MAX), at[shard] - 1);
  }
  ::munmap(shared, bytes);
  return failed;
}

}  // namespace nacre::model
