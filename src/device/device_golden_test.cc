// The bytes of a whole device, once and for all: what version 1 wrote must be written the same and
// read the same for ever.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <vector>

#include "device/rig.h"

namespace nacre::device {
namespace {

// A stretch of an image; between them are zeros.
struct Stretch {
  uint64_t offset;
  std::string_view hex;
};

constexpr uint64_t kImageBytes = 8 * 64 * kKiB + 2 * 4096;

constexpr Stretch kImage[] = {
#include "device/golden_image.inc"
};

std::string bytes_of(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

std::string golden_image() {
  std::string image(kImageBytes, '\0');
  for (const Stretch& stretch : kImage) {
    const std::string bytes = bytes_of(stretch.hex);
    image.replace(stretch.offset, bytes.size(), bytes);
  }
  return image;
}

// Lines of golden_image.inc, for when the format is changed on purpose.
std::string stretches_of(const std::string& image) {
  std::string lines;
  for (size_t at = 0; at < image.size(); at += 32) {
    const std::string row = image.substr(at, 32);
    if (row == std::string(row.size(), '\0')) continue;
    std::string hex;
    for (const char byte : row) hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    lines += fmt::format("{{0x{:05x}, \"{}\"}},\n", at, hex);
  }
  return lines;
}

// Mostly zeros, for the sake of the golden bytes.
std::string long_text() {
  std::string text(9000, '\0');
  return text.replace(0, 5, "nacre").replace(8990, 5, "nacre");
}

// Three blocks put, one of them removed, closed in good order.
void write_example(Rig& rig) {
  ASSERT_OK(rig.format(
      {.capacity_bytes = kImageBytes, .segment_bytes = 64 * kKiB, .block_bytes = 8 * kKiB}));
  rig.open();
  const ByteView hello[] = {as_bytes("hello")};
  ASSERT_OK(rig.device->put({0x1111, 0x2222}, 0, hello, {.logical_bytes = 5}));
  const std::string text = long_text();
  const ByteView nacre[] = {as_bytes(text)};
  ASSERT_OK(rig.device->put(
      {0x3333, 0x4444}, 2, nacre,
      {.logical_bytes = 70000, .compression = 1, .sealing = 0, .extra = as_bytes("units")}));
  ASSERT_OK(rig.device->remove({0x1111, 0x2222}, 0));
  const ByteView bye[] = {as_bytes("bye")};
  ASSERT_OK(rig.device->put({0x5555, 0x6666}, 0, bye, {.logical_bytes = 3}));
  rig.close();
}

TEST(DeviceGolden, WritesTheseBytes) {
  Rig rig;
  write_example(rig);
  std::string image(kImageBytes, '\0');
  const auto file = rig.disk.open(rig.path, os::OpenMode::kRead).take();
  ASSERT_EQ(*file->size(), kImageBytes);
  ASSERT_OK(file->read_at(0, as_writable_bytes(image)));
  EXPECT_TRUE(image == golden_image()) << stretches_of(image);
}

TEST(DeviceGolden, ReadsThoseBytes) {
  Rig rig;
  const std::string image = golden_image();
  ASSERT_OK(rig.disk.open(rig.path, os::OpenMode::kCreateNew).take()->write_at(0, as_bytes(image)));
  rig.open({.volume = kVolume});
  EXPECT_EQ(get(*rig.device, {0x1111, 0x2222}).code(), Code::kNotFound);
  EXPECT_EQ(*get(*rig.device, {0x5555, 0x6666}), "bye");
  EXPECT_EQ(*get(*rig.device, {0x3333, 0x4444}, 2), long_text());
  const Result<Fragment> fragment = rig.device->find({0x3333, 0x4444}, 2);
  EXPECT_EQ(fragment->descriptor().logical_bytes, 70000u);
  EXPECT_EQ(fragment->descriptor().compression, 1);
  EXPECT_EQ(as_text(fragment->descriptor().extra), "units");
  EXPECT_EQ(listed(*rig.device).size(), 2u);
  EXPECT_EQ(rig.device->check(true, [](const Problem&) {})->problems, 0u);
}

}  // namespace
}  // namespace nacre::device
