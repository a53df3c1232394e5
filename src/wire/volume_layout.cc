#include "wire/volume_layout.h"

#include <fmt/format.h>

#include <bit>

#include "codec/checksum.h"
#include "wire/cursor.h"

namespace nacre::wire {
namespace {

constexpr std::string_view kMagic = "NacreVol";
constexpr uint16_t kVersion = 1;
constexpr size_t kChecksumBytes = sizeof(uint64_t);
constexpr size_t kFrameBytes = kMagic.size() + sizeof(uint16_t) + sizeof(uint32_t) + kChecksumBytes;

Error newer(const std::string& what) {
  return Error(Code::kNewerFormat,
               what + ": the volume was written by a later version of Nacre; use that one");
}

Error damaged(const std::string& what) { return Error(Code::kCorrupt, what); }

// What every version keeps: magic, version, length, and the checksum at the end. Returns the
// version.
Result<uint16_t> check_frame(ByteView file) {
  if (file.size() < kFrameBytes || as_text(file.first(kMagic.size())) != kMagic) {
    return damaged("this is no superblock of a volume");
  }
  Reader in(file.subspan(kMagic.size()));
  const uint16_t version = in.u16();
  const uint32_t length = in.u32();
  if (length != file.size()) {
    return damaged(
        fmt::format("the superblock should have {} bytes and has {}", length, file.size()));
  }
  const ByteView summed = file.first(file.size() - kChecksumBytes);
  if (Reader(file.last(kChecksumBytes)).u64() != codec::xxh64(summed)) {
    return damaged("the superblock fails its checksum");
  }
  return version;
}

std::vector<VolumeDevice> read_devices(Reader& in) {
  std::vector<VolumeDevice> devices;
  const uint64_t count = in.varint();
  if (count == 0 || count > kMaxVolumeDevices) in.fail();
  for (uint64_t i = 0; i < count && in.ok(); ++i) {
    VolumeDevice device;
    device.id = in.id<DeviceId>();
    device.path = in.sized_text(kMaxDevicePathBytes);
    if (device.path.contains('\0') || (!device.path.empty() && device.path.front() != '/')) {
      in.fail();
    }
    devices.push_back(std::move(device));
  }
  return devices;
}

}  // namespace

std::string encode_volume_superblock(const VolumeSuperblock& superblock) {
  std::string body;
  Writer out(body);
  out.u8(static_cast<uint8_t>(std::countr_zero(superblock.block_size)));
  out.u8(static_cast<uint8_t>(superblock.compression));
  out.u64(superblock.features.compat);
  out.u64(superblock.features.ro_compat);
  out.u64(superblock.features.incompat);
  out.u64(superblock.generation);
  out.id(superblock.volume);
  out.u64(static_cast<uint64_t>(superblock.created.ns));
  out.u64(superblock.capacity_bytes);
  out.raw(std::as_bytes(std::span(superblock.name_key)));
  out.varint(superblock.devices.size());
  for (const VolumeDevice& device : superblock.devices) {
    out.id(device.id);
    out.sized(device.path);
  }

  std::string file;
  Writer frame(file);
  frame.raw(as_bytes(kMagic));
  frame.u16(kVersion);
  frame.u32(static_cast<uint32_t>(kFrameBytes + body.size()));
  frame.raw(as_bytes(body));
  frame.u64(codec::xxh64(as_bytes(file)));
  return file;
}

Result<VolumeSuperblock> decode_volume_superblock(ByteView file) {
  const uint16_t version = TRY(check_frame(file));
  if (version > kVersion) return newer(fmt::format("superblock format {}", version));
  Reader in(file.first(file.size() - kChecksumBytes).subspan(kFrameBytes - kChecksumBytes));
  VolumeSuperblock superblock;
  const uint8_t block_size_log2 = in.u8();
  const uint8_t compression = in.u8();
  superblock.features.compat = in.u64();
  superblock.features.ro_compat = in.u64();
  superblock.features.incompat = in.u64();
  // Before anything that such a feature might have changed.
  if (const uint64_t unknown = superblock.features.incompat & ~kKnownVolumeFeatures.incompat) {
    return newer(fmt::format("incompatible features {:#x} are unknown", unknown));
  }
  superblock.generation = in.u64();
  superblock.volume = in.id<VolumeId>();
  superblock.created.ns = static_cast<int64_t>(in.u64());
  superblock.capacity_bytes = in.u64();
  const ByteView key = in.raw(superblock.name_key.size());
  std::copy(key.begin(), key.end(), std::as_writable_bytes(std::span(superblock.name_key)).begin());
  superblock.devices = read_devices(in);
  TRY(in.finish("the superblock"));
  if (version == 0 || block_size_log2 < std::countr_zero(kMinBlockSize) ||
      block_size_log2 > std::countr_zero(kMaxBlockSize)) {
    return damaged("the superblock describes an impossible volume");
  }
  superblock.block_size = uint64_t{1} << block_size_log2;
  superblock.compression = TRY(codec::compression_of(compression));
  return superblock;
}

}  // namespace nacre::wire
