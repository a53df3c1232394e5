#include "rpc/call_group.h"

#include <chrono>

namespace nacre::rpc {

CallGroup::CallGroup(os::Clock& clock) : clock_(clock) {}

CallGroup::~CallGroup() {
  if (outstanding_ == 0) return;
  for (const Started& each : started_) each.client->cancel(each.call);
}

void CallGroup::start(Client& client, Request request, size_t tag) {
  ++outstanding_;
  const uint64_t call =
      client.start(std::move(request), [shared = shared_, tag](Result<Reply> result) {
        bool enough = false;
        {
          const os::Lock lock(shared->mutex);
          shared->finished.push_back({tag, std::move(result)});
          enough = shared->wanted > 0 && shared->finished.size() >= shared->wanted;
        }
        if (enough) shared->changed.notify_all();
      });
  started_.push_back({&client, call});
}

void CallGroup::wait_for(size_t count, int64_t until_ns) {
  shared_->wanted = count;
  while (shared_->finished.size() < count) {
    if (until_ns == 0) {
      shared_->changed.wait(shared_->mutex);
      continue;
    }
    const int64_t left_ns = until_ns - clock_.monotonic_ns();
    if (left_ns <= 0) break;
    shared_->changed.wait_for(shared_->mutex, std::chrono::nanoseconds(left_ns));
  }
  shared_->wanted = 0;
}

void CallGroup::wait_for_all(int64_t until_ns) {
  const os::Lock lock(shared_->mutex);
  wait_for(outstanding_, until_ns);
}

std::optional<CallGroup::Finished> CallGroup::next(int64_t until_ns) {
  if (outstanding_ == 0) return std::nullopt;
  const os::Lock lock(shared_->mutex);
  wait_for(1, until_ns);
  if (shared_->finished.empty()) return std::nullopt;
  Finished finished = std::move(shared_->finished.front());
  shared_->finished.pop_front();
  --outstanding_;
  return finished;
}

}  // namespace nacre::rpc
