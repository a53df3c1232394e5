#include "cluster/remote_views.h"

#include <algorithm>

#include "block/cluster_calls.h"

namespace nacre::cluster {
namespace {

constexpr int64_t kLimitNs = 5'000'000'000;

}  // namespace

Result<std::unique_ptr<RemoteViews>> RemoteViews::open(block::NodeClients& clients,
                                                       os::Clock& clock,
                                                       std::vector<os::Address> addresses) {
  std::unique_ptr<RemoteViews> views(new RemoteViews(clients, clock, std::move(addresses)));
  TRY(views->refresh());
  return views;
}

std::shared_ptr<const block::ClusterView> RemoteViews::view() {
  const os::Lock lock(mutex_);
  return view_;
}

// Those given first, then nodes that were up when last heard of, then the others.
std::vector<os::Address> RemoteViews::candidates() {
  std::vector<os::Address> all = addresses_;
  const auto known = view();
  if (known == nullptr) return all;
  for (const bool up : {true, false}) {
    for (const wire::ClusterNode& node : known->map.nodes) {
      if (known->up.contains(node.id) != up) continue;
      for (const std::string& text : node.addresses) {
        const auto address = os::parse_address(text);
        if (address.ok() && std::ranges::find(all, *address) == all.end()) all.push_back(*address);
      }
    }
  }
  return all;
}

Status RemoteViews::refresh() {
  Error last(Code::kUnavailable, "no address of a node is given");
  for (const os::Address& address : candidates()) {
    const Status asked = ask(address);
    if (asked.ok()) return asked;
    last = asked.error();
  }
  return last;
}

Status RemoteViews::ask(const os::Address& address) {
  const auto known = view();
  const rpc::Reply reply =
      TRY(clients_.at(address).call({.method = static_cast<uint16_t>(block::Method::kGetMap),
                                     .deadline_ns = clock_.monotonic_ns() + kLimitNs}));
  block::ClusterView view = TRY(block::decode_view(as_text(reply.payload.view())));
  // A node that hears nothing of the others must not take us back.
  if (known != nullptr && view.map.epoch < known->map.epoch) {
    return Error(Code::kUnavailable, address.to_string() + " is behind the other nodes");
  }
  const os::Lock lock(mutex_);
  view_ = std::make_shared<const block::ClusterView>(std::move(view));
  return {};
}

}  // namespace nacre::cluster
