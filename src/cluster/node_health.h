// Whether a node is fit to serve, for whoever decides where to send work or whom to wake.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cluster/device_set.h"
#include "cluster/healer.h"
#include "cluster/node_files.h"

namespace nacre::cluster {

// A device that node.json names, as the node finds it now.
struct DeviceCondition {
  std::string path = {};
  std::shared_ptr<device::Device> open = {};  // null: it did not open
  bool good() const { return open != nullptr && !open->health().failed; }
};
std::vector<DeviceCondition> conditions_of(const NodeConfig& config, DeviceSet& devices);

// Why the node is not well, in one line: etcd is not heard of, a device does not open or takes no
// writes, or what happened while it was away is not made good yet. None when all is well.
std::optional<std::string> ailment_of(const std::optional<Error>& registry_trouble,
                                      const std::vector<DeviceCondition>& devices,
                                      const HealStatus& healing);

}  // namespace nacre::cluster
