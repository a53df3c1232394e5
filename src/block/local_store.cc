#include "block/local_store.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "block/units.h"
#include "os/thread.h"

namespace nacre::block {
namespace {

// An embedded volume has one fragment of each block; those from here on are parts.
constexpr uint16_t kWhole = 0;
constexpr uint16_t kFirstPart = 1;

BlockInfo info_of(const device::FragmentInfo& info) {
  return {.logical_bytes = info.logical_bytes, .stored_bytes = info.device_bytes};
}

}  // namespace

Result<std::unique_ptr<LocalStore>> LocalStore::open(device::Host host,
                                                     const std::vector<std::string>& paths,
                                                     const device::OpenOptions& options,
                                                     codec::Compression compression) {
  if (paths.empty()) return Error(Code::kInvalid, "a volume needs at least one device");
  std::vector<std::unique_ptr<device::Device>> devices;
  for (const std::string& path : paths) {
    devices.push_back(TRY(device::Device::open(host, path, options)));
  }
  return std::make_unique<LocalStore>(std::move(devices), compression, host.random);
}

LocalStore::LocalStore(std::vector<std::unique_ptr<device::Device>> devices,
                       codec::Compression compression, os::Random& random)
    : devices_(std::move(devices)), compression_(compression), random_(random) {
  CHECK(!devices_.empty());
}

std::vector<device::Device*> LocalStore::placement(uint64_t bytes) {
  std::vector<device::Device*> order;
  for (const auto& device : devices_) order.push_back(device.get());
  if (order.size() == 1) return order;
  std::vector<uint64_t> free_bytes;
  for (device::Device* candidate : order) {
    const uint64_t free = candidate->space().free_bytes;
    free_bytes.push_back(free > bytes && !candidate->health().failed ? free : 0);
  }
  // Those at least half as empty as the emptiest, each as likely as it is empty.
  const uint64_t least = std::ranges::max(free_bytes) / 2;
  uint64_t total = 0;
  for (uint64_t& free : free_bytes) total += free = free >= least ? free : 0;
  if (total == 0) return order;
  uint64_t drawn = random_.next() % total;
  size_t chosen = 0;
  while (drawn >= free_bytes[chosen]) drawn -= free_bytes[chosen++];
  std::swap(order[0], order[chosen]);
  return order;
}

Status LocalStore::put(BlockId id, std::span<const ByteView> parts) {
  return put_fragment(id, kWhole, parts);
}

Status LocalStore::put_fragment(BlockId id, uint16_t fragment, std::span<const ByteView> parts) {
  uint64_t bytes = 0;
  for (const ByteView part : parts) bytes += part.size();
  if (bytes > kMaxBlockBytes) {
    return Error(Code::kTooBig, fmt::format("block {} of {} bytes", to_hex(id), bytes));
  }
  if (devices_.size() > 1 && holder_of(id, fragment) != nullptr) {
    return Error(Code::kExists, "block " + to_hex(id));
  }
  device::Descriptor descriptor{.logical_bytes = static_cast<uint32_t>(bytes)};
  CompressedBlock compressed;
  ByteView payload;
  if (compress_units(compression_, parts, compressed)) {
    descriptor.compression = static_cast<uint8_t>(compression_);
    descriptor.extra = as_bytes(compressed.unit_table);
    payload = as_bytes(compressed.payload);
    parts = {&payload, 1};
    bytes = payload.size();
  }
  Status outcome;
  for (device::Device* target : placement(bytes)) {
    Status put = target->put(id, fragment, parts, descriptor);
    if (put.ok() || put.code() == Code::kExists) return put;
    // That one is full matters more than that another has failed: room can be made.
    if (outcome.ok() || put.code() == Code::kNoSpace) outcome = std::move(put);
  }
  return outcome;
}

Status LocalStore::sync() {
  std::vector<device::Device*> dirty;
  for (const auto& device : devices_) {
    if (device->has_unsynced()) dirty.push_back(device.get());
  }
  if (dirty.empty()) return {};
  // Disks sync side by side.
  std::vector<Status> outcomes(dirty.size());
  {
    std::vector<os::Thread> others;
    for (size_t i = 1; i < dirty.size(); ++i) {
      others.emplace_back("nacre-sync", [&, i] { outcomes[i] = dirty[i]->sync(); });
    }
    outcomes[0] = dirty[0]->sync();
  }
  for (Status& outcome : outcomes) TRY(std::move(outcome));
  return {};
}

device::Device* LocalStore::holder_of(BlockId id, uint16_t fragment) {
  for (const auto& device : devices_) {
    if (device->info(id, fragment).ok()) return device.get();
  }
  return nullptr;
}

Status LocalStore::read(BlockId id, uint64_t offset, MutableBytes into) {
  return read_fragment(id, kWhole, offset, into);
}

Status LocalStore::read_fragment(BlockId id, uint16_t number, uint64_t offset, MutableBytes into) {
  Error error(Code::kNotFound, "block " + to_hex(id));
  for (const auto& device : devices_) {
    const Result<device::Fragment> fragment = device->find(id, number);
    Status read = fragment.ok() ? read_units(*fragment, offset, into) : fragment.error();
    if (read.ok() || read.code() == Code::kOutOfRange) return read;
    if (read.code() != Code::kNotFound) {
      error = Error(read.code(), fmt::format("block {}: {}", to_hex(id), read.error().context()));
    }
  }
  return error;
}

Status LocalStore::remove(BlockId id) { return remove_fragment(id, kWhole); }

Status LocalStore::remove_fragment(BlockId id, uint16_t fragment) {
  for (const auto& device : devices_) TRY(device->remove(id, fragment));
  return {};
}

Result<BlockInfo> LocalStore::info(BlockId id) {
  for (const auto& device : devices_) {
    const Result<device::FragmentInfo> info = device->info(id, kWhole);
    if (info.ok()) return info_of(*info);
  }
  return Error(Code::kNotFound, "block " + to_hex(id));
}

Status LocalStore::list(const std::function<bool(BlockId, const BlockInfo&)>& visit) {
  bool going = true;
  for (size_t i = 0; i < devices_.size() && going; ++i) {
    devices_[i]->list([&](BlockId id, uint16_t fragment, const device::FragmentInfo& info) {
      if (fragment != kWhole) return true;
      // A put that failed on one device and was made good on another may have left both.
      for (size_t before = 0; before < i; ++before) {
        if (devices_[before]->info(id, kWhole).ok()) return true;
      }
      going = visit(id, info_of(info));
      return going;
    });
  }
  return {};
}

Status LocalStore::put_part(BlockId id, uint32_t part, ByteView bytes) {
  if (part >= kMaxParts) return Error(Code::kOutOfRange, fmt::format("part {}", part));
  return put_fragment(id, static_cast<uint16_t>(kFirstPart + part), {&bytes, 1});
}

Status LocalStore::read_part(BlockId id, uint32_t part, uint64_t offset, MutableBytes into) {
  if (part >= kMaxParts) return Error(Code::kOutOfRange, fmt::format("part {}", part));
  return read_fragment(id, static_cast<uint16_t>(kFirstPart + part), offset, into);
}

Status LocalStore::remove_part(BlockId id, uint32_t part) {
  if (part >= kMaxParts) return {};
  return remove_fragment(id, static_cast<uint16_t>(kFirstPart + part));
}

void LocalStore::list_parts(const std::function<bool(BlockId, uint32_t, uint64_t)>& visit) {
  bool going = true;
  for (size_t i = 0; i < devices_.size() && going; ++i) {
    devices_[i]->list([&](BlockId id, uint16_t fragment, const device::FragmentInfo& info) {
      if (fragment != kWhole) going = visit(id, fragment - kFirstPart, info.device_bytes);
      return going;
    });
  }
}

Space LocalStore::space() {
  Space sum;
  for (const auto& device : devices_) {
    const device::Space space = device->space();
    sum.capacity_bytes += space.capacity_bytes;
    sum.used_bytes += space.used_bytes;
    sum.live_bytes += space.live_bytes;
    sum.free_bytes += space.free_bytes;
    sum.over_bytes += space.over_bytes;
  }
  return sum;
}

Result<uint64_t> LocalStore::clean(uint64_t bytes) {
  std::vector<std::pair<uint64_t, device::Device*>> by_dead_bytes;
  for (const auto& device : devices_) {
    const device::Space space = device->space();
    const uint64_t dead = space.used_bytes - std::min(space.used_bytes, space.live_bytes);
    by_dead_bytes.emplace_back(dead, device.get());
  }
  std::ranges::sort(by_dead_bytes, std::greater<>());
  uint64_t gained = 0;
  Status outcome;
  for (const auto& [dead, device] : by_dead_bytes) {
    if (gained >= bytes) break;
    const Result<uint64_t> cleaned = device->clean(bytes - gained);
    if (cleaned.ok()) {
      gained += *cleaned;
    } else {
      outcome = cleaned.error();
    }
  }
  if (gained == 0 && !outcome.ok()) return outcome.error();
  return gained;
}

Status LocalStore::close() {
  Status outcome;
  for (const auto& device : devices_) {
    Status closed = device->close();
    if (outcome.ok()) outcome = std::move(closed);
  }
  return outcome;
}

}  // namespace nacre::block
