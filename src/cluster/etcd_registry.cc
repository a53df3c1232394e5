#include "cluster/etcd_registry.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>

#include "cluster/ids.h"
#include "wire/cursor.h"

namespace nacre::cluster {
namespace {

using namespace std::chrono_literals;

constexpr int kChangeTries = 64;
constexpr auto kUpFor = 8s;  // after the last word of a node
constexpr int64_t kFollowLimitNs = 5'000'000'000;

std::string map_key() { return std::string(kEtcdPrefix) + "map"; }
std::string chunk_key(uint16_t pool, uint32_t chunk) {
  return fmt::format("{}pgs/{:04x}/{:08x}", kEtcdPrefix, pool, chunk);
}
std::string up_prefix() { return std::string(kEtcdPrefix) + "up/"; }

Result<wire::NodeId> node_of_key(const std::string& key) {
  auto id = parse_id<wire::NodeId>(key.substr(up_prefix().size()));
  if (!id.ok()) return Error(Code::kCorrupt, "etcd has a node that is none: " + key);
  return id;
}

Result<block::ClusterView> view_of(const std::map<std::string, std::string>& rows) {
  const auto map = rows.find(map_key());
  if (map == rows.end()) return Error(Code::kNotFound, "etcd has no cluster of Nacre's");
  block::ClusterView view;
  view.map = TRY(wire::decode_cluster_map(as_bytes(map->second)));
  for (const wire::Pool& pool : view.map.pools) {
    wire::PgTable& table = view.tables.emplace(pool.id, wire::PgTable(pool)).first->second;
    for (uint32_t chunk = 0; chunk < wire::chunk_count_of(pool.pg_count); ++chunk) {
      const auto row = rows.find(chunk_key(pool.id, chunk));
      if (row == rows.end()) {
        return Error(Code::kCorrupt, "etcd lacks " + chunk_key(pool.id, chunk));
      }
      TRY(wire::apply_pg_chunk(as_bytes(row->second), table));
    }
  }
  const std::string up = up_prefix();
  for (auto each = rows.lower_bound(up); each != rows.end() && each->first.starts_with(up);
       ++each) {
    view.up.insert(TRY(node_of_key(each->first)));
  }
  return view;
}

// What etcd has to be told to get from one state to the other.
std::vector<etcd::Op> difference(const ClusterState* before, const ClusterState& after) {
  std::vector<etcd::Op> ops;
  ops.emplace_back(etcd::Put{map_key(), wire::encode_cluster_map(after.map)});
  for (const auto& [pool, table] : after.tables) {
    const wire::PgTable* old = nullptr;
    if (before != nullptr && before->tables.contains(pool)) old = &before->tables.at(pool);
    for (uint32_t chunk = 0; chunk < wire::chunk_count_of(table.size()); ++chunk) {
      std::string bytes = wire::encode_pg_chunk(table, chunk);
      if (old != nullptr && wire::encode_pg_chunk(*old, chunk) == bytes) continue;
      ops.emplace_back(etcd::Put{chunk_key(pool, chunk), std::move(bytes)});
    }
  }
  return ops;
}

}  // namespace

Status EtcdRegistry::create(etcd::Client& client, const ClusterState& state) {
  const etcd::TxnResult made = TRY(
      client.transact({.compares = {etcd::absent(map_key())}, .then = difference(nullptr, state)}));
  if (!made.succeeded) return Error(Code::kExists, "etcd has a cluster of Nacre's already");
  return {};
}

Result<std::unique_ptr<EtcdRegistry>> EtcdRegistry::open(etcd::Client& client, os::Clock& clock,
                                                         wire::ClusterId cluster,
                                                         int64_t limit_ns) {
  std::unique_ptr<EtcdRegistry> registry(new EtcdRegistry(client, clock));
  EtcdRegistry* const raw = registry.get();
  registry->watch_ = std::make_unique<etcd::Watch>(
      client, kEtcdPrefix,
      etcd::WatchHandlers{
          .on_snapshot =
              [raw](etcd::Revision revision, const std::vector<etcd::Row>& rows) {
                raw->take_snapshot(rows);
                raw->publish();
                const os::Lock lock(raw->mutex_);
                raw->seen_ = revision;
                raw->changed_.notify_all();
              },
          .on_events =
              [raw](etcd::Revision revision, const std::vector<etcd::Event>& events) {
                raw->take_events(events);
                raw->publish();
                const os::Lock lock(raw->mutex_);
                raw->seen_ = revision;
                raw->changed_.notify_all();
              }});
  TRY(registry->wait_until({1}, limit_ns));
  const auto view = registry->view();
  if (view->map.cluster != cluster) {
    return Error(Code::kInvalid, fmt::format("etcd is of cluster {}, not of {}",
                                             to_hex(view->map.cluster), to_hex(cluster)));
  }
  return registry;
}

EtcdRegistry::~EtcdRegistry() {
  withdraw();
  watch_ = nullptr;
}

void EtcdRegistry::take_snapshot(const std::vector<etcd::Row>& rows) {
  rows_.clear();
  for (const etcd::Row& row : rows) rows_[row.key] = row.value;
}

void EtcdRegistry::take_events(const std::vector<etcd::Event>& events) {
  for (const etcd::Event& event : events) {
    if (event.kind == etcd::Event::Kind::kPut) {
      rows_[event.row.key] = event.row.value;
    } else {
      rows_.erase(event.row.key);
    }
  }
}

// What makes no sense is not believed: the view stays as it was.
void EtcdRegistry::publish() {
  Result<block::ClusterView> view = view_of(rows_);
  {
    const os::Lock lock(mutex_);
    if (view.ok()) {
      view_ = std::make_shared<const block::ClusterView>(view.take());
      broken_.reset();
    } else {
      broken_ = view.error();
    }
  }
  const os::Lock lock(listener_mutex_);
  if (listener_) listener_();
}

std::shared_ptr<const block::ClusterView> EtcdRegistry::view() {
  const os::Lock lock(mutex_);
  return view_;
}

void EtcdRegistry::set_listener(std::function<void()> listener) {
  const os::Lock lock(listener_mutex_);
  listener_ = std::move(listener);
}

Status EtcdRegistry::wait_until(etcd::Revision revision, int64_t limit_ns) {
  const int64_t until_ns = clock_.monotonic_ns() + limit_ns;
  const os::Lock lock(mutex_);
  while (seen_ < revision || view_ == nullptr) {
    if (broken_ && seen_ >= revision) return *broken_;
    const int64_t left_ns = until_ns - clock_.monotonic_ns();
    if (left_ns <= 0) {
      const std::optional<Error> why = watch_->trouble();
      return Error(Code::kTimeout, "etcd does not answer" + (why ? ": " + why->context() : ""));
    }
    changed_.wait_for(mutex_, std::chrono::nanoseconds(std::min<int64_t>(left_ns, 100'000'000)));
    // Nothing below the prefix has changed, but the watch has come that far.
    if (seen_ < revision && watch_->revision() >= revision) seen_ = watch_->revision();
  }
  return {};
}

Status EtcdRegistry::refresh() {
  const auto row = TRY(client_.get(map_key()));
  if (!row) return Error(Code::kNotFound, "etcd has no cluster of Nacre's");
  return wait_until(row->modified, kFollowLimitNs);
}

Status EtcdRegistry::change(const Change& change) {
  for (int i = 0; i < kChangeTries; ++i) {
    const etcd::Page page = TRY(client_.range(etcd::KeyRange::prefix(kEtcdPrefix)));
    std::map<std::string, std::string> rows;
    etcd::Revision revision;
    for (const etcd::Row& row : page.rows) {
      rows[row.key] = row.value;
      if (row.key == map_key()) revision = row.modified;
    }
    block::ClusterView view = TRY(view_of(rows));
    if (view.map.must_stay_read_only()) {
      return Error(Code::kReadOnly,
                   "a later version of Nacre has changed the cluster's map so "
                   "that this one may only read it");
    }
    const ClusterState before{std::move(view.map), std::move(view.tables)};
    ClusterState after = before;
    TRY(change(after));
    if (after.map == before.map && after.tables == before.tables) return {};
    after.map.epoch = before.map.epoch + 1;
    const etcd::TxnResult done = TRY(client_.transact(
        {.compares = {etcd::modified_is(map_key(), etcd::Relation::kEqual, revision)},
         .then = difference(&before, after)}));
    if (done.succeeded) return wait_until(done.revision, kFollowLimitNs);
  }
  return Error(Code::kBusy, "too many nodes change the cluster's map at a time; try again");
}

void EtcdRegistry::announce(wire::NodeId node, std::function<void()> coming_back) {
  {
    const os::Lock lock(mutex_);
    stopping_ = false;
  }
  announcer_ = os::Thread(
      "announce", [this, node, back = std::move(coming_back)] { keep_announced(node, back); });
}

void EtcdRegistry::withdraw() {
  {
    const os::Lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  announcer_.join();
}

// A lease that was lost is replaced: etcd may have been out of reach for a while.
void EtcdRegistry::keep_announced(wire::NodeId node, const std::function<void()>& coming_back) {
  std::unique_ptr<etcd::Lease> lease;
  bool was_away = false;
  for (;;) {
    if (lease == nullptr || lease->lost()) {
      was_away = was_away || lease != nullptr;
      lease = nullptr;
      auto opened = etcd::Lease::open(client_, clock_, kUpFor);
      if (opened.ok()) {
        if (was_away) coming_back();
        const auto put = client_.put(up_prefix() + to_hex(node), "", (*opened)->id());
        if (put.ok()) lease = opened.take();
      }
      was_away = lease == nullptr;
      if (was_away) spdlog::warn("this node cannot say that it is up: etcd is out of reach");
    }
    const os::Lock lock(mutex_);
    if (!stopping_) changed_.wait_for(mutex_, 500ms);
    if (stopping_) return;
  }
}

std::optional<Error> EtcdRegistry::trouble() const {
  {
    const os::Lock lock(mutex_);
    if (broken_) return broken_;
  }
  return watch_->trouble();
}

}  // namespace nacre::cluster
