#include "node/remove_tree.h"

namespace nacre::node {

Status remove_tree(os::FileSystem& files, const std::string& path) {
  if (TRY(files.kind(path)) == os::PathKind::kMissing) return {};
  if (TRY(files.kind(path)) != os::PathKind::kDirectory) return files.remove_file(path);
  for (const std::string& name : TRY(files.list(path))) {
    TRY(remove_tree(files, path + "/" + name));
  }
  return files.remove_directory(path);
}

}  // namespace nacre::node
