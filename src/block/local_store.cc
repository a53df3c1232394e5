#include "block/local_store.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "block/units.h"

namespace nacre::block {

namespace {

// Blocks of one file are stored one after another, but two writers should not queue for one device
// while others idle: devices within this share of the emptiest count as equally empty.
constexpr uint64_t kEvenShare = 50;

}  // namespace

LocalStore::LocalStore(std::vector<std::unique_ptr<device::Device>> devices,
                       codec::Compression compression)
    : devices_(std::move(devices)), compression_(compression) {
  CHECK(!devices_.empty());
}

// Emptiest by free share; of devices about as empty as each other, by the bytes used.
std::vector<device::Device*> LocalStore::emptiest_first() {
  std::vector<std::pair<uint64_t, device::Device*>> order;
  for (const auto& device : devices_) {
    const device::Space space = device->space();
    const uint64_t capacity = std::max<uint64_t>(space.capacity_bytes, 1);
    order.emplace_back(static_cast<uint64_t>(static_cast<unsigned __int128>(space.used_bytes) *
                                             kEvenShare / capacity),
                       device.get());
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<device::Device*> devices;
  for (const auto& [used, device] : order) devices.push_back(device);
  return devices;
}

Status LocalStore::put(BlockId id, std::span<const ByteView> parts) {
  uint64_t logical = 0;
  for (const ByteView part : parts) logical += part.size();
  if (logical > kMaxBlockBytes)
    return Error(Code::kTooBig, "block " + to_hex(id) + " is too large");
  device::Descriptor descriptor;
  descriptor.logical_bytes = static_cast<uint32_t>(logical);
  std::optional<CompressedBlock> compressed;
  std::string table;
  ByteView payload;
  if (compression_ != codec::Compression::kNone) compressed = compress_units(parts, compression_);
  if (compressed) {
    table = compressed->table.encode();
    descriptor.compression = static_cast<uint8_t>(compression_);
    descriptor.extra = as_bytes(table);
    payload = as_bytes(compressed->payload);
    parts = std::span(&payload, 1);
  }
  Status status = Code::kNoSpace;
  for (device::Device* device : emptiest_first()) {
    status = device->put(id, 0, parts, descriptor);
    if (status.ok() || status.code() != Code::kNoSpace) return status;
  }
  return status;
}

Status LocalStore::sync() {
  for (const auto& device : devices_) TRY(device->sync());
  return {};
}

Result<device::Fragment> LocalStore::find(BlockId id) {
  for (const auto& device : devices_) {
    auto found = device->find(id, 0);
    if (found.ok() || found.code() != Code::kNotFound) return found;
  }
  return Error(Code::kNotFound, "block " + to_hex(id) + " is on no device");
}

Status LocalStore::read(BlockId id, uint64_t offset, MutableBytes into) {
  const device::Fragment fragment = TRY(find(id));
  const device::Descriptor descriptor = fragment.descriptor();
  if (offset > descriptor.logical_bytes || into.size() > descriptor.logical_bytes - offset) {
    return Error(Code::kOutOfRange, "past the end of block " + to_hex(id));
  }
  if (into.empty()) return {};
  const auto compression = TRY(codec::compression_of(descriptor.compression));
  if (compression == codec::Compression::kNone) return fragment.read(offset, into);
  return read_units(fragment, descriptor, offset, into);
}

Status LocalStore::read_units(const device::Fragment& fragment,
                              const device::Descriptor& descriptor, uint64_t offset,
                              MutableBytes into) {
  const UnitTable table = TRY(UnitTable::decode(as_text(descriptor.extra), descriptor.logical_bytes,
                                                fragment.payload_bytes()));
  const size_t first = offset / kUnitBytes;
  const size_t last = (offset + into.size() - 1) / kUnitBytes;
  const uint64_t begin = table.begin(first);
  std::string payload(table.begin(last) + table.length(last) - begin, '\0');
  TRY(fragment.read(begin, as_writable_bytes(payload)));
  codec::Decompressor decompressor(TRY(codec::compression_of(descriptor.compression)));
  std::string whole(kUnitBytes, '\0');
  for (size_t unit = first; unit <= last; ++unit) {
    const uint64_t start = unit * kUnitBytes;
    const uint64_t bytes = std::min<uint64_t>(kUnitBytes, descriptor.logical_bytes - start);
    const ByteView stored =
        as_bytes(payload).subspan(table.begin(unit) - begin, table.length(unit));
    const uint64_t from = std::max(start, offset);
    const uint64_t until = std::min(start + bytes, offset + into.size());
    const MutableBytes target = into.subspan(from - offset, until - from);
    if (stored.size() == bytes) {
      std::memcpy(target.data(), stored.data() + (from - start), target.size());
    } else if (target.size() == bytes) {
      TRY(decompressor.decompress(stored, target));
    } else {
      TRY(decompressor.decompress(stored, as_writable_bytes(whole).first(bytes)));
      std::memcpy(target.data(), whole.data() + (from - start), target.size());
    }
  }
  return {};
}

Status LocalStore::remove(BlockId id) {
  for (const auto& device : devices_) TRY(device->remove(id, 0));
  return {};
}

Result<BlockInfo> LocalStore::info(BlockId id) {
  for (const auto& device : devices_) {
    const auto found = device->info(id, 0);
    if (found.ok()) return BlockInfo{found->logical_bytes, found->device_bytes};
    if (found.code() != Code::kNotFound) return found.error();
  }
  return Error(Code::kNotFound, "block " + to_hex(id) + " is on no device");
}

Status LocalStore::list(const std::function<bool(BlockId, const BlockInfo&)>& visit) {
  bool more = true;
  for (const auto& device : devices_) {
    if (!more) break;
    device->list([&](BlockId id, uint16_t, const device::FragmentInfo& info) {
      more = visit(id, {info.logical_bytes, info.device_bytes});
      return more;
    });
  }
  return {};
}

Space LocalStore::space() {
  Space total;
  for (const auto& device : devices_) {
    const device::Space space = device->space();
    total.capacity_bytes += space.capacity_bytes;
    total.used_bytes += space.used_bytes;
    total.live_bytes += space.live_bytes;
    total.free_bytes += space.free_bytes;
  }
  return total;
}

Result<uint64_t> LocalStore::clean(uint64_t bytes) {
  uint64_t gained = 0;
  for (const auto& device : devices_) {
    if (gained >= bytes) break;
    gained += TRY(device->clean(bytes - gained));
  }
  return gained;
}

Status LocalStore::close() {
  for (const auto& device : devices_) TRY(device->close());
  return {};
}

}  // namespace nacre::block
