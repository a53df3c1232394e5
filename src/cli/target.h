// From what a user points at (a volume's directory, a mountpoint, a file below one) to the volume
// it is in.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "node/protocol.h"

namespace nacre::cli {

struct Target {
  std::string volume;                    // its directory, absolute
  std::string path = "/";                // below the mount, or the volume's root
  std::vector<std::string> mountpoints;  // where that mount is; empty when given by DIR:PATH
  std::string mountpoint;                // the one that leads to the path; empty likewise
};

// A mountpoint or a path below one, existing or not; the directory of a volume; or DIR:PATH, a path
// in the volume of the directory DIR. kNotFound says what is missing.
Result<Target> find_target(const std::string& argument);
// The directory of a volume itself, from it or from one of its mountpoints.
Result<std::string> find_volume(const std::string& argument);
// Absolute and without symlinks, as far as it exists; the rest as it stands.
Result<std::string> absolute_path(const std::string& path);

// Asks the process that has the volume open; with none, opens it here for this one request.
// `read_only` opens it so in that case.
Result<node::Json> ask(const std::string& volume, const node::Request& request,
                       node::Events& events, bool read_only);

}  // namespace nacre::cli
