#include "mount/worker.h"

#include <new>

#include "base/units.h"
#include "mount/thread_setup.h"
#include "os/clock.h"

namespace nacre::mount {
namespace {

constexpr size_t kPageBytes = 4096;
// What comes before the data of a WRITE; the buffer starts this far before a page, so that the data
// starts on one.
constexpr size_t kWriteHeadBytes = sizeof(fuse_in_header) + sizeof(fuse_write_in);
// Other requests than WRITE carry up to 64 KiB of attribute value.
constexpr size_t kRequestBytes = kPageBytes + kMaxTransferBytes + 64 * kKiB;

constexpr int kBacklog = 8;  // requests in a row without waiting that call for another worker
// From here on serving a request takes longer than waking another worker for the one that may come
// meanwhile.
constexpr int64_t kWorthAWakeNs = 30'000;
constexpr int64_t kAverageOver = 8;  // requests

}  // namespace

PageBuffer::PageBuffer(size_t size_bytes)
    : data_(static_cast<std::byte*>(::operator new(size_bytes, std::align_val_t{kPageBytes}))),
      size_bytes_(size_bytes) {}

PageBuffer::~PageBuffer() { ::operator delete(data_, std::align_val_t{kPageBytes}); }

Worker::Worker(Workplace place, Connection* own)
    : place_(place), own_(own), request_(kRequestBytes), reply_(kMaxTransferBytes) {}

void Worker::start(const std::string& name) {
  thread_ = os::Thread(name, [this] {
    block_signals();
    never_reclaim_through_file_systems();
    run();
  });
}

void Worker::run() {
  os::Clock& clock = os::real_clock();
  const MutableBytes buffer = request_.bytes().subspan(kPageBytes - kWriteHeadBytes);
  while (true) {
    const Next request = next(buffer);
    if (request.from == nullptr) return place_.door.close();
    const int64_t start_ns = clock.monotonic_ns();
    dispatch(place_.session, request.message, *request.from, reply_.bytes(), counts_);
    typical_ns_ += (clock.monotonic_ns() - start_ns - typical_ns_) / kAverageOver;
  }
}

Worker::Next Worker::next(MutableBytes buffer) {
  if (own_ == nullptr) return wait_for_next(buffer);
  const Connection::Received received = own_->receive(buffer);
  if (received.event == Connection::Event::kUnmounted) return {};
  if (received.event == Connection::Event::kNothing) return wait_at_door(buffer);
  if (++at_once_ >= kBacklog) {
    at_once_ = 0;
    place_.door.call();
  }
  return {own_, received.message};
}

Worker::Next Worker::wait_at_door(MutableBytes buffer) {
  at_once_ = 0;
  if (!place_.door.come()) return {};
  const Next request = wait_for_next(buffer);
  place_.door.leave();
  if (typical_ns_ > kWorthAWakeNs) place_.door.call();
  return request;
}

Worker::Next Worker::wait_for_next(MutableBytes buffer) {
  Connection::Received received = place_.shared.receive(buffer);
  while (received.event == Connection::Event::kNothing) received = place_.shared.receive(buffer);
  if (received.event == Connection::Event::kUnmounted) return {};
  return {&place_.shared, received.message};
}

}  // namespace nacre::mount
