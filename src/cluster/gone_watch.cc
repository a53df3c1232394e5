#include "cluster/gone_watch.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>

#include "cluster/layout_changes.h"

namespace nacre::cluster {
namespace {

constexpr int64_t kLongestPauseNs = 10'000'000'000;

}  // namespace

void GoneWatch::start() {
  if (out_after_ns_ != 0) thread_ = os::Thread("gone-watch", [this] { run(); });
}

void GoneWatch::stop() {
  {
    const os::Lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void GoneWatch::run() {
  const int64_t pause_ns = std::min(kLongestPauseNs, out_after_ns_ / 4 + 1);
  for (;;) {
    look();
    const os::Lock lock(mutex_);
    if (!stopping_) changed_.wait_for(mutex_, std::chrono::nanoseconds(pause_ns));
    if (stopping_) return;
  }
}

void GoneWatch::look() {
  const std::shared_ptr<const block::ClusterView> view = registry_.view();
  const int64_t now_ns = clock_.monotonic_ns();
  std::erase_if(down_since_, [&](const auto& each) {
    return view->up.contains(each.first) || view->map.find_node(each.first) == nullptr;
  });
  for (const wire::ClusterNode& node : view->map.nodes) {
    if (view->up.contains(node.id)) continue;
    const int64_t since_ns = down_since_.try_emplace(node.id, now_ns).first->second;
    if (now_ns - since_ns >= out_after_ns_) give_up(node.id);
  }
}

void GoneWatch::give_up(wire::NodeId node) {
  const std::shared_ptr<const block::ClusterView> view = registry_.view();
  const auto is_in_use = [&](const wire::ClusterDevice& device) {
    return device.node == node && device.state == wire::DeviceState::kIn;
  };
  if (std::ranges::none_of(view->map.devices, is_in_use)) return;
  const place::IsUp is_up = [&](wire::DeviceNumber device) { return view->is_up(device); };
  bool given_up = false;
  const Status changed = registry_.change([&](ClusterState& state) -> Status {
    given_up = can_do_without(state, node, is_up);
    return given_up ? set_node_out(state, node, true) : Status();
  });
  if (!changed.ok()) {
    spdlog::warn("giving up node {}: {}", to_hex(node), changed.error().to_string());
  } else if (given_up) {
    spdlog::warn("node {} is down for long: its fragments are made anew on others", to_hex(node));
  }
}

}  // namespace nacre::cluster
