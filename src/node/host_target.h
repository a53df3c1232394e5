// Restoring out of the volume: copies to a place on the host, made with the rights of this process.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "fs/volume.h"
#include "node/restore.h"

namespace nacre::node {

// For one thread.
class HostTarget final : public RestoreTarget {
 public:
  // The top becomes `path`, absolute, whose parent exists. Existing files are replaced, and
  // existing directories filled, only with `force`.
  HostTarget(fs::Volume& volume, std::string path, bool force)
      : volume_(volume), top_(std::move(path)), force_(force) {}

  // kExists for what is in the way.
  Status enter_directory(const std::string& name, const PastFile& directory) override;
  Status leave_directory(const PastFile& directory) override;
  Status put(const std::string& name, const PastFile& file) override;

  // What could not be kept, an owner say, one line each; the first of each kind.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  std::string path_of(const std::string& name) const;
  Status make(const std::string& path, const PastFile& file);
  Status copy_content(const std::string& path, const PastFile& file);
  Status apply_attributes(const std::string& path, const PastFile& file);
  void warn(const std::string& kind, const std::string& path, int error_number);

  fs::Volume& volume_;
  const std::string top_;
  const bool force_;
  std::vector<std::string> directories_;  // absolute paths of those entered
  std::unordered_map<InodeId, std::string> linked_;
  std::vector<std::string> warned_;  // kinds
  std::vector<std::string> warnings_;
};

}  // namespace nacre::node
