// The last stage of react(): devices that hold more than their target give to those that lack.
// Internal to place.
#pragma once

#include "place/arrangement.h"

namespace nacre::place {

// Moves single fragments from devices over their target to such that lack. Only where that does not
// help, and some device is off its target by more than a fiftieth, a chain of devices passes
// fragments on.
void balance(Arrangement& arrangement);

}  // namespace nacre::place
