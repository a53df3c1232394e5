// What is mounted on this machine, as /proc/self/mountinfo tells it. The parsers are pure
// functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nacre::node {

inline constexpr std::string_view kMountType = "fuse.nacre";

struct MountInfo {
  std::string device;  // "0:53": the same for all mounts of one file system
  std::string root;  // the directory of the file system that is seen here: "/", or deeper if bound
  std::string mountpoint;  // absolute
  std::string type;        // "ext4", "fuse.nacre"
  std::string source;      // of a Nacre mount: the volume's directory
  bool read_only = false;

  friend bool operator==(const MountInfo&, const MountInfo&) = default;
};

// In the order of the table: what is mounted later over the same place comes later. Lines that do
// not parse are left out.
std::vector<MountInfo> parse_mount_table(std::string_view table);
// Errors of reading the table.
Result<std::vector<MountInfo>> read_mount_table();

// The mount that an absolute path without symlinks lies in; none for a table without a root.
std::optional<MountInfo> mount_of(const std::vector<MountInfo>& table, std::string_view path);
// Whether `path` is `directory` or lies below it; both absolute, without a slash at the end.
bool is_below(std::string_view path, std::string_view directory);

}  // namespace nacre::node
