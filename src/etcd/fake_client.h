// An etcd in memory, for tests of what works on a Client. Of transactions it knows puts and
// erasures of single keys without conditions. Its watches break, stall and fragment as a seed says.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "etcd/client.h"
#include "os/mutex.h"
#include "os/random.h"

namespace nacre::etcd {

class FakeClient final : public Client {
 public:
  // Of a hundred replies, this many are a fault instead.
  FakeClient(uint64_t seed, int faults_percent) : random_(seed), faults_percent_(faults_percent) {}

  // Several changes at one revision, which is given back.
  Revision apply(const std::vector<Op>& ops) {
    const os::Lock lock(mutex_);
    const Revision now{history_.size() + 1};
    std::vector<Event> events;
    for (const Op& op : ops) {
      if (const auto* put = std::get_if<Put>(&op)) {
        rows_[put->key] = {.key = put->key, .value = put->value, .modified = now};
        events.push_back({Event::Kind::kPut, rows_[put->key]});
      } else {
        const std::string& key = std::get<Erase>(op).range.lower;
        if (rows_.erase(key) == 0) continue;
        events.push_back({Event::Kind::kErase, {.key = key, .modified = now}});
      }
    }
    history_.push_back(std::move(events));
    changed_.notify_all();
    return now;
  }

  std::map<std::string, Row> rows(const std::string& prefix) const {
    const os::Lock lock(mutex_);
    std::map<std::string, Row> found = rows_;
    std::erase_if(found, [&](const auto& row) { return !row.first.starts_with(prefix); });
    return found;
  }

  // What the next calls to keep_alive() give; the last one for ever.
  void keep_alive_gives(std::vector<Result<GrantedLease>> answers) {
    const os::Lock lock(mutex_);
    keep_alives_ = std::move(answers);
  }
  std::vector<LeaseId> revoked() const {
    const os::Lock lock(mutex_);
    return revoked_;
  }

  Result<Page> page(const KeyRange& range, const PageOptions& options) override {
    const os::Lock lock(mutex_);
    if (fault()) return Error(Code::kUnavailable, "fault");
    const Revision now{history_.size()};
    // Pages of the past are refused, as if compacted, whenever something has changed.
    if (options.at != Revision{} && options.at != now) return Code::kBelowFloor;
    Page page{.revision = now};
    for (auto it = rows_.lower_bound(range.lower); it != rows_.end() && it->first < range.upper;
         ++it) {
      if (page.rows.size() == 3) {  // small pages find more mistakes
        page.more = true;
        break;
      }
      page.rows.push_back(it->second);
    }
    return page;
  }
  Result<TxnResult> transact(const Txn&) override { return Code::kUnsupported; }
  Status compact(Revision revision) override {
    const os::Lock lock(mutex_);
    floor_ = revision;
    return {};
  }

  Result<GrantedLease> grant(std::chrono::seconds ttl) override { return GrantedLease{{77}, ttl}; }
  Result<GrantedLease> keep_alive(LeaseId, std::chrono::nanoseconds) override {
    const os::Lock lock(mutex_);
    CHECK(!keep_alives_.empty());
    Result<GrantedLease> answer = keep_alives_.front();
    if (keep_alives_.size() > 1) keep_alives_.erase(keep_alives_.begin());
    return answer;
  }
  Status revoke(LeaseId id, std::chrono::nanoseconds) override {
    const os::Lock lock(mutex_);
    revoked_.push_back(id);
    return {};
  }
  Result<LeaseStatus> time_to_live(LeaseId) override { return Code::kUnsupported; }

  std::unique_ptr<WatchStream> watch(const KeyRange& range, Revision from) override {
    return std::make_unique<Stream>(*this, range, from);
  }

  void set_endpoints(std::vector<std::string>) override {}
  std::vector<std::string> endpoints() const override { return {"fake"}; }
  Admin& admin() override { check_failed("a fake has no members", __FILE__, __LINE__); }

 private:
  class Stream final : public WatchStream {
   public:
    Stream(FakeClient& etcd, KeyRange range, Revision from)
        : etcd_(etcd), range_(std::move(range)), next_(from) {}

    Result<std::optional<WatchReply>> next(std::chrono::nanoseconds limit) override {
      const os::Lock lock(etcd_.mutex_);
      if (etcd_.fault()) return Error(Code::kUnavailable, "fault");
      if (etcd_.fault()) return std::optional<WatchReply>();
      if (!cancelled_ && next_.value > etcd_.history_.size()) {
        etcd_.changed_.wait_for(etcd_.mutex_, limit);
      }
      if (cancelled_) return Error(Code::kCancelled, "cancelled");
      if (next_ < etcd_.floor_) return std::optional(WatchReply{WatchReply::Kind::kCompacted});
      if (next_.value > etcd_.history_.size()) {
        if (!std::exchange(pinged_, false)) return std::optional<WatchReply>();
        return std::optional(WatchReply{WatchReply::Kind::kAlive});
      }
      return std::optional(reply());
    }
    void ping() override { pinged_ = true; }
    void cancel() override {
      const os::Lock lock(etcd_.mutex_);
      cancelled_ = true;
      etcd_.changed_.notify_all();
    }
    void avoid() override {}

   private:
    // One revision, or a part of one; or nothing but how far we are.
    WatchReply reply() REQUIRES(etcd_.mutex_) {
      const auto& all = etcd_.history_[next_.value - 1];
      const size_t given = std::min(all.size(), offset_ + 1 + etcd_.random_.next() % 3);
      WatchReply reply{WatchReply::Kind::kEvents, {etcd_.history_.size()}};
      for (; offset_ < given; ++offset_) {
        const std::string& key = all[offset_].row.key;
        if (key >= range_.lower && key < range_.upper) reply.events.push_back(all[offset_]);
      }
      reply.unfinished = offset_ < all.size();
      if (!reply.unfinished) {
        if (reply.events.empty() && !half_given_) {
          reply.kind = WatchReply::Kind::kProgress;
          reply.revision = next_;
        }
        ++next_.value;
        offset_ = 0;
      }
      half_given_ = reply.unfinished;
      return reply;
    }

    FakeClient& etcd_;
    const KeyRange range_;
    Revision next_;
    size_t offset_ = 0;  // into the events of next_
    bool half_given_ = false;
    bool pinged_ = false;
    bool cancelled_ = false;
  };

  bool fault() REQUIRES(mutex_) { return static_cast<int>(random_.next() % 100) < faults_percent_; }

  os::SeededRandom random_;
  const int faults_percent_;

  mutable os::Mutex mutex_;  // a leaf; random_ has its own
  os::CondVar changed_;
  std::map<std::string, Row> rows_ GUARDED_BY(mutex_);
  std::vector<std::vector<Event>> history_ GUARDED_BY(mutex_);  // of revision 1 and on
  Revision floor_ GUARDED_BY(mutex_);
  std::vector<Result<GrantedLease>> keep_alives_ GUARDED_BY(mutex_);
  std::vector<LeaseId> revoked_ GUARDED_BY(mutex_);
};

}  // namespace nacre::etcd
