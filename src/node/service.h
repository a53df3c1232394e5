// Answers the commands of one open volume: in the daemon, over the control socket, and inside the
// command itself when nothing has the volume open. The commands are in commands.h, their protocol
// in protocol.h.
//
// handle() may be called from any thread but those that serve mounts.
#pragma once

#include "base/result.h"
#include "node/mounts.h"
#include "node/protocol.h"
#include "node/volume_directory.h"
#include "os/mutex.h"

namespace nacre::node {

class Service {
 public:
  // Both outlive it; `mounts` is null where nothing is mounted.
  Service(VolumeDirectory& directory, Mounts* mounts) : directory_(directory), mounts_(mounts) {}

  // Runs one command. kInvalid for an unknown command or arguments it does not take; kReadOnly for
  // one that changes a volume which is open read-only; otherwise what the command answers.
  Result<Json> handle(const Request& request, Events& events);

 private:
  VolumeDirectory& directory_;
  Mounts* const mounts_;
  os::Mutex snapshot_mutex_;  // one makes or deletes snapshots at a time; held across commits
};

}  // namespace nacre::node
