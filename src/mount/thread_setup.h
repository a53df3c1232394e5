// What the threads of a mount ask of the kernel for themselves.
#pragma once

namespace nacre::mount {

// Leaves every signal to the threads of the caller.
void block_signals();

// Memory this thread asks for must never wait for a file system to clean pages: it may be this one.
// Does nothing without CAP_SYS_RESOURCE.
void never_reclaim_through_file_systems();

}  // namespace nacre::mount
