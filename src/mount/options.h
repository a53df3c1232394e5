// How to mount: what callers set, and the words of `-o` and fstab.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nacre::mount {

struct Options {
  std::string fsname = "nacre";   // shown as the device: the volume's directory
  std::string subtype = "nacre";  // shown as the type: fuse.<subtype>
  bool read_only = false;
  std::optional<bool>
      allow_other;  // users other than the one who mounts; unset: only when root mounts
  bool allow_suid = false;
  bool allow_devices = false;
  bool allow_exec = true;
  bool no_atime = false;
  // Let the kernel hold dirty pages. Only for a tree that nothing changes but this mount. Off when
  // read-only or single-threaded.
  bool write_back = true;
  bool cache_missing_names = true;  // let the kernel remember that a name does not exist
  int workers = 4;                  // at first: more are added while all of them wait
  bool single_threaded = false;     // one worker, whatever `workers` says
};

// Applies a comma-separated list such as "ro,noatime,fsname=/srv/vol". What only fstab and mount(8)
// act on (defaults, noauto, user, nofail, _netdev, x-*) is accepted and ignored. kInvalid names the
// unknown option.
Status apply_options(std::string_view list, Options& options);

}  // namespace nacre::mount
