// Finds out what a device holds when it is opened: reads the header of every segment and the
// summary of every sealed one, walks the others, and makes index and segment table from that. On a
// device opened for writing, segments that a crash left unsealed are made durable as found and
// sealed; they take no more appends. For one thread.
#pragma once

#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "device/core.h"

namespace nacre::device {

class Recovery {
 public:
  explicit Recovery(Core& core) : core_(core) {}

  // Fills core's segment table and index and makes its log. What is damaged is noted in core's
  // findings and left out; fails only when the backing cannot be listed or sealing fails.
  Status run();

 private:
  struct HashKey {
    size_t operator()(const Key& key) const { return hash_of(key); }
  };
  struct HeldTombstone {
    wire::Tombstone tombstone;
    uint32_t holder = 0;
  };
  struct Unsealed {
    SegmentFile file;
    wire::Summary summary;
    bool header_bad = false;
  };

  void load_segment(uint32_t segment);
  void take_contents(uint32_t segment, const SegmentFile& file, SegmentContents contents,
                     bool header_bad);
  void restore_free(uint32_t segment, uint64_t generation, bool exists);
  void restore_damaged(uint32_t segment, uint64_t generation);
  void apply_tombstones();
  void count_live();
  Status seal_unsealed();
  void fill_reserve();

  Core& core_;
  std::vector<Unsealed> unsealed_;
  std::unordered_multimap<Key, HeldTombstone, HashKey> tombstones_;
  // For copies that are dead by a tombstone that will not be kept for their sake.
  std::vector<wire::Tombstone> missing_;
  uint64_t last_generation_ = 0;
  uint64_t last_sequence_ = 0;
};

}  // namespace nacre::device
