// The state of the machine before a row is timed.
#pragma once

#include <string>

#include "base/result.h"
#include "cli_bench/bench.h"

namespace nacre::cli::bench {

// Makes everything below `directory` durable, as far down as one machine can tell: fsync of the
// directory (for a FUSE file system it stands for the whole volume), then sync(2) twice, since what
// the first hands to a FUSE daemon may become dirty in the file system below.
Status settle(const std::string& directory);

// Before the first row: settles, and drops what the kernel remembers of earlier work, inodes freed
// a moment ago for one, so that a run right after another starts like the first. Does what it may.
Status start_afresh(const std::string& directory);

// After settle(): empties the kernel's caches, those of a file system below a FUSE daemon too, and
// waits until the daemon has digested that. Where that is not permitted it drops the pages of
// every file below `directory` and returns kLukewarm.
Result<Caches> drop_caches(const std::string& directory);

}  // namespace nacre::cli::bench
