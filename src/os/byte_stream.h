// A reliable, ordered stream of bytes in both directions: TCP, TLS over it, or memory in tests.
// Blocking. One thread may read while another writes; shutdown() may be called from any thread.
// Closed when destroyed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace nacre::os {

class ByteStream {
 public:
  virtual ~ByteStream() = default;

  // Waits for bytes and gives as many as have come; 0 when the peer or shutdown() ended the stream.
  // kTimeout when none came within the read timeout: nothing is lost, and it may be called again.
  // kUnavailable when the connection broke.
  virtual Result<size_t> read_some(MutableBytes into) = 0;
  // Returns when the stream has taken the concatenation of `parts`. After an error (kUnavailable,
  // kTimeout when the peer takes nothing for long) nobody knows how much of it the peer will see.
  virtual Status write_all(std::span<const ByteView> parts) = 0;
  // Whether 64 KiB can be written now without waiting for the peer. A hint: the writer is alone.
  virtual bool can_write() = 0;
  // How long read_some() waits; 0: for ever.
  virtual void set_read_timeout(int64_t ns) = 0;
  // Ends both directions and wakes whoever waits in read_some() or write_all().
  virtual void shutdown() = 0;
  // For messages: "10.0.0.1:7000".
  virtual const std::string& peer() const = 0;
};

}  // namespace nacre::os
