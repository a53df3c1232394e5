// Lines over a socket, each of a bounded length. One thread may read while another writes.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "os/unix_socket.h"

namespace nacre::node {

class LineStream {
 public:
  explicit LineStream(std::unique_ptr<os::Stream> stream) : stream_(std::move(stream)) {}

  // The next line without its end; none when the peer ended the stream. kTooBig for a line longer
  // than `max_bytes`: the stream is of no use afterwards. kIo for a line that was cut off.
  Result<std::optional<std::string>> read(size_t max_bytes);
  // `line` has no line break in it. kIo when the peer is gone.
  Status write(std::string_view line);
  os::Stream& stream() { return *stream_; }

 private:
  const std::unique_ptr<os::Stream> stream_;
  std::string buffered_;  // read and not yet handed out
};

}  // namespace nacre::node
