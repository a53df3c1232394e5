#include "node/path_argument.h"

#include <fmt/format.h>

#include <algorithm>

#include "fs/mounted_tree.h"
#include "meta/moments.h"

namespace nacre::node {
namespace {

// The mount, of those that we serve, that is mounted at one of the places.
Result<MountState> find_mount(Call& call, const std::vector<std::string>& mountpoints) {
  if (call.mounts != nullptr) {
    for (const MountState& mount : call.mounts->list()) {
      if (std::ranges::find(mountpoints, mount.mountpoint) != mountpoints.end()) return mount;
    }
  }
  return Error(Code::kNotFound, fmt::format("the process that has {} open does not serve {}",
                                            call.directory.path(), mountpoints.front()));
}

}  // namespace

Result<Sequence> moment_argument(Call& call, std::string_view when) {
  const meta::When parsed = TRY(meta::parse_when(when, call.volume().clock().now()));
  return meta::resolve(call.directory.rows(), parsed);
}

Result<PathArgument> strip_view(Call& call, PathComponents path) {
  if (path.empty() || path[0] != fs::kHiddenName) return PathArgument{std::move(path), {}};
  if (path.size() < 3 || (path[1] != "at" && path[1] != "snapshots")) {
    return Error(Code::kInvalid, join_path(path) + " is made by Nacre and has no history");
  }
  meta::When when;
  when.name = path[2];
  if (path[1] == "at") when = TRY(meta::parse_when(path[2], call.volume().clock().now()));
  const Sequence at = TRY(meta::resolve(call.directory.rows(), when));
  path.erase(path.begin(), path.begin() + 3);
  return PathArgument{std::move(path), at};
}

Result<PathArgument> path_argument(Call& call, std::string_view name,
                                   std::string_view mountpoints_name) {
  PathComponents path = TRY(split_path(TRY(call.arguments.text(name))));
  const std::vector<std::string> mountpoints = TRY(call.arguments.texts(mountpoints_name));
  if (mountpoints.empty()) return strip_view(call, std::move(path));
  const MountState mount = TRY(find_mount(call, mountpoints));
  if (mount.at) return PathArgument{std::move(path), mount.at};
  return strip_view(call, std::move(path));
}

}  // namespace nacre::node
