#include "cluster/device_set.h"

#include <spdlog/spdlog.h>

namespace nacre::cluster {

DeviceSet::~DeviceSet() = default;

Result<wire::DeviceId> DeviceSet::open(const std::string& path) {
  const device::OpenOptions options{.volume = cluster_};
  std::shared_ptr<device::Device> opened = TRY(device::Device::open(host_, path, options));
  const wire::DeviceId id = opened->identity().device;
  const os::Lock lock(mutex_);
  devices_[id] = {.path = path, .device = std::move(opened)};
  return id;
}

Result<std::shared_ptr<device::Device>> DeviceSet::find(wire::DeviceId id) {
  const os::Lock lock(mutex_);
  const auto found = devices_.find(id);
  if (found == devices_.end()) {
    return Error(Code::kUnavailable, "device " + to_hex(id) + " is not open on this node");
  }
  return found->second.device;
}

std::vector<OpenDevice> DeviceSet::list() {
  const os::Lock lock(mutex_);
  std::vector<OpenDevice> list;
  for (const auto& [id, device] : devices_) list.push_back(device);
  return list;
}

void DeviceSet::forget(wire::DeviceId id) {
  const os::Lock lock(mutex_);
  devices_.erase(id);
}

Status DeviceSet::close() {
  std::map<wire::DeviceId, OpenDevice> closing;
  {
    const os::Lock lock(mutex_);
    closing.swap(devices_);
  }
  Status result;
  for (const auto& [id, open] : closing) {
    const Status closed = open.device->close();
    if (closed.ok()) continue;
    spdlog::error("closing device {}: {}", open.path, closed.error().to_string());
    if (result.ok()) result = closed;
  }
  return result;
}

}  // namespace nacre::cluster
