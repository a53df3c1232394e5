// The calling thread steps back behind those that somebody waits for.
#pragma once

namespace nacre::keeper {

// Lowers the thread's share of processor and disk a little: it may hold a lock that others want, so
// it must not starve.
void lower_priority();

}  // namespace nacre::keeper
