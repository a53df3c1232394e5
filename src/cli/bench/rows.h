// The rows of the benchmark: for each, what to make beforehand and what to time. A recipe keeps no
// files open between the two, since the caches may be dropped, or the file system mounted anew.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli_bench/bench.h"
#include "cli_bench/noise.h"
#include "cli_bench/timing.h"

namespace nacre::cli::bench {

// Where a row works. Belongs to the thread of the run.
struct Scene {
  const Options& options;
  const Stopwatch& stopwatch;
  Noise& noise;
  std::string directory;  // the row's own; exists and is empty before prepare
  std::string data_path;  // the large file, kept for the rows that follow
};

struct Recipe {
  const char* name;
  const char* title;  // {} stands for the number of threads
  const char* unit;
  bool cold;
  Status (*prepare)(Scene&);
  Result<Measured> (*measure)(Scene&);
  const char* includes;
};

// Operations on names, small files and the large file, and removal; in the order of a run. Nothing
// is removed before the rows that remove things, and those come last: ext4 passes over each inode
// freed in the last minutes whenever it makes a file.
std::span<const Recipe> name_recipes();
std::span<const Recipe> small_file_recipes();
std::span<const Recipe> large_file_recipes();
std::span<const Recipe> removal_recipes();

// "f000000", "f000001", … with the given first letter.
std::vector<std::string> numbered_names(char letter, uint64_t count);
// The same, in the order of the scene's seed.
std::vector<std::string> shuffled_names(const Scene& scene);
// `count` different numbers below `limit` in the order of the seed; all if limit ≤ count.
std::vector<uint64_t> distinct_numbers(uint64_t seed, uint64_t count, uint64_t limit);

// Nothing to prepare.
Status prepare_nothing(Scene& scene);
// options.files files of `length_bytes` (at most one page), with the names of numbered_names('f').
Status make_files(Scene& scene, uint64_t length_bytes);

}  // namespace nacre::cli::bench
