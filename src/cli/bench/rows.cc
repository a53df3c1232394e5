#include "cli_bench/rows.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "cli_bench/file.h"
#include "os/random.h"

namespace nacre::cli::bench {

std::vector<std::string> numbered_names(char letter, uint64_t count) {
  std::vector<std::string> names;
  names.reserve(count);
  for (uint64_t number = 0; number < count; ++number) {
    names.push_back(fmt::format("{}{:06}", letter, number));
  }
  return names;
}

std::vector<uint64_t> distinct_numbers(uint64_t seed, uint64_t count, uint64_t limit) {
  std::vector<uint64_t> numbers(limit);
  std::iota(numbers.begin(), numbers.end(), uint64_t{0});
  os::SeededRandom random(seed);
  for (uint64_t at = 0; at < std::min(count, limit); ++at) {
    std::swap(numbers[at], numbers[at + random.next() % (limit - at)]);
  }
  numbers.resize(std::min(count, limit));
  return numbers;
}

std::vector<std::string> shuffled_names(const Scene& scene) {
  const uint64_t count = scene.options.files;
  const std::vector<std::string> names = numbered_names('f', count);
  std::vector<std::string> shuffled;
  shuffled.reserve(count);
  for (const uint64_t number : distinct_numbers(scene.options.seed, count, count)) {
    shuffled.push_back(names[number]);
  }
  return shuffled;
}

Status prepare_nothing(Scene&) { return {}; }

Status make_files(Scene& scene, uint64_t length_bytes) {
  const File directory = TRY(open_directory(scene.directory));
  for (const std::string& name : numbered_names('f', scene.options.files)) {
    TRY(scene.stopwatch.go_on());
    File file = TRY(directory.open_in(name, O_CREAT | O_EXCL | O_WRONLY));
    if (length_bytes > 0) TRY(file.write(scene.noise.next(length_bytes)));
    TRY(file.close());
  }
  return {};
}

}  // namespace nacre::cli::bench
