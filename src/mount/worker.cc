#include "mount/worker.h"

#include <sched.h>

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
// How long a worker watches for the next request of a lone client: at most, and before it gives up
// watching until requests come quickly again.
constexpr int64_t kWatchNs = 100'000;
constexpr int64_t kLeastWatchNs = 10'000;

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
    clients_.note(request.message, request.at_once);
    dispatch(place_.session, request.message, *request.from, reply_.bytes(), counts_);
    typical_ns_ += (clock.monotonic_ns() - start_ns - typical_ns_) / kAverageOver;
  }
}

Worker::Next Worker::next(MutableBytes buffer) {
  if (own_ == nullptr) return wait_for_next(buffer);
  const Connection::Received received = own_->receive(buffer);
  if (received.event == Connection::Event::kUnmounted) return {};
  if (received.event == Connection::Event::kNothing) return wait_at_door(buffer);
  if (++at_once_ < kBacklog) return {own_, received.message, true};
  at_once_ = 0;
  if (clients_.several()) {
    place_.door.call();
  } else {
    place_.door.pass();
  }
  return {own_, received.message, true};
}

Worker::Next Worker::wait_at_door(MutableBytes buffer) {
  at_once_ = 0;
  if (!place_.door.come()) return {};
  const Next request = clients_.several() ? wait_for_next(buffer) : watch_for_next(buffer);
  place_.door.leave();
  if (typical_ns_ > kWorthAWakeNs && clients_.several()) place_.door.call();
  return request;
}

// A client that is waited for comes back soon or not for long. Watching for it keeps the CPU from
// going to sleep, whose waking would take longer than serving it; the yield lets it run here.
Worker::Next Worker::watch_for_next(MutableBytes buffer) {
  os::Clock& clock = os::real_clock();
  const int64_t start_ns = clock.monotonic_ns();
  while (clock.monotonic_ns() - start_ns < watch_ns_) {
    const Connection::Received received = own_->receive(buffer);
    if (received.event == Connection::Event::kUnmounted) return {};
    if (received.event == Connection::Event::kRequest) {
      watch_ns_ = kWatchNs;
      return {own_, received.message};
    }
    ::sched_yield();
  }
  watch_ns_ = watch_ns_ / 2 < kLeastWatchNs ? 0 : watch_ns_ / 2;
  const Next request = wait_for_next(buffer);
  if (clock.monotonic_ns() - start_ns < kWatchNs) watch_ns_ = kWatchNs;
  return request;
}

Worker::Next Worker::wait_for_next(MutableBytes buffer) {
  Connection::Received received = place_.shared.receive(buffer);
  while (received.event == Connection::Event::kNothing) received = place_.shared.receive(buffer);
  if (received.event == Connection::Event::kUnmounted) return {};
  return {&place_.shared, received.message};
}

}  // namespace nacre::mount
