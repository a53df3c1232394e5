#include "model/isolated.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "base/check.h"

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

// What the processes share.
class Shared {
 public:
  explicit Shared(size_t workers) : count_(workers + 2) {
    void* const memory = ::mmap(nullptr, count_ * sizeof(Number), PROT_READ | PROT_WRITE,
                                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    numbers_ = static_cast<Number*>(memory);
  }
  ~Shared() { ::munmap(numbers_, count_ * sizeof(Number)); }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;

  using Number = std::atomic<uint64_t>;
  // Nobody works on this number yet, nor on those above.
  Number& next() const { return numbers_[0]; }
  Number& done() const { return numbers_[1]; }
  // The number that a worker is at, plus one; 0: it has ended.
  Number& at(size_t worker) const { return numbers_[2 + worker]; }

 private:
  const size_t count_;
  Number* numbers_ = nullptr;
};

void say_done(std::string_view what, uint64_t done, uint64_t count) {
  const uint64_t tenths = done * 10 / count;
  if (tenths == (done - 1) * 10 / count) return;
  send(STDERR_FILENO, fmt::format("{}: {} of {}\n", what, done, count));
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

std::optional<uint64_t> find_failure(std::string_view what, uint64_t first, uint64_t count,
                                     unsigned per_processor,
                                     const std::function<std::string(uint64_t)>& body) {
  const auto processors = static_cast<size_t>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
  const size_t workers = std::min<size_t>(processors * per_processor, count);
  const Shared shared(workers);
  shared.next() = first;
  for (size_t worker = 0; worker < workers; ++worker) {
    if (::fork() != 0) continue;
    for (uint64_t n = 0; (n = shared.next()++) < first + count;) {
      shared.at(worker) = n + 1;
      if (const std::string wrong = body(n); !wrong.empty()) {
        send(STDERR_FILENO, fmt::format("{}: {} fails {}\n", what, n, wrong));
        ::_exit(1);
      }
      say_done(what, shared.done()++ + 1, count);
    }
    shared.at(worker) = 0;
    ::_exit(0);
  }
  for (size_t worker = 0; worker < workers; ++worker) {
    int status = 0;
    ::wait(&status);
    if (status != 0) shared.next() = first + count;  // the others need not go on
  }
  std::optional<uint64_t> failed;
  for (size_t worker = 0; worker < workers; ++worker) {
    const uint64_t at = shared.at(worker);
    if (at != 0) failed = std::min(failed.value_or(UINT64_MAX), at - 1);
  }
  return failed;
}

}  // namespace nacre::model
