#include "cli/target.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "cli/mount_sync.h"
#include "node/control_client.h"
#include "node/mount_info.h"
#include "node/service.h"
#include "node/volume_directory.h"
#include "node/volume_paths.h"
#include "os/clock.h"
#include "os/random.h"

namespace nacre::cli {

namespace {

bool is_volume(const std::string& directory) {
  struct stat status = {};
  return ::stat((directory + "/nacre.volume").c_str(), &status) == 0 ||
         ::stat((directory + "/nacre.volume.bak").c_str(), &status) == 0;
}

std::string below(const std::string& path, const std::string& directory) {
  std::string rest = directory == "/" ? path.substr(1) : path.substr(directory.size());
  while (rest.starts_with('/')) rest.erase(0, 1);
  return "/" + rest;
}

Target target_below(const std::vector<node::MountInfo>& table, const node::MountInfo& mount,
                    const std::string& path) {
  Target target;
  target.volume = mount.source;
  target.path = mount.root == "/" ? below(path, mount.mountpoint)
                                  : mount.root + below(path, mount.mountpoint);
  target.mountpoint = mount.mountpoint;
  for (const node::MountInfo& other : table) {
    if (other.device == mount.device) target.mountpoints.push_back(other.mountpoint);
  }
  return target;
}

}  // namespace

// What is deleted, or lies behind a mount whose process is gone, cannot be resolved: its last
// existing ancestor is.
Result<std::string> absolute_path(const std::string& path) {
  if (path.empty()) return Error(Code::kInvalid, "an empty path names nothing");
  std::error_code failed;
  std::filesystem::path whole = std::filesystem::absolute(path, failed).lexically_normal();
  if (failed) return Error(Code::kInvalid, path + ": " + failed.message());
  std::filesystem::path rest;
  for (std::filesystem::path at = whole;; at = at.parent_path()) {
    const auto resolved = std::filesystem::canonical(at, failed);
    if (!failed) {
      whole = rest.empty() ? resolved : resolved / rest;
      break;
    }
    if (at == at.parent_path()) break;
    rest = rest.empty() ? at.filename() : at.filename() / rest;
  }
  std::string text = whole.string();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

Result<Target> find_target(const std::string& argument) {
  const std::string path = TRY(absolute_path(argument));
  const auto table = TRY(node::read_mount_table());
  const auto mount = node::mount_of(table, path);
  if (mount && mount->type == node::kMountType) return target_below(table, *mount, path);
  Target target;
  if (is_volume(path)) {
    target.volume = path;
    return target;
  }
  if (const size_t colon = argument.find(':'); colon != std::string::npos) {
    const std::string directory = TRY(absolute_path(argument.substr(0, colon)));
    if (is_volume(directory)) {
      target.volume = directory;
      target.path = below("/" + argument.substr(colon + 1), "/");
      return target;
    }
  }
  return Error(Code::kNotFound,
               argument +
                   " is neither a volume nor below a mounted one: make a volume with "
                   "`nacre volume create`, or mount it with `nacre mount`");
}

Result<std::string> find_volume(const std::string& argument) {
  return TRY(find_target(argument)).volume;
}

Result<node::Json> ask(const std::string& volume, const node::Request& request,
                       node::Events& events, bool read_only) {
  auto client = node::ControlClient::connect(node::socket_path(volume));
  if (client.ok()) return (*client)->call(request, events);
  if (client.code() != Code::kNotFound) return client.error();
  const device::Host host{os::real_file_system(), os::real_clock(), os::real_random()};
  auto directory = TRY(node::VolumeDirectory::open(host, volume, {.read_only = read_only}));
  Result<node::Json> answer = Code::kIo;
  {
    node::Service service(*directory, nullptr);
    answer = service.handle(request, events);
  }
  TRY(directory->close());
  return answer;
}

}  // namespace nacre::cli
