// Damages fragments of this node on purpose, where `nacre corrupt` says so: for tests of whatever
// is to notice it and mend it. Safe from any thread.
#pragma once

#include "cluster/device_set.h"
#include "node/json.h"

namespace nacre::cluster {

// Of the fragment that `device`, `block` and `fragment` name, either inverts `bytes` bytes from
// `offset` under their checksums, or with `drop` forgets it without leaving a mark that it was
// deleted. Durable on return. Says where it was: `path`, and of bytes `segment` and `segment_byte`.
// kNotFound when the fragment is not there; kUnavailable when the device is not open here;
// kOutOfRange as Device::flip().
Result<node::Json> corrupt_fragment(DeviceSet& devices, node::Arguments& arguments);

}  // namespace nacre::cluster
