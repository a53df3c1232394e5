// A prefix of etcd's rows, followed: first all rows as of one revision, then every change, in
// order, none skipped and none given twice, however often connections break and members change.
//
// When the watch cannot go on where it was, because etcd has compacted the events away meanwhile,
// it lists all rows anew and gives a snapshot again. Silence is noticed: an endpoint that gives no
// sign of life for a while is left for another.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "etcd/client.h"
#include "os/clock.h"
#include "os/mutex.h"
#include "os/thread.h"

namespace nacre::etcd {

// Called on the watch's own thread, one at a time; while one runs, nothing is received.
struct WatchHandlers {
  // All rows there are, as of `revision`; replaces whatever was known before.
  std::function<void(Revision revision, std::vector<Row> rows)> on_snapshot;
  // Whole revisions, in order; `revision` is that of the last event.
  std::function<void(Revision revision, std::vector<Event> events)> on_events;
};

struct WatchOptions {
  // Silent for this long, an endpoint is asked for a sign of life; for twice this, it is left.
  std::chrono::nanoseconds patience = std::chrono::seconds(3);
  // Between attempts; doubled with each up to twenty times that.
  std::chrono::nanoseconds retry_pause = std::chrono::milliseconds(50);
  // For each page of a snapshot: how long the destructor may have to wait if etcd cannot be
  // reached.
  std::chrono::nanoseconds list_deadline = std::chrono::seconds(1);
};

class Watch {
 public:
  // Begins at once. `client` outlives it.
  Watch(Client& client, const std::string& prefix, WatchHandlers handlers,
        WatchOptions options = {});
  // No handler runs afterwards. Must not be called by a handler.
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // All changes up to this revision have been given; 0 before the first snapshot. It also grows
  // while nothing changes below the prefix. From any thread.
  Revision revision() const;
  // Why it does not get on at present; none while it does. From any thread.
  std::optional<Error> trouble() const;

 private:
  void run();
  // Each returns when something failed, or the watch was stopped.
  Status list();
  Status follow();
  Status take(WatchReply reply);
  void deliver(std::vector<Event> events);

  bool stopping() const;
  bool pause(std::chrono::nanoseconds length);
  void advance(Revision revision);

  Client& client_;
  const KeyRange range_;
  const WatchHandlers handlers_;
  const WatchOptions options_;

  // Of the watch's thread alone.
  bool listed_ = false;
  std::vector<Event> unfinished_;  // the last revision of a reply that the next one may go on with
  bool progressed_ = false;        // since the last pause

  mutable os::Mutex mutex_;  // a leaf
  os::CondVar changed_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  Revision revision_ GUARDED_BY(mutex_);
  std::optional<Error> trouble_ GUARDED_BY(mutex_);
  WatchStream* stream_ GUARDED_BY(mutex_) = nullptr;  // to be cancelled by the destructor

  os::Thread thread_;  // last: it uses all of the above
};

}  // namespace nacre::etcd
