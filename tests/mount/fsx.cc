// fsx: random reads, writes, truncates, mapped I/O, holes and copies on one file, each compared
// with a copy in memory. Works on any file system; a difference prints the step, the offset and the
// seed that replays it.
//
//   fsx FILE [--seed N] [--steps N] [--size BYTES]
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/falloc.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr size_t kPage = 4096;

struct Options {
  std::string path;
  uint64_t seed = 1;
  uint64_t steps = 10'000;
  size_t size = 1 << 20;
};

class Exerciser {
 public:
  explicit Exerciser(const Options& options)
      : options_(options),
        random_(options.seed),
        file_(::open(options.path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0644)) {
    if (file_ < 0) fail("open");
  }
  ~Exerciser() { ::close(file_); }

  void run() {
    for (step_ = 0; step_ < options_.steps; ++step_) {
      switch (pick(12)) {
        case 0:
        case 1:
          write();
          break;
        case 2:
          mapped_write();
          break;
        case 3:
          read();
          break;
        case 4:
          mapped_read();
          break;
        case 5:
          truncate();
          break;
        case 6:
          punch(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, "punch");
          break;
        case 7:
          punch(FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, "zero range");
          break;
        case 8:
          allocate();
          break;
        case 9:
          copy();
          break;
        case 10:
          seek();
          break;
        default:
          sync();
          break;
      }
      check_size();
    }
    check(0, expected_.size());
  }

 private:
  [[noreturn]] void fail(std::string_view what) {
    fmt::print(stderr, "fsx: {}: {} at step {} (errno {}); replay with --seed {} --steps {}\n",
               options_.path, what, step_, errno, options_.seed, step_ + 1);
    std::exit(1);
  }
  size_t pick(size_t below) { return std::uniform_int_distribution<size_t>(0, below - 1)(random_); }
  std::pair<size_t, size_t> range(size_t limit) {
    const size_t offset = pick(limit);
    const size_t largest =
        std::min(limit - offset, pick(4) == 0 ? size_t{256 * 1024} : size_t{20'000});
    return {offset, 1 + pick(largest)};
  }
  std::vector<char> fresh(size_t length) {
    std::vector<char> bytes(length);
    for (char& byte : bytes) byte = static_cast<char>(1 + pick(255));
    return bytes;
  }
  void store(size_t offset, const std::vector<char>& bytes) {
    if (offset + bytes.size() > expected_.size()) expected_.resize(offset + bytes.size());
    std::copy(bytes.begin(), bytes.end(), expected_.begin() + static_cast<ptrdiff_t>(offset));
  }

  void write() {
    const auto [offset, length] = range(options_.size);
    const auto bytes = fresh(length);
    if (::pwrite(file_, bytes.data(), length, static_cast<off_t>(offset)) !=
        static_cast<ssize_t>(length))
      fail("write");
    store(offset, bytes);
  }
  void mapped_write() {
    if (expected_.empty()) return;
    const auto [offset, length] = range(expected_.size());
    with_map(offset, length, PROT_READ | PROT_WRITE, [&](char* at) {
      const auto bytes = fresh(length);
      std::memcpy(at, bytes.data(), length);
      store(offset, bytes);
    });
  }
  void mapped_read() {
    if (expected_.empty()) return;
    const auto [offset, length] = range(expected_.size());
    with_map(offset, length, PROT_READ, [&](char* at) {
      if (std::memcmp(at, expected_.data() + offset, length) != 0) fail("mapped read differs");
    });
  }
  template <class Body>
  void with_map(size_t offset, size_t length, int protection, Body body) {
    const size_t start = offset / kPage * kPage;
    const size_t bytes = offset + length - start;
    void* map = ::mmap(nullptr, bytes, protection, MAP_SHARED, file_, static_cast<off_t>(start));
    if (map == MAP_FAILED) fail("mmap");
    body(static_cast<char*>(map) + (offset - start));
    if ((protection & PROT_WRITE) != 0 && pick(2) == 0 && ::msync(map, bytes, MS_SYNC) != 0)
      fail("msync");
    if (::munmap(map, bytes) != 0) fail("munmap");
  }
  void read() {
    if (expected_.empty()) return;
    const auto [offset, length] = range(expected_.size());
    check(offset, length);
  }
  void check(size_t offset, size_t length) {
    std::vector<char> bytes(length);
    if (::pread(file_, bytes.data(), length, static_cast<off_t>(offset)) !=
        static_cast<ssize_t>(length)) {
      fail("short read");
    }
    const auto [found, wanted] = std::mismatch(bytes.begin(), bytes.end(),
                                               expected_.begin() + static_cast<ptrdiff_t>(offset));
    if (found == bytes.end()) return;
    fail(fmt::format("read differs at byte {}: {:#x} where {:#x} was written",
                     offset + static_cast<size_t>(found - bytes.begin()),
                     static_cast<unsigned char>(*found), static_cast<unsigned char>(*wanted)));
  }
  void truncate() {
    const size_t size = pick(options_.size);
    if (::ftruncate(file_, static_cast<off_t>(size)) != 0) fail("truncate");
    expected_.resize(size);
  }
  void punch(int mode, std::string_view name) {
    const auto [offset, length] = range(options_.size);
    if (::fallocate(file_, mode, static_cast<off_t>(offset), static_cast<off_t>(length)) != 0)
      fail(name);
    const size_t end = std::min(offset + length, expected_.size());
    if (offset < end)
      std::fill(expected_.begin() + static_cast<ptrdiff_t>(offset),
                expected_.begin() + static_cast<ptrdiff_t>(end), 0);
  }
  void allocate() {
    const auto [offset, length] = range(options_.size);
    const bool keep = pick(2) == 0;
    if (::fallocate(file_, keep ? FALLOC_FL_KEEP_SIZE : 0, static_cast<off_t>(offset),
                    static_cast<off_t>(length)) != 0) {
      fail("allocate");
    }
    if (!keep && offset + length > expected_.size()) expected_.resize(offset + length);
  }
  void copy() {
    if (expected_.empty()) return;
    const auto [from, length] = range(expected_.size());
    const size_t to = pick(options_.size - length + 1);
    if (from < to + length && to < from + length) return;  // overlapping ranges are refused
    auto in = static_cast<off_t>(from);
    auto out = static_cast<off_t>(to);
    const ssize_t copied = ::copy_file_range(file_, &in, file_, &out, length, 0);
    if (copied < 0) fail("copy_file_range");
    const auto begin = expected_.begin() + static_cast<ptrdiff_t>(from);
    store(to, std::vector<char>(begin, begin + copied));
  }
  // Holes may be reported as data, but never data as a hole.
  void seek() {
    if (expected_.empty()) return;
    const size_t offset = pick(expected_.size());
    const off_t data = ::lseek(file_, static_cast<off_t>(offset), SEEK_DATA);
    if (data < 0 && errno != ENXIO) fail("seek data");
    const size_t until = data < 0 ? expected_.size() : static_cast<size_t>(data);
    if (until < offset || until > expected_.size()) fail("seek data goes astray");
    for (size_t at = offset; at < until; ++at) {
      if (expected_[at] != 0) fail(fmt::format("seek skips data at byte {}", at));
    }
    const off_t hole = ::lseek(file_, static_cast<off_t>(offset), SEEK_HOLE);
    if (hole < static_cast<off_t>(offset) || hole > static_cast<off_t>(expected_.size()))
      fail("seek hole goes astray");
  }
  void sync() {
    if (pick(8) == 0 && ::fsync(file_) != 0) fail("fsync");
    if (pick(8) == 0 && ::posix_fadvise(file_, 0, 0, POSIX_FADV_DONTNEED) != 0) fail("fadvise");
  }
  void check_size() {
    struct stat status = {};
    if (::fstat(file_, &status) != 0) fail("fstat");
    if (static_cast<size_t>(status.st_size) != expected_.size()) {
      fail(fmt::format("size is {} where {} was expected", status.st_size, expected_.size()));
    }
  }

  const Options options_;
  std::mt19937_64 random_;
  const int file_;
  uint64_t step_ = 0;
  std::vector<char> expected_;
};

bool parse(int count, char** words, Options& options) {
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    if (!word.starts_with("--")) {
      options.path = word;
      continue;
    }
    if (i + 1 == count) return false;
    const uint64_t value = std::strtoull(words[++i], nullptr, 10);
    if (word == "--seed")
      options.seed = value;
    else if (word == "--steps")
      options.steps = value;
    else if (word == "--size")
      options.size = std::max<uint64_t>(value, 2 * kPage);
    else
      return false;
  }
  return !options.path.empty();
}

}  // namespace

int main(int count, char** words) {
  Options options;
  if (!parse(count, words, options)) {
    fmt::print(stderr, "usage: fsx FILE [--seed N] [--steps N] [--size BYTES]\n");
    return 2;
  }
  Exerciser(options).run();
  return 0;
}
