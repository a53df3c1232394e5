// The devices of a node: those it was told of, opened. Any thread may call everything; a device
// stays open as long as somebody holds it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "device/device.h"
#include "os/mutex.h"
#include "wire/cluster_layout.h"

namespace nacre::cluster {

struct OpenDevice {
  std::string path;
  std::shared_ptr<device::Device> device;
};

class DeviceSet {
 public:
  DeviceSet(device::Host host, wire::ClusterId cluster) : host_(host), cluster_(cluster) {}
  ~DeviceSet();

  // Opens the device at `path`: kInvalid if it is of another cluster, else as Device::open().
  Result<wire::DeviceId> open(const std::string& path);
  // kNotFound.
  Result<std::shared_ptr<device::Device>> find(wire::DeviceId id);
  std::vector<OpenDevice> list();
  // Closes it once nobody uses it.
  void forget(wire::DeviceId id);
  // Leaves all so that opening them again is quick. Nothing may be called after.
  Status close();

 private:
  const device::Host host_;
  const wire::ClusterId cluster_;
  os::Mutex mutex_;  // a leaf
  std::map<wire::DeviceId, OpenDevice> devices_ GUARDED_BY(mutex_);
};

}  // namespace nacre::cluster
