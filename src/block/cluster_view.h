// A cluster as one moment shows it: which node has which device, which device holds which fragment,
// and who is up. An immutable value, shared; and where to get the newest.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "wire/cluster_layout.h"
#include "wire/pg_layout.h"

namespace nacre::block {

// Where the fragments of a block are; valid as long as the view.
struct Location {
  const wire::Pool* pool = nullptr;
  uint32_t pg = 0;
  std::span<const wire::DeviceNumber> devices = {};  // n
  std::span<const wire::DeviceNumber> sources = {};  // n
};

struct ClusterView {
  wire::ClusterMap map = {};
  std::map<uint16_t, wire::PgTable> tables = {};  // by pool
  std::set<wire::NodeId> up = {};

  // kNotFound when no pool has ids like this one.
  Result<Location> locate(BlockId id) const;
  Location group(const wire::Pool& pool, uint32_t pg) const;
  // Nobody: no such device, or it is out of use.
  const wire::ClusterNode* node_of(wire::DeviceNumber device) const;
  bool is_up(wire::DeviceNumber device) const;
};

std::string encode_view(const ClusterView& view);
// kCorrupt when it is none, or map and tables do not belong together.
Result<ClusterView> decode_view(std::string_view bytes);

// Knows the newest view. Safe from any thread.
class ViewSource {
 public:
  virtual ~ViewSource() = default;
  virtual std::shared_ptr<const ClusterView> view() = 0;
  // Asks for a newer one than the last; kUnavailable when nobody can be asked.
  virtual Status refresh() = 0;
};

}  // namespace nacre::block
