// Memory for payloads: not initialised, and used again when it comes back, because the kernel takes
// longer to give a fresh megabyte than the network does to fill it.
#pragma once

#include <cstddef>
#include <memory>

#include "base/bytes.h"

namespace nacre::rpc {

// Owns its bytes; movable. For one thread at a time.
class Buffer {
 public:
  Buffer() = default;
  // Of undefined content.
  explicit Buffer(size_t size);

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  MutableBytes bytes() { return {bytes_.get(), size_}; }
  ByteView view() const { return {bytes_.get(), size_}; }

 private:
  struct Return {
    size_t capacity;
    void operator()(std::byte* bytes) const;
  };

  std::unique_ptr<std::byte[], Return> bytes_{nullptr, Return{0}};
  size_t size_ = 0;
};

}  // namespace nacre::rpc
