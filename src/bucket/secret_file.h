// Small files that hold secrets. Safe from any thread.
#pragma once

#include <string>

#include "base/result.h"

namespace nacre::bucket {

enum class Privacy {
  kRequired,  // a regular file of this user, which group and others may not even read
  kAny,       // other programs' files, whose mode is not ours to judge
};

// What the file holds, at most 64 KiB. kNotFound; kAccess; kInvalid says what is wrong with it and
// how to mend that. Mode and owner are those of the very file that is read.
Result<std::string> read_secret_file(const std::string& path, Privacy privacy);

}  // namespace nacre::bucket
