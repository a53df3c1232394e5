#include "mount/worker.h"

#include <new>
#include <sched.h>
#include <time.h>
#include <cstdlib>

#include "base/units.h"
#include "mount/thread_setup.h"

namespace nacre::mount {
namespace {

constexpr size_t kPageBytes = 4096;
// What comes before the data of a WRITE; the buffer starts this far before a page, so that the data
// starts on one.
constexpr size_t kWriteHeadBytes = sizeof(fuse_in_header) + sizeof(fuse_write_in);
constexpr int kBacklog = 8;
// Other requests than WRITE carry up to 64 KiB of attribute value.
constexpr size_t kRequestBytes = kPageBytes + kMaxTransferBytes + 64 * kKiB;

}  // namespace

PageBuffer::PageBuffer(size_t size_bytes)
    : data_(static_cast<std::byte*>(::operator new(size_bytes, std::align_val_t{kPageBytes}))),
      size_bytes_(size_bytes) {}

PageBuffer::~PageBuffer() { ::operator delete(data_, std::align_val_t{kPageBytes}); }

Worker::Worker(Session& session, Door& door, Connection& shared, Connection& own)
    : session_(session),
      door_(door),
      shared_(shared),
      own_(own),
      request_(kRequestBytes),
      reply_(kMaxTransferBytes) {}

void Worker::start(const std::string& name) {
  thread_ = os::Thread(name, [this] {
    block_signals();
    never_reclaim_through_file_systems();
    run();
  });
}

void Worker::run() {
  const MutableBytes buffer = request_.bytes().subspan(kPageBytes - kWriteHeadBytes);
  if (getenv("NODOOR")) {
    while (true) {
      const Connection::Received received = own_.receive(buffer);
      if (received.event == Connection::Event::kUnmounted) return;
      if (received.event == Connection::Event::kNothing) continue;
      dispatch(session_, received.message, own_, reply_.bytes(), counts_);
    }
  }
  const int backlog = getenv("BACKLOG") ? atoi(getenv("BACKLOG")) : kBacklog;
  const int64_t spin_ns = getenv("SPIN") ? atoi(getenv("SPIN")) * 1000 : 0;
  int at_once = 0;  // requests in a row that were there already
  while (true) {
    Connection* from = &own_;
    Connection::Received received = own_.receive(buffer);
    if (received.event == Connection::Event::kNothing) {
      if (!door_.come()) return;
      if (spin_ns) {
        timespec t; clock_gettime(CLOCK_MONOTONIC, &t); int64_t end = t.tv_sec * 1000000000LL + t.tv_nsec + spin_ns;
        while (true) {
          received = own_.receive(buffer);
          if (received.event != Connection::Event::kNothing) break;
          sched_yield();
          clock_gettime(CLOCK_MONOTONIC, &t); if (t.tv_sec * 1000000000LL + t.tv_nsec > end) break;
        }
      }
      if (received.event == Connection::Event::kNothing) {
      from = &shared_;
      received = shared_.receive(buffer);
      }
      door_.leave();
      at_once = 0;
    } else if (++at_once >= backlog) {
      door_.call();
      at_once = 0;
    }
    if (received.event == Connection::Event::kUnmounted) return door_.close();
    if (received.event == Connection::Event::kNothing) continue;
    dispatch(session_, received.message, *from, reply_.bytes(), counts_);
  }
}

}  // namespace nacre::mount
