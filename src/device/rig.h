// A machine in miniature for tests of the device: a simulated disk, a clock that stands still,
// seeded random numbers, and short words for what tests do.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "base/check.h"
#include "device/device.h"
#include "os/sim_disk.h"

namespace nacre::device {

inline constexpr VolumeId kVolume{0xA, 0xB};

// Bytes that belong to `id` alone, so that no other block's can be taken for them.
inline std::string content_of(BlockId id, size_t size) {
  std::string bytes(size, '\0');
  uint64_t state = id.high * 31 + id.low;
  for (size_t i = 0; i < size; ++i) {
    if (i % 8 == 0) state = state * 6364136223846793005u + 1442695040888963407u;
    bytes[i] = static_cast<char>(state >> (8 + i % 8 * 6));
  }
  return bytes;
}

struct Rig {
  explicit Rig(uint64_t seed = 1, uint64_t disk_bytes = kGiB)
      : disk(seed, disk_bytes), random(seed + 1000) {
    EXPECT_TRUE(disk.create_directories("/d").ok());
  }

  Host host() { return {.files = disk, .clock = clock, .random = random}; }

  // A small device at `path`: 1 MiB segments, 32 of them; an image unless a directory is there.
  Result<Identity> format(FormatOptions options = {}) {
    options.volume = kVolume;
    if (!options.backing) options.backing = BackingKind::kImage;
    if (options.segment_bytes == 0) options.segment_bytes = kMiB;
    if (options.block_bytes == 4 * kMiB) options.block_bytes = 128 * kKiB;
    if (options.capacity_bytes == 0) options.capacity_bytes = 32 * kMiB + 2 * 4096;
    return Device::format(host(), path, options);
  }
  Result<std::unique_ptr<Device>> try_open(const OpenOptions& options = {}) {
    return Device::open(host(), path, options);
  }
  Device& open(const OpenOptions& options = {}) {
    device.reset();
    Result<std::unique_ptr<Device>> opened = try_open(options);
    if (!opened.ok()) ADD_FAILURE() << opened.error().to_string();
    CHECK(opened.ok());
    device = opened.take();
    return *device;
  }
  Device& format_and_open(const FormatOptions& options = {}) {
    const Result<Identity> formatted = format(options);
    EXPECT_TRUE(formatted.ok()) << formatted.error().to_string();
    return open();
  }
  void close() {
    const Status closed = device->close();
    EXPECT_TRUE(closed.ok()) << closed.error().to_string();
    device.reset();
  }
  // The power goes, and comes back.
  void crash() {
    disk.crash();
    device.reset();
  }

  os::SimDisk disk;
  os::ManualClock clock;
  os::SeededRandom random;
  std::string path = "/d/device";
  std::unique_ptr<Device> device;
};

inline Status put(Device& device, BlockId id, const std::string& bytes, uint16_t fragment = 0) {
  const ByteView parts[] = {as_bytes(bytes)};
  return device.put(id, fragment, parts, {.logical_bytes = static_cast<uint32_t>(bytes.size())});
}
inline Status put(Device& device, BlockId id, size_t size) {
  return put(device, id, content_of(id, size));
}

inline Result<std::string> get(Device& device, BlockId id, uint16_t fragment = 0) {
  const Fragment found = TRY(device.find(id, fragment));
  std::string bytes(found.payload_bytes(), '?');
  TRY(found.read(0, as_writable_bytes(bytes)));
  return bytes;
}

// The block is there with the bytes that belong to it.
inline void expect_stored(Device& device, BlockId id, size_t size) {
  const Result<std::string> bytes = get(device, id);
  ASSERT_TRUE(bytes.ok()) << bytes.error().to_string();
  EXPECT_TRUE(*bytes == content_of(id, size)) << to_hex(id);
}

inline std::map<BlockId, uint32_t> listed(Device& device) {
  std::map<BlockId, uint32_t> blocks;
  device.list([&blocks](BlockId id, uint16_t, const FragmentInfo& info) {
    blocks[id] = info.payload_bytes;
    return true;
  });
  return blocks;
}

#define EXPECT_OK(expression)                                                   \
  do {                                                                          \
    const auto expect_ok_result = (expression);                                 \
    EXPECT_TRUE(expect_ok_result.ok()) << expect_ok_result.error().to_string(); \
  } while (false)
#define ASSERT_OK(expression)                                                   \
  do {                                                                          \
    const auto& assert_ok_result = (expression);                                \
    ASSERT_TRUE(assert_ok_result.ok()) << assert_ok_result.error().to_string(); \
  } while (false)

}  // namespace nacre::device
