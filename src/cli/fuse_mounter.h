// Mounts trees through the FUSE shell: all that the daemon knows of FUSE.
#pragma once

#include "node/mounter.h"

namespace nacre::cli {

// Thread-safe; without state.
class FuseMounter final : public node::Mounter {
 public:
  Result<std::unique_ptr<node::Mounted>> mount(fs::Tree& tree,
                                               const node::MountPlan& plan) override;
};

}  // namespace nacre::cli
