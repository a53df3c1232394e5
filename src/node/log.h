// Where the process's own words go: spdlog's default logger, which everything logs to, is set up
// here. Call before there are threads.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/units.h"

namespace nacre::node {

// What is worth a line: trace, debug, info, warn, error or off. The environment variable NACRE_LOG
// says it for one run, whatever else was said.
struct LogOptions {
  std::string level = "info";
  uint64_t file_bytes = 4 * kMiB;  // a file that gets longer is put aside for a new one
  uint64_t files = 5;              // that are kept, the newest among them

  bool operator==(const LogOptions&) const = default;
};

bool is_log_level(const std::string& word);
// What is wrong with them; empty: nothing.
std::string fault_of(const LogOptions& options);

// For a daemon in the foreground.
void log_to_stderr(const std::string& level = "info");
// For a command that opens a volume for itself: on standard error like its own messages, and by
// default only warnings.
void log_for_command();
// For a daemon in the background. `path` is the newest file, the others are PATH.1 and so on; those
// that are too many are removed. kIo when it cannot be written.
Status log_to_file(const std::string& path, const LogOptions& options = {});

}  // namespace nacre::node
