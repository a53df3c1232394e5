// A client's view of a cluster: asked of any of its nodes. Safe from any thread.
#pragma once

#include <memory>
#include <vector>

#include "block/cluster_view.h"
#include "block/node_clients.h"
#include "os/clock.h"
#include "os/mutex.h"

namespace nacre::cluster {

class RemoteViews final : public block::ViewSource {
 public:
  // Asks the nodes at `addresses`, one after another, until one answers: kUnavailable if none does.
  // `clients` outlives it.
  static Result<std::unique_ptr<RemoteViews>> open(block::NodeClients& clients, os::Clock& clock,
                                                   std::vector<os::Address> addresses);

  std::shared_ptr<const block::ClusterView> view() override;
  // Asks the nodes it knows of as well.
  Status refresh() override;

 private:
  RemoteViews(block::NodeClients& clients, os::Clock& clock, std::vector<os::Address> addresses)
      : clients_(clients), clock_(clock), addresses_(std::move(addresses)) {}
  Status ask(const os::Address& address);
  std::vector<os::Address> candidates();

  block::NodeClients& clients_;
  os::Clock& clock_;
  const std::vector<os::Address> addresses_;
  os::Mutex mutex_;  // a leaf
  std::shared_ptr<const block::ClusterView> view_ GUARDED_BY(mutex_);
};

}  // namespace nacre::cluster
