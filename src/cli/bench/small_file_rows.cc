// Files of 4 KiB, and a log that grows by 4 KiB.
#include <fcntl.h>

#include <array>
#include <utility>

#include "cli_bench/file.h"
#include "cli_bench/rows.h"

namespace nacre::cli::bench {
namespace {

Result<Measured> file_write(Scene& scene) {
  const File directory = TRY(open_directory(scene.directory));
  const std::vector<std::string> names = numbered_names('f', scene.options.files);
  Measured measured = TRY(scene.stopwatch.time_each(names.size(), [&](uint64_t index) -> Status {
    File file = TRY(directory.open_in(names[index], O_CREAT | O_EXCL | O_WRONLY));
    TRY(file.write(scene.noise.next(kPageBytes)));
    return file.close();
  }));
  measured.bytes = measured.count * kPageBytes;
  return measured;
}

Status make_small_files(Scene& scene) { return make_files(scene, kPageBytes); }

Result<Measured> file_read_cold(Scene& scene) {
  const std::vector<std::string> names = shuffled_names(scene);
  const File directory = TRY(open_directory(scene.directory));
  std::string buffer(kPageBytes, '\0');
  Measured measured = TRY(scene.stopwatch.time_each(names.size(), [&](uint64_t index) -> Status {
    File file = TRY(directory.open_in(names[index], O_RDONLY));
    TRY(file.read_at(as_writable_bytes(buffer), 0));
    return file.close();
  }));
  measured.bytes = measured.count * kPageBytes;
  return measured;
}

Result<Measured> append_fsync(Scene& scene) {
  File log = TRY(File::open(scene.directory + "/log", O_CREAT | O_WRONLY | O_APPEND));
  Measured measured = TRY(scene.stopwatch.time_each(scene.options.files, [&](uint64_t) -> Status {
    TRY(log.write(scene.noise.next(kPageBytes)));
    return log.sync();
  }));
  measured.bytes = measured.count * kPageBytes;
  TRY(log.close());
  return measured;
}

constexpr std::array kRecipes = {
    Recipe{"file_write", "4 KiB files written", "ops/s", false, prepare_nothing, file_write,
           "open(O_CREAT|O_EXCL) of a new name, one write of 4 KiB, close; no fsync"},
    Recipe{"file_read_cold", "4 KiB files read cold", "ops/s", true, make_small_files,
           file_read_cold, "open, one read of 4 KiB, close, in random order"},
    Recipe{"append_fsync", "4 KiB appends with fsync", "ops/s", false, prepare_nothing,
           append_fsync, "one write of 4 KiB with O_APPEND and fsync, on one open file"},
};

}  // namespace

std::span<const Recipe> small_file_recipes() { return kRecipes; }

}  // namespace nacre::cli::bench
