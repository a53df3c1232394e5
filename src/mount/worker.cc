#include "mount/worker.h"

#include <new>

#include "base/units.h"
#include "mount/thread_setup.h"

namespace nacre::mount {
namespace {

constexpr size_t kPageBytes = 4096;
// What comes before the data of a WRITE; the buffer starts this far before a page, so that the data
// starts on one.
constexpr size_t kWriteHeadBytes = sizeof(fuse_in_header) + sizeof(fuse_write_in);
// Other requests than WRITE carry up to 64 KiB of attribute value.
constexpr size_t kRequestBytes = kPageBytes + kMaxTransferBytes + 64 * kKiB;

}  // namespace

PageBuffer::PageBuffer(size_t size_bytes)
    : data_(static_cast<std::byte*>(::operator new(size_bytes, std::align_val_t{kPageBytes}))),
      size_bytes_(size_bytes) {}

PageBuffer::~PageBuffer() { ::operator delete(data_, std::align_val_t{kPageBytes}); }

Worker::Worker(Session& session, Connection& connection)
    : session_(session),
      connection_(connection),
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
  while (true) {
    const Connection::Received received = connection_.receive(buffer);
    if (received.event == Connection::Event::kUnmounted) return;
    if (received.event == Connection::Event::kNothing) continue;
    dispatch(session_, received.message, connection_, reply_.bytes(), counts_);
  }
}

}  // namespace nacre::mount
