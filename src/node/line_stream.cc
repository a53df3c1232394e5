#include "node/line_stream.h"

#include <fmt/format.h>

#include <array>

namespace nacre::node {

Result<std::optional<std::string>> LineStream::read(size_t max_bytes) {
  size_t searched = 0;
  while (true) {
    const size_t end = buffered_.find('\n', searched);
    if (end != std::string::npos && end <= max_bytes) {
      std::string line = buffered_.substr(0, end);
      buffered_.erase(0, end + 1);
      return std::optional(std::move(line));
    }
    if (buffered_.size() > max_bytes) {
      return Error(Code::kTooBig, fmt::format("a line of more than {} bytes", max_bytes));
    }
    searched = buffered_.size();
    std::array<std::byte, 16384> part;
    const size_t count = TRY(stream_->read_some(part));
    if (count == 0) {
      if (buffered_.empty()) return std::optional<std::string>();
      return Error(Code::kIo, "the connection ended in the middle of a line");
    }
    buffered_ += as_text(ByteView(part).first(count));
  }
}

Status LineStream::write(std::string_view line) {
  std::string whole(line);
  whole += '\n';
  return stream_->write_all(as_bytes(whole));
}

}  // namespace nacre::node
