// Opens a device image that somebody has tampered with, and uses it: no input may crash it or make
// a block read as anything but what was put. The input is a list of patches: 3 bytes of offset, 1
// of length, then the bytes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "codec/checksum.h"
#include "device/device.h"
#include "os/sim_disk.h"
#include "wire/segment_layout.h"

namespace {

using namespace nacre;
using namespace nacre::device;

constexpr uint64_t kSegmentBytes = 64 * kKiB;
constexpr uint64_t kImageBytes = 10 * kSegmentBytes + 2 * 4096;
constexpr char kPath[] = "/image";

std::string content_of(uint64_t id) { return std::string(id * 700, static_cast<char>('a' + id)); }

void require(bool condition) {
  if (!condition) std::abort();
}

// An image with some segments sealed, one left by a crash, and one cleaned.
std::string make_image() {
  os::SimDisk disk(1, kGiB);
  os::ManualClock clock;
  os::SeededRandom random(1);
  const Host host{.files = disk, .clock = clock, .random = random};
  require(Device::format(host, kPath,
                         {.volume = {1, 2},
                          .backing = BackingKind::kImage,
                          .capacity_bytes = kImageBytes,
                          .segment_bytes = kSegmentBytes,
                          .block_bytes = 8 * kKiB})
              .ok());
  for (int life = 0; life < 2; ++life) {
    auto device = Device::open(host, kPath, {}).take();
    for (uint64_t id = 1 + static_cast<uint64_t>(life); id <= 20; id += 2) {
      const std::string bytes = content_of(id);
      const ByteView parts[] = {as_bytes(bytes)};
      require(device->put({id, id}, 0, parts, {}).ok());
      if (id % 5 == 0) require(device->remove({id, id}, 0).ok());
    }
    require(device->sync().ok());
    if (life == 0) require(device->clean(1).ok());
    if (life == 0) require(device->close().ok());
  }
  std::string image(kImageBytes, '\0');
  require(disk.open(kPath, os::OpenMode::kRead).take()->read_at(0, as_writable_bytes(image)).ok());
  return image;
}

void tamper(std::string& image, const uint8_t* data, size_t size) {
  while (size >= 4) {
    const size_t offset = (data[0] | data[1] << 8 | size_t{data[2]} << 16) % image.size();
    const size_t length = std::min<size_t>({data[3], size - 4, image.size() - offset});
    image.replace(offset, length, reinterpret_cast<const char*>(data + 4), length);
    data += 4 + length;
    size -= 4 + length;
  }
}

void put_u64(std::string& bytes, size_t offset, uint64_t value) {
  std::memcpy(bytes.data() + offset, &value, sizeof(value));
}

void mend_superblock(std::string& image, size_t page) {
  put_u64(image, page + 504, codec::xxh64(as_bytes(image).subspan(page, 504)));
}

void mend_record(std::string& image, size_t page, uint64_t seed) {
  const ByteView rest = as_bytes(image).subspan(page);
  const Result<uint32_t> head_bytes = wire::peek_record_head(rest);
  if (!head_bytes.ok() || *head_bytes > rest.size()) return;
  codec::Xxh64Stream sum(seed);
  sum.update(rest.first(88));
  sum.update(rest.first(*head_bytes).subspan(wire::kRecordHeadFixedBytes));
  put_u64(image, page + 88, sum.digest());
}

void mend_summary(std::string& image, size_t segment, uint64_t seed) {
  const size_t footer = segment + kSegmentBytes - wire::kSummaryFooterBytes;
  // As if it had one page; the example's summaries do.
  const size_t begin = segment + kSegmentBytes - wire::kDevicePageBytes;
  put_u64(image, footer + 48, codec::xxh64(as_bytes(image).subspan(begin, footer - begin), seed));
  put_u64(image, footer + 56, codec::xxh64(as_bytes(image).subspan(footer, 56), seed));
}

void mend(std::string& image) {
  mend_superblock(image, 0);
  mend_superblock(image, image.size() - wire::kDevicePageBytes);
  const auto superblock = wire::decode_superblock(as_bytes(image).first(wire::kDevicePageBytes));
  if (!superblock.ok()) return;
  const uint64_t seed = wire::checksum_seed(superblock->device);
  for (size_t segment = 4096; segment + kSegmentBytes < image.size(); segment += kSegmentBytes) {
    put_u64(image, segment + 504, codec::xxh64(as_bytes(image).subspan(segment, 504), seed));
    for (size_t page = 4096; page < kSegmentBytes; page += 4096) {
      mend_record(image, segment + page, seed);
    }
    mend_summary(image, segment, seed);
  }
}

void use(Device& device, bool exact) {
  device.list([&device, exact](BlockId id, uint16_t fragment, const FragmentInfo& info) {
    std::string bytes(info.payload_bytes, '\0');
    const Status read = device.read(id, fragment, 0, as_writable_bytes(bytes));
    require(!exact || !read.ok() || bytes == content_of(id.low));
    return true;
  });
  (void)device.check(true, [](const Problem&) {}).ok();
  (void)device.clean(1u << 20).ok();
  const std::string bytes = content_of(7);
  const ByteView parts[] = {as_bytes(bytes)};
  (void)device.put({7, 7}, 1, parts, {}).ok();
  (void)device.sync().ok();
  (void)device.close().ok();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::string kGood = make_image();
  if (size == 0) return 0;
  const bool mended = (data[0] & 1) != 0;
  std::string image = kGood;
  tamper(image, data + 1, size - 1);
  if (mended) mend(image);
  os::SimDisk disk(1, kGiB);
  os::ManualClock clock;
  os::SeededRandom random(1);
  require(disk.open(kPath, os::OpenMode::kCreateNew).take()->write_at(0, as_bytes(image)).ok());
  const Host host{.files = disk, .clock = clock, .random = random};
  for (int life = 0; life < 2; ++life) {
    Result<std::unique_ptr<Device>> device = Device::open(host, kPath, {});
    if (!device.ok()) return 0;
    use(**device, !mended);
  }
  return 0;
}
