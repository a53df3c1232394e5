// Giving the bucket of a sealed volume another passphrase or key file. The volume may be open
// meanwhile, here or in another process: nothing of it is touched but the descriptor in the bucket.
#pragma once

#include <string>

#include "base/result.h"
#include "node/tiered_blocks.h"
#include "node/volume_key.h"
#include "os/file_system.h"

namespace nacre::node {

// Wraps the volume's key by the new secret, in a descriptor of the next generation, and removes the
// descriptors before it. Whatever interrupts it, the volume can be recovered with one of the two
// secrets; on an error it is said with which. kUnsupported for a volume without a bucket or with
// one that is not sealed; kAccess when another machine took the volume over; kBusy when somebody
// else changes the secret at the same time.
Status change_secret(os::FileSystem& files, const std::string& directory,
                     const BucketSecret& secret, const Connect& connect = connect_bucket);

}  // namespace nacre::node
