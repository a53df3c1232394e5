#include "cli/target.h"

#include <fmt/format.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <optional>

#include "base/errno.h"
#include "node/superblock_files.h"

namespace nacre::cli {
namespace {

std::optional<std::string> real_path(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> resolved(::realpath(path.c_str(), nullptr), ::free);
  if (resolved == nullptr) return std::nullopt;
  return std::string(resolved.get());
}

std::string joined(const std::string& directory, std::string_view name) {
  return (directory == "/" ? "/" : directory + "/") + std::string(name);
}

// Appends names to a resolved directory, one by one, as they stand.
std::string appended(std::string directory, std::string_view names) {
  while (!names.empty()) {
    const size_t slash = names.find('/');
    const std::string_view name = names.substr(0, slash);
    names.remove_prefix(slash == std::string_view::npos ? names.size() : slash + 1);
    if (name.empty() || name == ".") continue;
    if (name == "..") {
      directory.erase(std::max<size_t>(directory.rfind('/'), 1));
    } else {
      directory = joined(directory, name);
    }
  }
  return directory;
}

// Whether a directory is a volume; kAccess when this user may not even look.
Result<bool> is_volume(const std::string& directory) {
  for (const char* name : {node::kSuperblockName, node::kSuperblockCopyName}) {
    struct stat status = {};
    if (::lstat(joined(directory, name).c_str(), &status) == 0) return true;
    if (errno == EACCES) return error_from_errno(errno, directory);
  }
  return false;
}

Target target_below(const std::vector<node::MountInfo>& table, const node::MountInfo& mount,
                    const std::string& path) {
  Target target;
  target.volume = mount.source;
  const std::string below =
      mount.mountpoint == "/" ? path.substr(1) : path.substr(mount.mountpoint.size());
  target.path = appended(mount.root, below);
  for (const node::MountInfo& other : table) {
    if (other.device == mount.device) target.mountpoints.push_back(other.mountpoint);
  }
  return target;
}

std::optional<Target> find_below_mounts(const std::vector<node::MountInfo>& table,
                                        const std::string& path) {
  const auto mount = node::mount_of(table, path);
  if (!mount || mount->type != node::kMountType) return std::nullopt;
  return target_below(table, *mount, path);
}

// DIR:PATH. A colon may be part of a name, so each is tried.
Result<std::optional<Target>> find_in_volume(const std::string& argument) {
  for (size_t colon = argument.find(':'); colon != std::string::npos;
       colon = argument.find(':', colon + 1)) {
    if (colon == 0) continue;
    const std::string directory = TRY(absolute_path(argument.substr(0, colon)));
    if (!TRY(is_volume(directory))) continue;
    Target target;
    target.volume = directory;
    target.path = appended("/", std::string_view(argument).substr(colon + 1));
    return std::optional(target);
  }
  return std::optional<Target>();
}

}  // namespace

Result<std::string> absolute_path(const std::string& path, LastName last) {
  if (path.empty()) return Error(Code::kInvalid, "an empty path names nothing");
  std::string whole = path;
  if (!path.starts_with('/')) {
    const std::unique_ptr<char, void (*)(void*)> here(::getcwd(nullptr, 0), ::free);
    if (here == nullptr) return error_from_errno(errno, "the current directory");
    whole = joined(here.get(), path);
  }
  while (whole.size() > 1 && whole.back() == '/') whole.pop_back();
  size_t end = whole.size();
  const std::string_view last_name = std::string_view(whole).substr(whole.rfind('/') + 1);
  const bool plain = last_name != ".." && last_name != "." && !last_name.empty();
  if (last == LastName::kKeep && plain) end = whole.rfind('/');
  // The longest part that exists; a mount whose process is gone does not.
  while (true) {
    const std::string existing = end == 0 ? "/" : whole.substr(0, end);
    if (const auto resolved = real_path(existing)) {
      return appended(*resolved, std::string_view(whole).substr(end));
    }
    if (end == 0) return error_from_errno(errno, "/");
    end = whole.rfind('/', end - 1);
  }
}

Result<Target> find_target(const std::string& argument, const std::vector<node::MountInfo>& table) {
  // A symlink in a volume is meant itself, one that leads into it is followed.
  for (const LastName last : {LastName::kKeep, LastName::kFollow}) {
    const std::string path = TRY(absolute_path(argument, last));
    if (auto target = find_below_mounts(table, path)) return std::move(*target);
  }
  const std::string path = TRY(absolute_path(argument));
  if (TRY(is_volume(path))) {
    Target target;
    target.volume = path;
    return target;
  }
  if (auto target = TRY(find_in_volume(argument))) return std::move(*target);
  return Error(
      Code::kNotFound,
      fmt::format("{} is neither a volume nor below a mounted one: `nacre status` lists what "
                  "is mounted, `nacre volume create` makes a volume",
                  argument));
}

Result<Target> find_target(const std::string& argument) {
  const std::vector<node::MountInfo> table = TRY(node::read_mount_table());
  return find_target(argument, table);
}

Result<std::string> find_volume(const std::string& argument) {
  return TRY(find_target(argument)).volume;
}

}  // namespace nacre::cli
