#include "wire/device_layout.h"

#include <fmt/format.h>

#include <bit>

#include "codec/checksum.h"
#include "wire/cursor.h"

namespace nacre::wire {
namespace {

constexpr std::string_view kMagic = "NacreDev";
constexpr uint16_t kVersion = 1;
constexpr size_t kSummedBytes = kSectorBytes - sizeof(uint64_t);
constexpr uint8_t kDevicePageLog2 = std::countr_zero(kDevicePageBytes);
constexpr uint8_t kChecksumPageLog2 = std::countr_zero(kChecksumPageBytes);

Error newer(const std::string& what) {
  return Error(Code::kNewerFormat,
               what + ": the device was written by a later version of Nacre; use that one");
}

bool is_possible(const Superblock& superblock) {
  if (superblock.segment_bytes < kMinSegmentBytes || superblock.segment_bytes > kMaxSegmentBytes ||
      superblock.segment_bytes % kDevicePageBytes != 0 || superblock.segment_count < kMinSegments ||
      superblock.segment_count > kMaxSegments) {
    return false;
  }
  // Neither product nor sum can overflow within those bounds.
  const uint64_t segments_bytes = superblock.segment_bytes * superblock.segment_count;
  switch (superblock.backing) {
    case BackingKind::kDirectory:
      return superblock.first_segment_bytes == 0;
    case BackingKind::kImage:
      return superblock.first_segment_bytes >= kDevicePageBytes &&
             superblock.first_segment_bytes % kDevicePageBytes == 0 &&
             superblock.first_segment_bytes <= kTiB &&
             superblock.first_segment_bytes + segments_bytes + kDevicePageBytes <=
                 superblock.device_bytes;
  }
  return false;
}

}  // namespace

std::string encode_superblock(const Superblock& superblock) {
  std::string page;
  page.reserve(kDevicePageBytes);
  Writer out(page);
  out.raw(as_bytes(kMagic));
  out.u16(kVersion);
  out.u8(static_cast<uint8_t>(superblock.backing));
  out.u8(kDevicePageLog2);
  out.u8(kChecksumPageLog2);
  out.zeros(3);
  out.u64(superblock.features.compat);
  out.u64(superblock.features.ro_compat);
  out.u64(superblock.features.incompat);
  out.u64(superblock.generation);
  out.id(superblock.device);
  out.id(superblock.volume);
  out.u32(superblock.epoch);
  out.u32(superblock.segment_count);
  out.u64(superblock.segment_bytes);
  out.u64(superblock.first_segment_bytes);
  out.u64(superblock.device_bytes);
  out.u64(static_cast<uint64_t>(superblock.created.ns));
  out.zeros(kSummedBytes - out.size());
  out.u64(codec::xxh64(as_bytes(page)));
  out.zeros(kDevicePageBytes - out.size());
  return page;
}

bool looks_like_superblock(ByteView page) {
  return page.size() >= kMagic.size() && as_text(page.first(kMagic.size())) == kMagic;
}

Result<Superblock> decode_superblock(ByteView page) {
  if (page.size() != kDevicePageBytes || !looks_like_superblock(page)) {
    return Error(Code::kCorrupt, "no Nacre superblock");
  }
  if (Reader(page.subspan(kSummedBytes)).u64() != codec::xxh64(page.first(kSummedBytes))) {
    return Error(Code::kCorrupt, "superblock fails its checksum");
  }
  Reader in(page.first(kSummedBytes));
  in.skip(kMagic.size());
  const uint16_t version = in.u16();
  if (version > kVersion) return newer(fmt::format("superblock format {}", version));
  Superblock superblock;
  superblock.backing = static_cast<BackingKind>(in.u8());
  const uint8_t device_page_log2 = in.u8();
  const uint8_t checksum_page_log2 = in.u8();
  in.skip(3);
  superblock.features.compat = in.u64();
  superblock.features.ro_compat = in.u64();
  superblock.features.incompat = in.u64();
  superblock.generation = in.u64();
  superblock.device = in.id<DeviceId>();
  superblock.volume = in.id<VolumeId>();
  superblock.epoch = in.u32();
  superblock.segment_count = in.u32();
  superblock.segment_bytes = in.u64();
  superblock.first_segment_bytes = in.u64();
  superblock.device_bytes = in.u64();
  superblock.created.ns = static_cast<int64_t>(in.u64());
  in.rest();
  TRY(in.finish("superblock"));
  if (const uint64_t unknown = superblock.features.incompat & ~kKnownFeatures.incompat) {
    return newer(fmt::format("incompatible features {:#x} are unknown", unknown));
  }
  if (version == 0 || device_page_log2 != kDevicePageLog2 ||
      checksum_page_log2 != kChecksumPageLog2 || !is_possible(superblock)) {
    return Error(Code::kCorrupt, "superblock describes an impossible device");
  }
  return superblock;
}

uint64_t checksum_seed(DeviceId device) {
  std::string bytes;
  Writer(bytes).id(device);
  return codec::xxh64(as_bytes(bytes));
}

}  // namespace nacre::wire
