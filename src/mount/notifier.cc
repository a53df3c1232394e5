#include "mount/notifier.h"

#include <array>
#include <utility>

#include "mount/thread_setup.h"

namespace nacre::mount {
namespace {

template <class T>
ByteView bytes_of(const T& value) {
  return std::as_bytes(std::span(&value, 1));
}

// The kernel takes the name with its NUL.
void invalidate_name(Port& port, InodeId parent, const std::string& name) {
  const fuse_notify_inval_entry_out head = {
      .parent = parent.value, .namelen = static_cast<uint32_t>(name.size()), .flags = 0};
  const std::array parts = {bytes_of(head),
                            as_bytes(std::string_view(name.c_str(), name.size() + 1))};
  // That it knows no such entry is as good.
  [[maybe_unused]] const Status told = port.notify(FUSE_NOTIFY_INVAL_ENTRY, parts);
}

}  // namespace

Status invalidate_pages(Port& port, InodeId ino, uint64_t offset, uint64_t length) {
  const fuse_notify_inval_inode_out out = {
      .ino = ino.value, .off = static_cast<int64_t>(offset), .len = static_cast<int64_t>(length)};
  const std::array parts = {bytes_of(out)};
  return port.notify(FUSE_NOTIFY_INVAL_INODE, parts);
}

Status invalidate_attributes(Port& port, InodeId ino) {
  const fuse_notify_inval_inode_out out = {.ino = ino.value, .off = -1, .len = 0};
  const std::array parts = {bytes_of(out)};
  return port.notify(FUSE_NOTIFY_INVAL_INODE, parts);
}

void Notifier::start() {
  thread_ = os::Thread("nacre-notify", [this] {
    block_signals();
    run();
  });
}

void Notifier::stop() {
  {
    const os::Lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

bool Notifier::post(Job job) {
  const os::Lock lock(mutex_);
  if (stopping_ || jobs_.size() >= kMaxJobs) return false;
  jobs_.push_back(std::move(job));
  changed_.notify_all();
  return true;
}

void Notifier::post_when_room(Job job) {
  const os::Lock lock(mutex_);
  while (!stopping_ && jobs_.size() >= kMaxInvalidations) changed_.wait(mutex_);
  if (stopping_) return;
  jobs_.push_back(std::move(job));
  changed_.notify_all();
}

void Notifier::invalidate_inode(InodeId ino, uint64_t offset, uint64_t length) {
  post_when_room([=](Port& port) {
    [[maybe_unused]] const Status told = invalidate_pages(port, ino, offset, length);
  });
}

void Notifier::invalidate_entry(InodeId parent, std::string name) {
  post_when_room(
      [parent, name = std::move(name)](Port& port) { invalidate_name(port, parent, name); });
}

void Notifier::run() {
  while (true) {
    Job job;
    {
      const os::Lock lock(mutex_);
      while (!stopping_ && jobs_.empty()) changed_.wait(mutex_);
      if (stopping_) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
      changed_.notify_all();
    }
    job(port_);
  }
}

}  // namespace nacre::mount
