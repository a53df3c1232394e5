// What is where in the directory of a volume: docs/format/volume.md.
#pragma once

#include <string>

namespace nacre::node {

inline std::string lock_path(const std::string& directory) { return directory + "/nacre.lock"; }
inline std::string rows_path(const std::string& directory) { return directory + "/rows"; }
// The device of a volume that was given none.
inline std::string data_path(const std::string& directory) { return directory + "/data"; }
// Of a tiered volume: where its bucket is.
inline std::string remote_path(const std::string& directory) { return directory + "/nacre.remote"; }
// And what of its rows the bucket does not have yet.
inline std::string row_log_path(const std::string& directory) { return directory + "/rowlog"; }
// And which blocks of the cache were read often.
inline std::string heat_path(const std::string& directory) { return directory + "/nacre.heat"; }
inline std::string socket_path(const std::string& directory) { return directory + "/control.sock"; }
inline std::string log_path(const std::string& directory) { return directory + "/nacre.log"; }
// The directory that a path is in.
inline std::string parent_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace nacre::node
