// A regular file of the present, held open through the mount. Where the kernel keeps dirty pages,
// it also keeps sizes and times as its own and believes nobody else's; so whoever changes a file's
// content behind its back tells it through the mount. For one thread that serves no mount.
#pragma once

#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "meta/types.h"
#include "os/fd.h"

namespace nacre::cli {

class MountedFile {
 public:
  // `path` is relative to the mountpoint. kNotFound when it leads to another file than `ino`.
  static Result<MountedFile> open(const std::string& mountpoint, const std::string& path,
                                  InodeId ino);
  // What programs wrote so far reaches the volume.
  Status flush();
  // The content has become another: the kernel drops the pages it can and learns size and times.
  Status adopt(const meta::Attr& attr);

 private:
  explicit MountedFile(os::Fd file) : file_(std::move(file)) {}
  os::Fd file_;
};

}  // namespace nacre::cli
