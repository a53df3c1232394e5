// What a node does with fragments: keeps them on its devices, gives them out, forgets them, lists
// them. Safe from any thread.
#pragma once

#include <atomic>
#include <functional>

#include "block/cluster_calls.h"
#include "block/cluster_view.h"
#include "cluster/device_set.h"
#include "rpc/server.h"

namespace nacre::cluster {

struct FragmentCounters {
  uint64_t puts = 0;
  uint64_t gets = 0;
  uint64_t removals = 0;
  uint64_t put_bytes = 0;
  uint64_t get_bytes = 0;
};

class FragmentService {
 public:
  // Told of fragments that somebody found damaged or missing; must not wait.
  using Healer = std::function<void(const block::FragmentPlace&)>;

  FragmentService(DeviceSet& devices, block::ViewSource& views, Healer heal)
      : devices_(devices), views_(views), heal_(std::move(heal)) {}

  // Of the methods on fragments; kUnsupported for others. Fragments are given out only after
  // open_for_reads(): what was deleted while the node was away may still be here before.
  Result<rpc::Answer> handle(rpc::ServerCall& call);
  void open_for_reads() { open_for_reads_ = true; }
  FragmentCounters counters() const;

  // The same for this node's own use. put() is durable when it returns.
  Status put(const block::PutFragment& call, ByteView payload, uint64_t payload_xxh64);
  // The same of a fragment made anew: `note` is of any fragment of the block.
  Status store(const block::FragmentPlace& place, const wire::FragmentNote& note, ByteView payload);
  bool has(const block::FragmentPlace& place);
  // Reads all of it, so that damage shows; its note.
  Result<wire::FragmentNote> verify(const block::FragmentPlace& place);
  Status remove(const block::FragmentPlace& place, bool leave_mark);
  // Whether it is remembered as deleted.
  bool is_deleted(const block::FragmentPlace& place);

 private:
  Result<std::shared_ptr<device::Device>> device_of(wire::DeviceNumber number);
  Status check_owner(const block::FragmentPlace& place);
  Result<rpc::Answer> get(const block::GetFragment& call);
  Result<rpc::Answer> list(const block::ListFragments& call);

  DeviceSet& devices_;
  block::ViewSource& views_;
  const Healer heal_;
  std::atomic<bool> open_for_reads_ = false;
  std::atomic<uint64_t> puts_ = 0;
  std::atomic<uint64_t> gets_ = 0;
  std::atomic<uint64_t> removals_ = 0;
  std::atomic<uint64_t> put_bytes_ = 0;
  std::atomic<uint64_t> get_bytes_ = 0;
};

}  // namespace nacre::cluster
