// Destroying a volume: its files on this machine and, if that is wanted, its objects in a bucket.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "device/device.h"
#include "node/tiered_blocks.h"

namespace nacre::node {

struct DestroyOptions {
  bool remote = false;  // what is in the bucket goes as well
  // Although something is in the bucket nowhere, another machine has taken the volume over, or a
  // device cannot be reached.
  bool force = false;
  Connect connect = connect_bucket;
};

struct DestroyedVolume {
  uint64_t objects = 0;                           // removed from the bucket
  std::vector<std::string> foreign_objects = {};  // in the bucket, not of a volume: they stay
  std::vector<std::string> left = {};             // what else stays on this machine, and why
};

// How many objects are gone, and of how many. Called by one thread at a time.
using DestroyProgress = std::function<void(uint64_t done, uint64_t total)>;

// Where it is interrupted nothing is left that could be taken for a volume, and calling it again
// goes on: first the directory ceases to be a volume, then the bucket, from which it can no longer
// be recovered once the manifests of checkpoints are gone; and what tells whose objects are in the
// bucket goes last, so that nobody puts another volume there meanwhile.
//
// kNotFound where there is no volume; kBusy when a process has it; kNotEmpty when not all of it is
// in the bucket that is to stay; kAccess when another machine has taken it over; kExists when the
// bucket holds another volume.
Result<DestroyedVolume> destroy_volume(device::Host host, const std::string& directory,
                                       const DestroyOptions& options,
                                       const DestroyProgress& progress);

}  // namespace nacre::node
