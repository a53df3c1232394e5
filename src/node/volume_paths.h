// What is where in the directory of a volume: docs/format/volume.md.
#pragma once

#include <string>

namespace nacre::node {

inline std::string lock_path(const std::string& directory) { return directory + "/nacre.lock"; }
inline std::string rows_path(const std::string& directory) { return directory + "/rows"; }
// The device of a volume that was given none.
inline std::string data_path(const std::string& directory) { return directory + "/data"; }
inline std::string socket_path(const std::string& directory) { return directory + "/control.sock"; }
inline std::string log_path(const std::string& directory) { return directory + "/nacre.log"; }

}  // namespace nacre::node
