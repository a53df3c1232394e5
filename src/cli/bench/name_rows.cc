// Creating, looking up, renaming and removing files.
#include <fcntl.h>

#include <array>
#include <utility>

#include "cli_bench/file.h"
#include "cli_bench/rows.h"

namespace nacre::cli::bench {
namespace {

Result<Measured> create_in(const Scene& scene, const File& directory,
                           const std::vector<std::string>& names) {
  return scene.stopwatch.time_each(names.size(), [&](uint64_t index) -> Status {
    return TRY(directory.open_in(names[index], O_CREAT | O_EXCL | O_WRONLY)).close();
  });
}

Result<Measured> create(Scene& scene) {
  const File directory = TRY(open_directory(scene.directory));
  return create_in(scene, directory, numbered_names('f', scene.options.files));
}

std::string thread_directory(const Scene& scene, uint64_t thread) {
  return scene.directory + "/t" + std::to_string(thread);
}

Status make_thread_directories(Scene& scene) {
  for (uint64_t thread = 0; thread < scene.options.threads; ++thread) {
    TRY(make_directory(thread_directory(scene, thread)));
  }
  return {};
}

Result<Measured> create_parallel(Scene& scene) {
  const std::vector<std::string> names = numbered_names('f', scene.options.files);
  std::vector<File> directories;
  directories.reserve(scene.options.threads);
  for (uint64_t thread = 0; thread < scene.options.threads; ++thread) {
    directories.push_back(TRY(open_directory(thread_directory(scene, thread))));
  }
  return scene.stopwatch.time_threads(scene.options.threads, [&](uint64_t thread) {
    return create_in(scene, directories[thread], names);
  });
}

Status make_empty_files(Scene& scene) { return make_files(scene, 0); }

Result<Measured> stat_cold(Scene& scene) {
  const std::vector<std::string> names = shuffled_names(scene);
  const File directory = TRY(open_directory(scene.directory));
  return scene.stopwatch.time_each(names.size(),
                                   [&](uint64_t index) { return directory.stat_in(names[index]); });
}

Result<Measured> readdir_stat(Scene& scene) {
  const File directory = TRY(open_directory(scene.directory));
  Measured measured;
  const int64_t start_ns = scene.stopwatch.now_ns();
  TRY(for_each_name(scene.directory, [&](const char* name) -> Status {
    TRY(scene.stopwatch.go_on());
    ++measured.count;
    return directory.stat_in(name);
  }));
  measured.elapsed_ns = scene.stopwatch.now_ns() - start_ns;
  return measured;
}

// Gives the kernel's entries and attributes their full time to live.
Status look_up_all(const Scene& scene, const File& directory) {
  for (const std::string& name : numbered_names('f', scene.options.files)) {
    TRY(directory.stat_in(name));
  }
  return {};
}

Result<Measured> rename(Scene& scene) {
  const File directory = TRY(open_directory(scene.directory));
  TRY(look_up_all(scene, directory));
  const std::vector<std::string> from = numbered_names('f', scene.options.files);
  const std::vector<std::string> to = numbered_names('g', scene.options.files);
  return scene.stopwatch.time_each(
      from.size(), [&](uint64_t index) { return directory.rename_in(from[index], to[index]); });
}

Result<Measured> unlink(Scene& scene) {
  const File directory = TRY(open_directory(scene.directory));
  TRY(look_up_all(scene, directory));
  const std::vector<std::string> names = numbered_names('f', scene.options.files);
  return scene.stopwatch.time_each(
      names.size(), [&](uint64_t index) { return directory.unlink_in(names[index]); });
}

constexpr std::array kRecipes = {
    Recipe{"create", "creates, 1 thread", "ops/s", false, prepare_nothing, create,
           "open(O_CREAT|O_EXCL) of a new name and close, in one directory; no fsync"},
    Recipe{"create_parallel", "creates, {} threads", "ops/s", false, make_thread_directories,
           create_parallel,
           "the same on all threads at once, each in a directory of its own; no fsync"},
    Recipe{"stat_cold", "cold stat", "ops/s", true, make_empty_files, stat_cold,
           "stat of each file of one directory in random order"},
    Recipe{
        "readdir_stat", "readdir+stat", "ops/s", true, make_empty_files, readdir_stat,
        "opendir, readdir to the end with a stat after each entry, closedir; counted in entries"},
    Recipe{"rename", "rename", "ops/s", false, make_empty_files, rename,
           "rename to a free name within the directory; just looked up before; no fsync"},
};

constexpr std::array kRemovalRecipes = {
    Recipe{"unlink", "unlink", "ops/s", false, make_empty_files, unlink,
           "unlink of an empty file in the order of making; just looked up before; no fsync"},
};

}  // namespace

std::span<const Recipe> name_recipes() { return kRecipes; }
std::span<const Recipe> removal_recipes() { return kRemovalRecipes; }

}  // namespace nacre::cli::bench
