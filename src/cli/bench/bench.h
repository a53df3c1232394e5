// `nacre bench`: how fast a directory is, whatever file system it lies on. Each row makes what it
// needs in a work directory of its own below the given one and measures one kind of operation with
// plain system calls; at the end everything is taken away again.
//
// Before each row all that was written is made durable, so that no row pays for the one before. A
// cold row also drops the kernel's pages, dentries and inodes, which needs root; without it the
// pages of the files alone are dropped and the row is marked lukewarm.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/units.h"

namespace nacre::cli::bench {

struct Options {
  uint64_t files = 1500;             // operations of each row on names, small files and appends
  uint64_t size_bytes = 256 * kMiB;  // length of the large file; whole pages of 4 KiB are used
  uint64_t threads = 8;              // of the row `create_parallel`; each makes `files` files
  std::vector<std::string> only;     // names of rows; empty: all
  uint64_t seed = 1;                 // of the order of cold and random accesses, and the content
  std::string cold_command;          // run by /bin/sh before each cold row, after everything is
                                     // durable and while no file is open: may mount anew
  // Set it from anywhere, a signal handler too, to end early. May be null.
  const std::atomic<bool>* stop = nullptr;
};

// What the kernel's caches held when the row began.
enum class Caches {
  kWarm,      // whatever the preparation of the row left there
  kCold,      // nothing
  kLukewarm,  // should have been cold, but dropping the caches was not permitted
};
std::string_view name_of(Caches caches);

struct Latency {
  double p50_us = 0;
  double p99_us = 0;
};

struct Row {
  std::string name;   // stable: for --only and JSON
  std::string title;  // for people
  std::string unit;   // of `value`: "ops/s" or "MiB/s"
  double value = 0;
  uint64_t count = 0;  // operations in `seconds`, over all threads
  uint64_t bytes = 0;  // read or written; 0 for operations on names
  double seconds = 0;
  std::optional<Latency> latency;  // of one operation, where each is timed
  Caches caches = Caches::kWarm;
  std::string includes;  // exactly what one operation is and what else the time holds
};

struct Step {
  std::string title;  // of the row at work
  size_t index = 0;   // from 0
  size_t rows = 0;
  bool measuring = false;  // false: preparing
};
// Called in the thread that called run(), twice for each row.
using Progress = std::function<void(const Step&)>;

// Every row in the order of a run, not measured: for lists and help.
std::vector<Row> all_rows();

// Measures `directory` and leaves it as it was, on errors too. kInvalid for options that make no
// sense or an unknown row; otherwise what the file system answered, with the path. When
// `options.stop` was set: kBusy.
Result<std::vector<Row>> run(const std::string& directory, const Options& options,
                             const Progress& progress);

}  // namespace nacre::cli::bench
