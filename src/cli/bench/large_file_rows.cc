// One large file, from end to end and at random.
#include <fcntl.h>

#include <algorithm>
#include <array>
#include <utility>

#include "cli_bench/file.h"
#include "cli_bench/rows.h"

namespace nacre::cli::bench {
namespace {

constexpr uint64_t kMaxRandomAccesses = 16384;

uint64_t pages(const Scene& scene) { return scene.options.size_bytes / kPageBytes; }

// Makes the large file, durable. The time holds all of it, open to close.
Result<Measured> write_all(Scene& scene) {
  Measured measured;
  const int64_t start_ns = scene.stopwatch.now_ns();
  File file = TRY(File::open(scene.data_path, O_CREAT | O_EXCL | O_WRONLY));
  for (uint64_t left = pages(scene) * kPageBytes; left > 0; ++measured.count) {
    TRY(scene.stopwatch.go_on());
    const ByteView chunk = scene.noise.next(std::min(left, kChunkBytes));
    TRY(file.write(chunk));
    left -= chunk.size();
  }
  TRY(file.sync());
  TRY(file.close());
  measured.elapsed_ns = scene.stopwatch.now_ns() - start_ns;
  measured.bytes = pages(scene) * kPageBytes;
  return measured;
}

Status make_data(Scene& scene) {
  if (File::open(scene.data_path, O_RDONLY).ok()) return {};
  TRY(write_all(scene));
  return {};
}

Result<Measured> read_all(Scene& scene) {
  std::string buffer(kChunkBytes, '\0');
  Measured measured;
  const int64_t start_ns = scene.stopwatch.now_ns();
  File file = TRY(File::open(scene.data_path, O_RDONLY));
  while (const size_t length = TRY(file.read(as_writable_bytes(buffer)))) {
    TRY(scene.stopwatch.go_on());
    measured.bytes += length;
    ++measured.count;
  }
  TRY(file.close());
  measured.elapsed_ns = scene.stopwatch.now_ns() - start_ns;
  return measured;
}

Result<Measured> read_again(Scene& scene) {
  TRY(read_all(scene));
  return read_all(scene);
}

std::vector<uint64_t> random_pages(const Scene& scene) {
  return distinct_numbers(scene.options.seed, kMaxRandomAccesses, pages(scene));
}

Result<Measured> random_read(Scene& scene) {
  const std::vector<uint64_t> order = random_pages(scene);
  std::string buffer(kPageBytes, '\0');
  File file = TRY(File::open(scene.data_path, O_RDONLY));
  Measured measured = TRY(scene.stopwatch.time_each(order.size(), [&](uint64_t index) {
    return file.read_at(as_writable_bytes(buffer), order[index] * kPageBytes);
  }));
  measured.bytes = measured.count * kPageBytes;
  return measured;
}

Result<Measured> random_write(Scene& scene) {
  const std::vector<uint64_t> order = random_pages(scene);
  File file = TRY(File::open(scene.data_path, O_WRONLY));
  const int64_t start_ns = scene.stopwatch.now_ns();
  Measured measured = TRY(scene.stopwatch.time_each(order.size(), [&](uint64_t index) {
    return file.write_at(scene.noise.next(kPageBytes), order[index] * kPageBytes);
  }));
  TRY(file.sync());
  measured.elapsed_ns = scene.stopwatch.now_ns() - start_ns;
  measured.bytes = measured.count * kPageBytes;
  return measured;
}

constexpr std::array kRecipes = {
    Recipe{"seq_write_fsync", "sequential write with fsync", "MiB/s", false, prepare_nothing,
           write_all, "open of a new file, writes of 1 MiB, one fsync at the end, close"},
    Recipe{"seq_read_cold", "sequential read, cold", "MiB/s", true, make_data, read_all,
           "open, reads of 1 MiB to the end, close"},
    Recipe{"seq_read_warm", "sequential read, warm", "MiB/s", false, make_data, read_again,
           "the same, right after a first time: open, reads of 1 MiB to the end, close"},
    Recipe{
        "random_read", "random 4 KiB reads, cold", "ops/s", true, make_data, random_read,
        "pread of 4 KiB at page boundaries, no page twice, at most 16384; open and close not in"},
    Recipe{
        "random_write", "random 4 KiB writes", "ops/s", false, make_data, random_write,
        "pwrite of 4 KiB over existing pages, no page twice, at most 16384, and one fsync at the "
        "end; open and close not in"},
};

}  // namespace

std::span<const Recipe> large_file_recipes() { return kRecipes; }

}  // namespace nacre::cli::bench
