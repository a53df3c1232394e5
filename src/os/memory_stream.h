// Two ends of a stream of bytes in memory, for tests.
#pragma once

#include <memory>
#include <utility>

#include "os/byte_stream.h"

namespace nacre::os {

// What is written to one is read from the other. Each end holds up to `buffer_bytes` that the other
// has not read; more waits.
std::pair<std::unique_ptr<ByteStream>, std::unique_ptr<ByteStream>> make_memory_streams(
    size_t buffer_bytes = 1 << 20);

}  // namespace nacre::os
