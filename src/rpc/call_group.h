// Several calls at once, to one server or many, whose answers are taken as they come. For one
// thread. What is still under way when it is destroyed is cancelled.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "os/clock.h"
#include "os/mutex.h"
#include "rpc/client.h"

namespace nacre::rpc {

class CallGroup {
 public:
  explicit CallGroup(os::Clock& clock);
  ~CallGroup();
  CallGroup(const CallGroup&) = delete;
  CallGroup& operator=(const CallGroup&) = delete;

  // `tag` is given back with the answer. `client` outlives the group.
  void start(Client& client, Request request, size_t tag);
  // Calls whose answers were not taken yet.
  size_t outstanding() const { return outstanding_; }

  struct Finished {
    size_t tag = 0;
    Result<Reply> result = Error(Code::kCancelled);
  };
  // The next answer, by the order of coming; none when `until_ns` has passed (0: waits for ever) or
  // nothing is outstanding.
  std::optional<Finished> next(int64_t until_ns);
  // Waits until all have come, or `until_ns` has passed. Waking once is cheaper than for each.
  void wait_for_all(int64_t until_ns);

 private:
  struct Shared {
    os::Mutex mutex;
    os::CondVar changed;
    std::deque<Finished> finished GUARDED_BY(mutex);
    size_t wanted GUARDED_BY(mutex) = 0;  // of them, by who waits; 0: nobody does
  };
  struct Started {
    Client* client;
    uint64_t call;
  };

  void wait_for(size_t count, int64_t until_ns) REQUIRES(shared_->mutex);

  os::Clock& clock_;
  const std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
  std::vector<Started> started_;
  size_t outstanding_ = 0;
};

}  // namespace nacre::rpc
