// The registry in etcd. Rows, below "/nacre/":
//
//   map                    the cluster map (docs/format/cluster.md)
//   pgs/POOL/CHUNK         a chunk of a pool's table; numbers in hexadecimal, 4 and 8 digits
//   up/NODE                there while the node's lease lives; NODE is its id
//
// A change is one transaction that compares the revision of the map: of two at a time one wins, and
// the other is applied to what that left.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "cluster/registry.h"
#include "etcd/client.h"
#include "etcd/lease.h"
#include "etcd/watch.h"
#include "os/clock.h"
#include "os/mutex.h"
#include "os/thread.h"

namespace nacre::cluster {

inline constexpr const char* kEtcdPrefix = "/nacre/";

class EtcdRegistry final : public Registry {
 public:
  // Makes a cluster of `state`. kExists when etcd has one already.
  static Status create(etcd::Client& client, const ClusterState& state);
  // Follows the cluster that etcd has. kNotFound when there is none; kInvalid when it is not
  // `cluster`; kTimeout when etcd does not answer within the limit. `client` outlives it.
  static Result<std::unique_ptr<EtcdRegistry>> open(etcd::Client& client, os::Clock& clock,
                                                    wire::ClusterId cluster, int64_t limit_ns);
  ~EtcdRegistry() override;

  std::shared_ptr<const block::ClusterView> view() override;
  Status refresh() override;
  Status change(const Change& change) override;
  void set_listener(std::function<void()> listener) override;

  // From now on the node is up, as long as this lives and etcd hears of it. `coming_back` is
  // called, on a thread of the registry, each time before the node is up again after etcd had not
  // heard of it; it must not wait.
  void announce(wire::NodeId node, std::function<void()> coming_back);
  // Not any more.
  void withdraw();
  // Why nothing new is heard; none while all is well.
  std::optional<Error> trouble() const;

 private:
  EtcdRegistry(etcd::Client& client, os::Clock& clock) : client_(client), clock_(clock) {}

  void take_snapshot(const std::vector<etcd::Row>& rows);
  void take_events(const std::vector<etcd::Event>& events);
  void publish();
  Status wait_until(etcd::Revision revision, int64_t limit_ns);
  void keep_announced(wire::NodeId node, const std::function<void()>& coming_back);

  etcd::Client& client_;
  os::Clock& clock_;
  std::map<std::string, std::string> rows_;  // of the watch's thread alone

  mutable os::Mutex mutex_;  // a leaf
  os::CondVar changed_;
  std::shared_ptr<const block::ClusterView> view_ GUARDED_BY(mutex_);
  etcd::Revision seen_ GUARDED_BY(mutex_);
  std::optional<Error> broken_ GUARDED_BY(mutex_);  // what etcd has makes no sense
  bool stopping_ GUARDED_BY(mutex_) = false;
  os::Mutex listener_mutex_;  // held while the listener runs
  std::function<void()> listener_ GUARDED_BY(listener_mutex_);

  std::unique_ptr<etcd::Watch> watch_;
  os::Thread announcer_;
};

}  // namespace nacre::cluster
