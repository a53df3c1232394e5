// For the tests of this folder: nodes in this process, each with a server on loopback and a device
// in a directory of its own, and a client of them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "block/objects.h"
#include "cluster/fragment_service.h"
#include "os/file_system.h"
#include "os/temp_directory.h"

namespace nacre::cluster {

// A view that tests change.
class TestViews final : public block::ViewSource {
 public:
  std::shared_ptr<const block::ClusterView> view() override {
    const os::Lock lock(mutex_);
    return view_;
  }
  Status refresh() override {
    const os::Lock lock(mutex_);
    return cut_off_ ? Status(Error(Code::kUnavailable, "nobody can be asked")) : Status();
  }
  // Nothing newer is heard.
  void cut_off(bool cut_off) {
    const os::Lock lock(mutex_);
    cut_off_ = cut_off;
  }
  void set(block::ClusterView view) {
    const os::Lock lock(mutex_);
    view_ = std::make_shared<const block::ClusterView>(std::move(view));
  }
  template <class Change>
  void change(Change change_it) {
    block::ClusterView copy = *view();
    change_it(copy);
    set(std::move(copy));
  }

 private:
  os::Mutex mutex_;
  bool cut_off_ GUARDED_BY(mutex_) = false;
  std::shared_ptr<const block::ClusterView> view_ GUARDED_BY(mutex_) =
      std::make_shared<block::ClusterView>();
};

struct TestNode {
  wire::NodeId id;
  std::string path;
  std::unique_ptr<DeviceSet> devices;
  std::unique_ptr<FragmentService> service;
  std::unique_ptr<rpc::Server> server;
  uint16_t port = 0;
  os::Mutex mutex;
  os::CondVar changed;
  int64_t delay_ns GUARDED_BY(mutex) = 0;  // before each answer
  std::vector<block::FragmentPlace> to_heal GUARDED_BY(mutex);
};

class ClusterRig {
 public:
  ClusterRig(unsigned count, codec::ErasureCode code, uint32_t pgs = 16) {
    block::ClusterView view;
    view.map.cluster = kCluster;
    view.map.epoch = 1;
    for (unsigned i = 0; i < count; ++i) add_node(view);
    view.map.next_device = {count + 1};
    view.map.pools = {
        {.id = 1, .code = code, .first_placement = 0, .span_bits = 19, .pg_count = pgs}};
    wire::PgTable table(view.map.pools.front());
    for (uint32_t pg = 0; pg < pgs; ++pg) {
      for (unsigned i = 0; i < code.n() && i < count; ++i) {
        table.devices(pg)[i] = {(pg + i) % count + 1};
      }
    }
    view.tables[1] = table;
    views.set(std::move(view));
    clients = std::make_unique<block::NodeClients>(os::real_clock(), rpc::Security{},
                                                   rpc::ClientOptions{.retry_after_ns = 1'000'000});
    blocks = std::make_unique<block::ClusterBlocks>(os::real_clock(), os::real_random(), views,
                                                    *clients, options);
    objects = std::make_unique<block::Objects>(*blocks, block::ObjectsOptions{.part_bytes = kPart});
  }

  void kill(unsigned i) {
    nodes[i]->server = nullptr;
    views.change([&](block::ClusterView& view) { view.up.erase(nodes[i]->id); });
  }
  // As kill(), but nobody has noticed yet.
  void kill_unnoticed(unsigned i) { nodes[i]->server = nullptr; }
  void revive(unsigned i) {
    serve(*nodes[i], nodes[i]->port);
    views.change([&](block::ClusterView& view) { view.up.insert(nodes[i]->id); });
  }
  void slow_down(unsigned i, int64_t ns) {
    const os::Lock lock(nodes[i]->mutex);
    nodes[i]->delay_ns = ns;
    nodes[i]->changed.notify_all();
  }

  Result<BlockId> put(const std::string& bytes) {
    size_t at = 0;
    return objects->put(code(), [&](MutableBytes into) -> Result<size_t> {
      const size_t count = std::min(into.size(), bytes.size() - at);
      std::memcpy(into.data(), bytes.data() + at, count);
      at += count;
      return count;
    });
  }
  Result<std::string> get(BlockId id, uint64_t offset = 0, uint64_t length = UINT64_MAX) {
    std::string bytes;
    TRY(objects->get(id, offset, length, [&](ByteView some) {
      bytes.append(as_text(some));
      return Status();
    }));
    return bytes;
  }
  codec::ErasureCode code() { return views.view()->map.pools.front().code; }

  // Fragments and marks on all nodes.
  uint64_t records() {
    uint64_t sum = 0;
    for (const auto& node : nodes) {
      for (const OpenDevice& open : node->devices->list()) sum += open.device->usage().records;
    }
    return sum;
  }
  device::Device& device(unsigned i) { return *nodes[i]->devices->list().front().device; }

  static constexpr uint32_t kPart = 64 * 1024;
  static constexpr wire::ClusterId kCluster{7, 7};
  block::ClusterBlocksOptions options{.write_limit_ns = 2'000'000'000,
                                      .read_limit_ns = 5'000'000'000};
  static constexpr int64_t grace_ns = 50'000'000;
  os::TempDirectory directory;
  std::vector<std::unique_ptr<TestNode>> nodes;
  TestViews views;
  std::unique_ptr<block::NodeClients> clients;
  std::unique_ptr<block::ClusterBlocks> blocks;
  std::unique_ptr<block::Objects> objects;

 private:
  void add_node(block::ClusterView& view) {
    const device::Host host{os::real_file_system(), os::real_clock(), os::real_random()};
    auto node = std::make_unique<TestNode>();
    node->id = {1, nodes.size() + 1};
    node->path = directory.path() + "/" + std::to_string(nodes.size());
    const auto made = device::Device::format(
        host, node->path, {.volume = kCluster, .segment_bytes = 4 << 20, .block_bytes = 256 << 10});
    ASSERT_TRUE(made.ok()) << made.error().to_string();
    node->devices = std::make_unique<DeviceSet>(host, kCluster);
    ASSERT_TRUE(node->devices->open(node->path).ok());
    node->service = std::make_unique<FragmentService>(
        os::real_clock(), *node->devices, views,
        [raw = node.get()](const block::FragmentPlace& place) {
          const os::Lock lock(raw->mutex);
          raw->to_heal.push_back(place);
          raw->changed.notify_all();
        },
        grace_ns);
    node->service->open_for_reads();
    serve(*node, 0);
    view.map.nodes.push_back(
        {.id = node->id, .addresses = {"127.0.0.1:" + std::to_string(node->port)}});
    view.map.devices.push_back({.number = {static_cast<uint32_t>(nodes.size() + 1)},
                                .id = made->device,
                                .node = node->id,
                                .weight_bytes = 1 << 30});
    view.up.insert(node->id);
    nodes.push_back(std::move(node));
  }

  static void serve(TestNode& node, uint16_t port) {
    const auto handle = [raw = &node](rpc::ServerCall& call) {
      {
        const os::Lock lock(raw->mutex);
        const int64_t until_ns = os::real_clock().monotonic_ns() + raw->delay_ns;
        while (raw->delay_ns != 0 && os::real_clock().monotonic_ns() < until_ns) {
          raw->changed.wait_for(raw->mutex, std::chrono::milliseconds(1));
        }
      }
      return raw->service->handle(call);
    };
    auto started = rpc::Server::start(os::real_clock(), {"127.0.0.1", port}, {},
                                      {.handle = handle, .guests_may = {}});
    ASSERT_TRUE(started.ok()) << started.error().to_string();
    node.server = started.take();
    node.port = node.server->port();
  }
};

// Bytes that differ everywhere.
inline std::string bytes_of(size_t size, uint64_t seed = 1) {
  os::SeededRandom random(seed);
  std::string bytes;
  while (bytes.size() < size) {
    const uint64_t next = random.next();
    bytes.append(reinterpret_cast<const char*>(&next), sizeof(next));
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace nacre::cluster
