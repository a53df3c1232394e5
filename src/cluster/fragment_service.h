// What a node does with fragments: keeps them on its devices, gives them out, forgets them, lists
// them. Safe from any thread.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <map>

#include "block/cluster_calls.h"
#include "block/cluster_view.h"
#include "cluster/device_set.h"
#include "cluster/durable_queue.h"
#include "os/clock.h"
#include "os/mutex.h"
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

  // Whoever puts a large object and gives no sign of life for `grace_ns` may be thought dead.
  FragmentService(os::Clock& clock, DeviceSet& devices, block::ViewSource& views, Healer heal,
                  int64_t grace_ns);

  // Of the methods on fragments; kUnsupported for others. Fragments are given out only after
  // open_for_reads(): what was deleted while the node was away may still be here before.
  Result<rpc::Answer> handle(rpc::ServerCall& call);
  void open_for_reads() { open_for_reads_ = true; }
  void close_for_reads() { open_for_reads_ = false; }
  FragmentCounters counters() const;

  // The same for this node's own use. put() is durable when it returns.
  Status put(const block::PutFragment& call, ByteView payload, uint64_t payload_xxh64);
  // The same of a fragment made anew: `note` is of any fragment of the block.
  Status store(const block::FragmentPlace& place, const wire::FragmentNote& note, ByteView payload);
  bool has(const block::FragmentPlace& place);
  // What is known of it, without its payload.
  Result<wire::FragmentNote> note(const block::FragmentPlace& place);
  // Reads all of it, so that damage shows; its note.
  Result<wire::FragmentNote> verify(const block::FragmentPlace& place);
  Status remove(const block::FragmentPlace& place, block::Removal what);
  Status fence(const block::FragmentPlace& place);
  void keep(BlockId object);
  // Whether it is remembered as deleted.
  bool is_deleted(const block::FragmentPlace& place);

 private:
  Result<std::shared_ptr<device::Device>> device_of(wire::DeviceNumber number);
  Result<rpc::Answer> put(rpc::ServerCall& call);
  Result<std::shared_ptr<device::Device>> write(const block::PutFragment& call, ByteView payload,
                                                uint64_t payload_xxh64);
  Status admit(device::Device& device, const block::PutFragment& call, ByteView payload);
  bool is_kept(BlockId object);
  os::Mutex& admission_of(BlockId id) { return admissions_[id.low % admissions_.size()]; }
  Status check_owner(const block::FragmentPlace& place);
  Result<rpc::Answer> get(const block::GetFragment& call);
  Result<rpc::Answer> list(const block::ListFragments& call);

  os::Clock& clock_;
  DeviceSet& devices_;
  block::ViewSource& views_;
  const Healer heal_;
  const int64_t grace_ns_;
  const int64_t begun_ns_;
  // By id: what is refused and what is stored is decided by one at a time. Taken before those of
  // the device.
  std::array<os::Mutex, 64> admissions_;
  os::Mutex mutex_;                                     // a leaf
  std::map<BlockId, int64_t> kept_ GUARDED_BY(mutex_);  // when its writer was heard of last
  std::atomic<bool> open_for_reads_ = false;
  std::atomic<uint64_t> puts_ = 0;
  std::atomic<uint64_t> gets_ = 0;
  std::atomic<uint64_t> removals_ = 0;
  std::atomic<uint64_t> put_bytes_ = 0;
  std::atomic<uint64_t> get_bytes_ = 0;
  DurableQueue durable_;  // ends first: it uses the rest
};

}  // namespace nacre::cluster
