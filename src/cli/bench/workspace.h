// The directory in which a run works, named .nacre-bench-XXXXXX below the one it measures. Whatever
// is in it goes with it, however the run ends; only a killed process leaves one behind. For one
// thread.
#pragma once

#include <string>

#include "base/result.h"

namespace nacre::cli::bench {

class Workspace {
 public:
  static Result<Workspace> create(const std::string& directory);
  // Removes what is left; silent about errors, which remove() reports.
  ~Workspace();
  Workspace(Workspace&& other) noexcept;
  Workspace& operator=(Workspace&&) = delete;

  const std::string& path() const { return path_; }
  Status remove();

 private:
  explicit Workspace(std::string path) : path_(std::move(path)) {}

  std::string path_;  // empty once removed or moved from
};

// Removes `path` and everything below it.
Status remove_tree(const std::string& path);

}  // namespace nacre::cli::bench
