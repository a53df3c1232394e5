#include "cluster/corrupt.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "cluster/ids.h"
#include "codec/erasure_code.h"

namespace nacre::cluster {
namespace {

using node::Json;

struct Aim {
  wire::DeviceId device = {};
  BlockId block = {};
  uint16_t fragment = 0;
  bool drop = false;
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

Result<uint64_t> number_of(node::Arguments& arguments, const char* name) {
  const auto number = TRY(arguments.optional_number(name));
  if (!number) return Error(Code::kInvalid, fmt::format("the argument '{}' is missing", name));
  return *number;
}

Result<Aim> aim_of(node::Arguments& arguments) {
  Aim aim{.device = TRY(parse_id<wire::DeviceId>(TRY(arguments.text("device")))),
          .block = TRY(parse_id<BlockId>(TRY(arguments.text("block")))),
          .drop = TRY(arguments.flag("drop"))};
  const uint64_t fragment = TRY(number_of(arguments, "fragment"));
  // Above these are marks of what was deleted.
  if (fragment >= codec::kMaxFragments) {
    return Error(Code::kInvalid, fmt::format("there is no fragment {}", fragment));
  }
  aim.fragment = static_cast<uint16_t>(fragment);
  if (!aim.drop) {
    aim.offset = TRY(number_of(arguments, "offset"));
    aim.bytes = TRY(number_of(arguments, "bytes"));
  }
  TRY(arguments.finish());
  return aim;
}

std::string path_of(DeviceSet& devices, wire::DeviceId id) {
  for (const OpenDevice& open : devices.list()) {
    if (open.device->identity().device == id) return open.path;
  }
  return "";
}

}  // namespace

Result<Json> corrupt_fragment(DeviceSet& devices, node::Arguments& arguments) {
  const Aim aim = TRY(aim_of(arguments));
  const auto device = TRY(devices.find(aim.device));
  Json done = {{"path", path_of(devices, aim.device)}};
  if (aim.drop) {
    // Removing what is not there would be no error.
    TRY(device->info(aim.block, aim.fragment));
    TRY(device->remove(aim.block, aim.fragment));
    TRY(device->sync());
  } else {
    const auto spot = TRY(device->flip(aim.block, aim.fragment, aim.offset, aim.bytes));
    done["segment"] = spot.segment;
    done["segment_byte"] = spot.offset_bytes;
  }
  spdlog::warn("block {}, fragment {} on device {} was {} on purpose", to_hex(aim.block),
               aim.fragment, device->name(), aim.drop ? "dropped" : "damaged");
  return done;
}

}  // namespace nacre::cluster
