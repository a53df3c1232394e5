#include "etcd/watch.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace nacre::etcd {
namespace {

using std::chrono::nanoseconds;

constexpr int kPauseGrowthMax = 20;

}  // namespace

Watch::Watch(Client& client, const std::string& prefix, WatchHandlers handlers,
             WatchOptions options)
    : client_(client),
      range_(KeyRange::prefix(prefix)),
      handlers_(std::move(handlers)),
      options_(options),
      thread_("etcd-watch", [this] { run(); }) {}

Watch::~Watch() {
  {
    const os::Lock lock(mutex_);
    stopping_ = true;
    if (stream_ != nullptr) stream_->cancel();
    changed_.notify_all();
  }
  thread_.join();
}

Revision Watch::revision() const {
  const os::Lock lock(mutex_);
  return revision_;
}

std::optional<Error> Watch::trouble() const {
  const os::Lock lock(mutex_);
  return trouble_;
}

bool Watch::stopping() const {
  const os::Lock lock(mutex_);
  return stopping_;
}

bool Watch::pause(nanoseconds length) {
  const int64_t end_ns = os::real_clock().monotonic_ns() + length.count();
  const os::Lock lock(mutex_);
  while (!stopping_) {
    const int64_t left_ns = end_ns - os::real_clock().monotonic_ns();
    if (left_ns <= 0) return true;
    changed_.wait_for(mutex_, nanoseconds(left_ns));
  }
  return false;
}

void Watch::advance(Revision revision) {
  const os::Lock lock(mutex_);
  revision_ = std::max(revision_, revision);
  trouble_.reset();
  progressed_ = true;
}

void Watch::run() {
  nanoseconds wait = options_.retry_pause;
  do {
    const Status ended = listed_ ? follow() : list();
    if (ended.ok()) {
      wait = {};
      continue;
    }
    if (std::exchange(progressed_, false)) wait = options_.retry_pause;
    wait = std::clamp(2 * wait, options_.retry_pause, kPauseGrowthMax * options_.retry_pause);
    const os::Lock lock(mutex_);
    trouble_ = ended.error();
  } while (pause(wait));
}

Status Watch::list() {
  Page all;
  KeyRange rest = range_;
  do {
    Page page = TRY(client_.page(rest, {.at = all.revision, .deadline = options_.list_deadline}));
    if (stopping()) return Code::kCancelled;
    if (all.revision == Revision{}) all.revision = page.revision;
    std::ranges::move(page.rows, std::back_inserter(all.rows));
    all.more = page.more && !page.rows.empty();
    if (all.more) rest.lower = all.rows.back().key + '\0';
  } while (all.more);
  listed_ = true;
  handlers_.on_snapshot(all.revision, std::move(all.rows));
  advance(all.revision);
  return {};
}

Status Watch::follow() {
  const auto stream = client_.watch(range_, {revision().value + 1});
  {
    const os::Lock lock(mutex_);
    if (stopping_) return Code::kCancelled;
    stream_ = stream.get();
  }
  unfinished_.clear();
  Status status;
  bool asked = false;
  while (status.ok() && !stopping()) {
    auto reply = stream->next(options_.patience);
    if (!reply.ok()) {
      status = std::move(reply).error();
    } else if (*reply) {
      asked = false;
      status = take(std::move(**reply));
    } else if (!asked) {
      stream->ping();
      asked = true;
    } else {
      status = Error(Code::kUnavailable, "a watch of etcd gives no sign of life");
    }
  }
  if (!status.ok()) stream->avoid();
  const os::Lock lock(mutex_);
  stream_ = nullptr;
  return status;
}

Status Watch::take(WatchReply reply) {
  switch (reply.kind) {
    case WatchReply::Kind::kCreated:
    case WatchReply::Kind::kAlive:
      advance({});
      return {};
    case WatchReply::Kind::kProgress:
      advance(reply.revision);
      return {};
    case WatchReply::Kind::kCompacted:
      listed_ = false;
      return Error(Code::kBelowFloor, "etcd has compacted events that this watch had yet to see");
    case WatchReply::Kind::kCancelled:
      return Error(Code::kUnavailable, "etcd ended a watch: " + reply.reason);
    case WatchReply::Kind::kEvents:
      break;
  }
  std::ranges::move(reply.events, std::back_inserter(unfinished_));
  std::vector<Event> events = std::exchange(unfinished_, {});
  if (reply.unfinished && !events.empty()) {
    const Revision last = events.back().row.modified;
    const auto begin =
        std::ranges::find_if(events, [&](const Event& each) { return each.row.modified == last; });
    unfinished_.assign(std::move_iterator(begin), std::move_iterator(events.end()));
    events.erase(begin, events.end());
  }
  deliver(std::move(events));
  return {};
}

void Watch::deliver(std::vector<Event> events) {
  // What was given already is not given again, should an endpoint send it.
  const Revision given = revision();
  std::erase_if(events, [&](const Event& each) { return each.row.modified <= given; });
  if (events.empty()) return;
  const Revision last = events.back().row.modified;
  handlers_.on_events(last, std::move(events));
  advance(last);
}

}  // namespace nacre::etcd
