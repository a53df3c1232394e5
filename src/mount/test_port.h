// A port that writes down what it is told, and the kernel's side of a conversation. For tests.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "base/ids.h"
#include "mount/port.h"
#include "os/mutex.h"

namespace nacre::mount {

class TestPort final : public Port {
 public:
  struct Answer {
    uint64_t unique;
    int error_number;
    std::string bytes;

    // The struct of the protocol that the answer begins with.
    template <class T>
    T as() const {
      T value = {};
      std::memcpy(&value, bytes.data(), std::min(bytes.size(), sizeof(value)));
      return value;
    }
  };

  void reply(uint64_t unique, int error_number, std::span<const ByteView> parts) override {
    const os::Lock lock(mutex_);
    answers_.push_back({unique, error_number, joined(parts)});
  }
  Status notify(fuse_notify_code what, std::span<const ByteView> parts) override {
    const os::Lock lock(mutex_);
    notifications_.push_back({what, joined(parts)});
    return {};
  }

  std::vector<Answer> answers() {
    const os::Lock lock(mutex_);
    return answers_;
  }
  std::vector<std::pair<fuse_notify_code, std::string>> notifications() {
    const os::Lock lock(mutex_);
    return notifications_;
  }

 private:
  static std::string joined(std::span<const ByteView> parts) {
    std::string bytes;
    for (const ByteView part : parts) bytes += as_text(part);
    return bytes;
  }

  os::Mutex mutex_;
  std::vector<Answer> answers_ GUARDED_BY(mutex_);
  std::vector<std::pair<fuse_notify_code, std::string>> notifications_ GUARDED_BY(mutex_);
};

// The bytes of a request: header, structs, names.
inline std::string message(uint32_t opcode, InodeId node, std::string_view arguments,
                           uint64_t unique = 8) {
  const fuse_in_header header = {
      .len = static_cast<uint32_t>(sizeof(fuse_in_header) + arguments.size()),
      .opcode = opcode,
      .unique = unique,
      .nodeid = node.value,
      .uid = 0,
      .gid = 0,
      .pid = 1,
      .total_extlen = 0,
      .padding = 0};
  return std::string(as_text(std::as_bytes(std::span(&header, 1)))).append(arguments);
}
template <class T>
std::string bytes_of(const T& value) {
  return std::string(as_text(std::as_bytes(std::span(&value, 1))));
}
inline std::string name_arg(std::string_view name) { return std::string(name) + '\0'; }

}  // namespace nacre::mount
