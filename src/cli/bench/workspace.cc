#include "cli_bench/workspace.h"

#include <stdlib.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/errno.h"

namespace nacre::cli::bench {

Result<Workspace> Workspace::create(const std::string& directory) {
  std::string path = directory + "/.nacre-bench-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) {
    return error_from_errno(errno, "make a work directory in " + directory);
  }
  return Workspace(std::move(path));
}

Workspace::~Workspace() { static_cast<void>(remove().ok()); }

Workspace::Workspace(Workspace&& other) noexcept : path_(std::exchange(other.path_, {})) {}

Status Workspace::remove() {
  if (path_.empty()) return {};
  return remove_tree(std::exchange(path_, {}));
}

Status remove_tree(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) return error_from_errno(error.value(), "remove " + path);
  return {};
}

}  // namespace nacre::cli::bench
