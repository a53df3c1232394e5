// Making the present of a volume what it was: the whole tree, exactly. What changed since stays in
// history.
#pragma once

#include <cstdint>
#include <functional>

#include "base/ids.h"
#include "base/result.h"
#include "fs/volume.h"

namespace nacre::node {

// Nobody else may change the volume meanwhile, and everything is committed. Removes what came
// later, brings back what was there, and leaves alone what is as it was; content is shared with the
// past. Committed on return. `go_on` as for restore(); kBelowFloor when that moment is in history
// no more.
Status return_to(fs::Volume& volume, Sequence at, const std::function<bool(uint64_t)>& go_on);

}  // namespace nacre::node
