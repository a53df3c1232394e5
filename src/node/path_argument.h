// From a path as a user gave it to what it names in a volume: below a mount of the present, below
// one of the past, or below `.nacre` of either.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "node/commands.h"
#include "node/path_history.h"

namespace nacre::node {

struct PathArgument {
  PathComponents path;         // from the root of the volume
  std::optional<Sequence> at;  // the moment through which it was seen; none: the present
};

// From the arguments `name`, the path below the mount or the volume, and `mountpoints_name`, where
// the file system of that mount is mounted (none: the path is one of the present). kNotFound when
// we serve none of them; errors of resolving the moment.
Result<PathArgument> path_argument(Call& call, std::string_view name,
                                   std::string_view mountpoints_name);

// Takes `.nacre/at/WHEN` and `.nacre/snapshots/NAME` off the front of a path of the present.
Result<PathArgument> strip_view(Call& call, PathComponents path);

// The commit that a moment, as users write it, means.
Result<Sequence> moment_argument(Call& call, std::string_view when);

}  // namespace nacre::node
