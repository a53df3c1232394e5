#include "node/mounts.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <chrono>

#include "fs/mounted_tree.h"
#include "fs/past_tree.h"
#include "node/protocol.h"

namespace nacre::node {

// The thread ends when the mount does; the tree outlives both.
struct Mounts::Served {
  std::unique_ptr<fs::Tree> tree;
  std::optional<Sequence> at;
  std::unique_ptr<Mounted> mounted;
  std::atomic<bool> detached = false;  // gone for everybody; its last answers may be under way
  std::atomic<bool> ended = false;
  os::Thread waiter;

  ~Served() {
    if (mounted != nullptr && !ended) [[maybe_unused]]
      const Status taken_off = mounted->unmount(true);
    waiter.join();
  }
  bool gone() const { return detached || ended; }
  MountState state() const {
    return {mounted->mountpoint(), at, mounted->read_only(), mounted->requests()};
  }
};

Mounts::Mounts(fs::Volume& volume, Mounter& mounter, std::function<void()> ended,
               int64_t write_back_interval_ns)
    : volume_(volume), mounter_(mounter), ended_(std::move(ended)) {
  if (write_back_interval_ns > 0) {
    write_back_thread_ = os::Thread("nacre-writeback", [this, write_back_interval_ns] {
      write_back_loop(write_back_interval_ns);
    });
  }
}

Mounts::~Mounts() {
  {
    const os::Lock lock(mutex_);
    stop_ = true;
    closing_ = true;
    wake_.notify_all();
  }
  write_back_thread_.join();
  remove_all();
  std::list<ServedPtr> rest;
  const os::Lock lock(mutex_);
  rest.swap(served_);
}

void Mounts::stay() {
  const os::Lock lock(mutex_);
  stays_ = true;
}

Mounts::ServedPtr Mounts::find_live() const {
  const os::Lock lock(mutex_);
  const auto live = std::ranges::find_if(
      served_, [](const ServedPtr& served) { return !served->at && !served->gone(); });
  return live == served_.end() ? nullptr : *live;
}

Status Mounts::check_room(const MountPlan& plan, bool live) const {
  {
    const os::Lock lock(mutex_);
    if (closing_) return Error(Code::kBusy, kClosingMessage);
  }
  const ServedPtr present = live ? find_live() : nullptr;
  if (present == nullptr) return {};
  return Error(Code::kBusy,
               fmt::format("{} is mounted at {} already: use that, or unmount it first",
                           plan.source, present->mounted->mountpoint()));
}

Result<MountState> Mounts::add(const MountPlan& plan, std::optional<Sequence> at) {
  const os::Lock change(change_mutex_);
  TRY(check_room(plan, !at));
  auto served = std::make_shared<Served>();
  served->at = at;
  if (at) {
    served->tree = std::make_unique<fs::PastTree>(volume_, *at);
  } else {
    served->tree =
        std::make_unique<fs::MountedTree>(volume_, fs::LiveTreeOptions{.atime = plan.atime});
  }
  served->mounted = TRY(mounter_.mount(*served->tree, plan));
  served->mounted->start();
  served->waiter = os::Thread("nacre-mount", [this, raw = served.get()] {
    raw->mounted->wait();
    raw->ended = true;
    ended_();
  });
  const MountState state = served->state();
  const os::Lock lock(mutex_);
  served_.push_back(std::move(served));
  return state;
}

// The kernel writes back what is dirty before it lets go, through the threads that serve the mount.
Status Mounts::unmount(const ServedPtr& served, bool lazy) {
  // After a lazy unmount there is no path left by which to ask for it.
  if (lazy && !served->at) {
    if (const Status written = served->mounted->write_back(); !written.ok()) {
      spdlog::warn("before a lazy unmount: {}", written.error().to_string());
    }
  }
  return served->mounted->unmount(lazy);
}

Result<Mounts::Removed> Mounts::remove(const std::string& mountpoint, bool lazy) {
  const os::Lock change(change_mutex_);
  ServedPtr found;
  {
    const os::Lock lock(mutex_);
    for (const ServedPtr& served : served_) {
      if (!served->gone() && served->mounted->mountpoint() == mountpoint) found = served;
    }
  }
  if (found == nullptr) {
    return Error(Code::kNotFound,
                 fmt::format("nothing of this volume is mounted at {}", mountpoint));
  }
  TRY(unmount(found, lazy));
  if (lazy) return Removed{};
  found->detached = true;
  const os::Lock lock(mutex_);
  const bool others = std::ranges::any_of(
      served_, [&](const ServedPtr& served) { return served != found && !served->gone(); });
  closing_ = closing_ || (!others && !stays_);
  return Removed{.last = !others && closing_};
}

void Mounts::remove_all() {
  const os::Lock change(change_mutex_);
  std::list<ServedPtr> all;
  {
    const os::Lock lock(mutex_);
    closing_ = true;
    all = served_;
  }
  for (const ServedPtr& served : all) {
    if (served->ended) continue;
    Status status = unmount(served, false);
    if (!status.ok() && !served->ended) status = unmount(served, true);
    if (!status.ok() && !served->ended) spdlog::warn("{}", status.error().to_string());
  }
}

bool Mounts::reap() {
  std::list<ServedPtr> gone;
  bool ended = false;
  {
    const os::Lock lock(mutex_);
    for (auto at = served_.begin(); at != served_.end();) {
      const auto next = std::next(at);
      if ((*at)->ended) gone.splice(gone.end(), served_, at);
      at = next;
    }
    closing_ = closing_ || (served_.empty() && !stays_);
    ended = served_.empty() && closing_;
  }
  for (const ServedPtr& served : gone) {
    spdlog::info("{} is unmounted", served->mounted->mountpoint());
  }
  return ended;
}

std::vector<MountState> Mounts::list() const {
  std::vector<MountState> states;
  const os::Lock lock(mutex_);
  for (const ServedPtr& served : served_) {
    if (!served->gone()) states.push_back(served->state());
  }
  return states;
}

std::optional<MountState> Mounts::live() const {
  const ServedPtr live = find_live();
  return live == nullptr ? std::nullopt : std::optional(live->state());
}

Status Mounts::write_back() {
  const os::Lock change(change_mutex_);
  const ServedPtr live = find_live();
  if (live == nullptr || live->mounted->read_only()) return {};
  return live->mounted->write_back();
}

Status Mounts::change_content(const std::string& path, InodeId ino,
                              const Mounted::ContentChange& change) {
  if (const ServedPtr live = find_live()) return live->mounted->change_content(path, ino, change);
  TRY(change());
  return {};
}

void Mounts::forget_inode(InodeId ino) {
  if (const ServedPtr live = find_live()) live->mounted->forget_inode(ino);
}

void Mounts::forget_entry(InodeId parent, const std::string& name) {
  if (const ServedPtr live = find_live()) live->mounted->forget_entry(parent, name);
}

// Whether there is anything dirty cannot be seen from here: a write into pages that the kernel
// holds makes no request. Asking costs microseconds when there is not.
void Mounts::write_back_loop(int64_t interval_ns) {
  while (true) {
    {
      const os::Lock lock(mutex_);
      if (!stop_) wake_.wait_for(mutex_, std::chrono::nanoseconds(interval_ns));
      if (stop_) return;
    }
    if (const Status written = write_back(); !written.ok()) {
      spdlog::warn("dirty pages could not be written back: {}", written.error().to_string());
    }
  }
}

}  // namespace nacre::node
