#include "cluster/node_health.h"

#include <algorithm>

namespace nacre::cluster {
namespace {

std::string one_line(std::string text) {
  std::ranges::replace_if(text, [](unsigned char each) { return each < ' '; }, ' ');
  return text;
}

}  // namespace

std::vector<DeviceCondition> conditions_of(const NodeConfig& config, DeviceSet& devices) {
  const std::vector<OpenDevice> open = devices.list();
  std::vector<DeviceCondition> conditions;
  for (const std::string& path : config.devices) {
    const auto found = std::ranges::find(open, path, &OpenDevice::path);
    conditions.push_back({.path = path, .open = found == open.end() ? nullptr : found->device});
  }
  return conditions;
}

std::optional<std::string> ailment_of(const std::optional<Error>& registry_trouble,
                                      const std::vector<DeviceCondition>& devices,
                                      const HealStatus& healing) {
  if (registry_trouble) return one_line("etcd: " + registry_trouble->to_string());
  for (const DeviceCondition& device : devices) {
    if (device.open == nullptr) return one_line("device " + device.path + " does not open");
    if (!device.good()) return one_line("device " + device.path + " takes no writes");
  }
  if (healing.caught_up) return {};
  std::string why = "what happened while the node was away is not made good yet";
  if (!healing.trouble.empty()) why += ": " + healing.trouble;
  return one_line(std::move(why));
}

}  // namespace nacre::cluster
