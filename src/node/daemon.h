// The process that serves one volume: opens it, mounts it, answers its control socket, and closes
// it when the last mount is gone or a signal says so (SIGTERM, SIGINT: unmount, lazily where files
// are open).
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "device/device.h"
#include "node/mounter.h"

namespace nacre::node {

struct DaemonOptions {
  std::string volume;             // its directory, absolute
  MountPlan plan;                 // the first mount
  std::optional<std::string> at;  // of that mount: a moment, as users write it
};

// Runs until the volume is closed. `ready` is called once: when the mount answers, or with what is
// wrong. Call before there are threads.
Status run_daemon(device::Host host, const DaemonOptions& options, Mounter& mounter,
                  const std::function<void(const Status&)>& ready);

}  // namespace nacre::node
