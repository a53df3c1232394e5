#include "mount/connection.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/check.h"
#include "base/errno.h"

namespace nacre::mount {
namespace {

constexpr size_t kMaxParts = 3;

// One message, as one write: the kernel takes it whole or not at all. Returns 0 or the errno.
int send(int device, fuse_out_header header, std::span<const ByteView> parts) {
  CHECK(parts.size() <= kMaxParts);
  std::array<iovec, kMaxParts + 1> vectors;
  size_t length = sizeof(header);
  vectors[0] = {&header, sizeof(header)};
  for (size_t i = 0; i < parts.size(); ++i) {
    vectors[i + 1] = {const_cast<std::byte*>(parts[i].data()), parts[i].size()};
    length += parts[i].size();
  }
  header.len = static_cast<uint32_t>(length);
  const int count = static_cast<int>(parts.size() + 1);
  const ssize_t written =
      os::retry_interrupted([&] { return ::writev(device, vectors.data(), count); });
  return written < 0 ? errno : 0;
}

}  // namespace

Connection::Received Connection::receive(MutableBytes buffer) {
  const ssize_t count = ::read(device_.get(), buffer.data(), buffer.size());
  if (count > 0) return {Event::kRequest, ByteView(buffer).first(static_cast<size_t>(count))};
  switch (errno) {
    case EINTR:
    case EAGAIN:
    case ENOENT:  // the request was interrupted before it got here
      return {Event::kNothing, {}};
    default:  // ENODEV: unmounted; ECONNABORTED: aborted
      ended_.store(true, std::memory_order_relaxed);
      return {Event::kUnmounted, {}};
  }
}

Result<os::Fd> Connection::clone() const {
  os::Fd device(::open("/dev/fuse", O_RDWR | O_CLOEXEC | O_NONBLOCK));
  uint32_t source = static_cast<uint32_t>(device_.get());
  if (!device.valid() || ::ioctl(device.get(), FUSE_DEV_IOC_CLONE, &source) != 0) {
    return Error(Code::kUnsupported, "clone a FUSE connection");
  }
  return device;
}

void Connection::reply(uint64_t unique, int error_number, std::span<const ByteView> parts) {
  // Zero would make it a notification. A refused answer is one nobody waits for.
  if (unique == 0) return;
  send(device_.get(), {.len = 0, .error = -error_number, .unique = unique}, parts);
}

Status Connection::notify(fuse_notify_code what, std::span<const ByteView> parts) {
  const int failure = send(device_.get(), {.len = 0, .error = what, .unique = 0}, parts);
  if (failure == 0) return {};
  return error_from_errno(failure, "notify the kernel");
}

}  // namespace nacre::mount
