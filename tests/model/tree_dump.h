// Dumps of an fs::Tree, to be compared with those of the oracle.
#pragma once

#include <map>
#include <string>

#include "fs/tree.h"
#include "model/state.h"

namespace nacre::model {

// Which inode each path names.
using Inodes = std::map<std::string, InodeId>;

// Everything below the directory `root`. What cannot be read is a line that says why. Every
// reference taken is given back.
Dump dump_of(fs::Tree& tree, InodeId root, const Aspects& aspects, Inodes* inodes = nullptr);
// The line of one inode.
std::string line_of(fs::Tree& tree, InodeId ino, const Aspects& aspects);

}  // namespace nacre::model
