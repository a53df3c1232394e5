// The results of a run as text for people and as JSON for programs. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "cli_bench/bench.h"

namespace nacre::cli::bench {

// One line per row under a heading, columns aligned; ends with what makes a lukewarm row so, if
// there is one.
std::string format_table(const std::vector<Row>& rows);

// One object: "directory", "options" {files, size_bytes, threads, seed} and "rows", an array of
// {name, title, unit, value, count, bytes, seconds, p50_us, p99_us, caches, includes}; the two
// latencies are null where operations are not timed singly. Fields may be added, never changed.
std::string to_json(const std::string& directory, const Options& options,
                    const std::vector<Row>& rows);

}  // namespace nacre::cli::bench
