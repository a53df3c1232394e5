// Where the process's own words go: spdlog's default logger, which everything logs to, is set up
// here. Call before there are threads.
#pragma once

#include <string>

#include "base/result.h"

namespace nacre::node {

// All: what is worth a line is said by the environment variable NACRE_LOG: trace, debug, info (the
// default), warn, error or off.

// For a daemon in the foreground.
void log_to_stderr();
// For a command that opens a volume for itself: on standard error like its own messages, and by
// default only warnings.
void log_for_command();
// For a daemon in the background. Five files of up to 4 MiB, `path` the newest. kIo when it cannot
// be written.
Status log_to_file(const std::string& path);

}  // namespace nacre::node
