#include "device/probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/units.h"
#include "device/backing.h"
#include "wire/device_layout.h"

namespace nacre::device {
namespace {

using namespace std::string_view_literals;

// What other systems write at fixed places, the more telling first.
struct Signature {
  uint64_t offset;
  std::string_view bytes;
  std::string_view owner;
};
constexpr Signature kSignatures[] = {
    {0, "LUKS\xba\xbe"sv, "a LUKS container"},
    {0, "XFSB"sv, "an xfs file system"},
    {64 * kKiB + 64, "_BHRfS_M"sv, "a btrfs file system"},
    {1024 + 56, "\x53\xef"sv, "an ext2, ext3 or ext4 file system"},
    {1024, "\x10\x20\xf5\xf2"sv, "an f2fs file system"},
    {4096 + 24, "\xc6\x85\x73\xf6\x4e\x1a\x45\xca"sv, "a bcachefs file system"},
    {0, "hsqs"sv, "a squashfs file system"},
    {3, "NTFS    "sv, "an NTFS file system"},
    {3, "EXFAT   "sv, "an exFAT file system"},
    {4096 - 10, "SWAPSPACE2"sv, "a swap area"},
    {4096 - 10, "SWAP-SPACE"sv, "a swap area"},
    {512, "LABELONE"sv, "an LVM physical volume"},
    {4096, "\xfc\x4e\x2b\xa9"sv, "a RAID member"},
    {0, "\xfc\x4e\x2b\xa9"sv, "a RAID member"},
    {512, "EFI PART"sv, "a GPT partition table"},
    {4096, "EFI PART"sv, "a GPT partition table"},
    {510, "\x55\xaa"sv, "an MBR partition table or a boot sector"},
};

std::string describe_superblock(ByteView page) {
  const Result<wire::Superblock> superblock = wire::decode_superblock(page);
  if (superblock.ok()) return "a Nacre device of volume " + to_hex(superblock->volume);
  if (superblock.code() == Code::kNewerFormat) return "a Nacre device of a later version";
  return wire::looks_like_superblock(page) ? "a damaged Nacre device" : "";
}

bool has_data(ByteView bytes) {
  return std::ranges::any_of(bytes, [](std::byte byte) { return byte != std::byte{0}; });
}

std::string describe_bytes(ByteView head, ByteView tail) {
  for (const ByteView page : {head.first(std::min<size_t>(head.size(), wire::kDevicePageBytes)),
                              tail.last(std::min<size_t>(tail.size(), wire::kDevicePageBytes))}) {
    if (std::string found = describe_superblock(page); !found.empty()) return found;
  }
  for (const Signature& known : kSignatures) {
    if (head.size() < known.offset + known.bytes.size()) continue;
    if (as_text(head.subspan(known.offset, known.bytes.size())) == known.bytes) {
      return std::string(known.owner);
    }
  }
  for (const size_t sector : {512u, 4096u}) {
    if (tail.size() >= sector && as_text(tail.last(sector).first(8)) == "EFI PART") {
      return "a GPT partition table";
    }
  }
  return has_data(head) || has_data(tail) ? "data of an unknown kind" : "";
}

Result<std::string> describe_image(os::FileSystem& files, const std::string& path) {
  const auto file = TRY(files.open(path, os::OpenMode::kRead));
  const uint64_t size_bytes = TRY(file->size());
  std::string head(std::min(size_bytes, kProbedHeadBytes), '\0');
  std::string tail(std::min(size_bytes, kProbedTailBytes), '\0');
  TRY(file->read_at(0, as_writable_bytes(head)));
  const uint64_t tail_end = round_down(size_bytes, wire::kDevicePageBytes);
  TRY(file->read_at(std::max<uint64_t>(tail_end, tail.size()) - tail.size(),
                    as_writable_bytes(tail)));
  return describe_bytes(as_bytes(head), as_bytes(tail));
}

Result<std::string> describe_directory(os::FileSystem& files, const std::string& path) {
  std::vector<std::string> names = TRY(files.list(path));
  std::erase(names, "lost+found");
  if (names.empty()) return std::string();
  const std::unique_ptr<Backing> backing = open_directory(files, path, true);
  for (const int copy : {0, 1}) {
    const Result<std::string> page = backing->read_superblock(copy);
    if (!page.ok()) continue;
    if (std::string found = describe_superblock(as_bytes(*page)); !found.empty()) return found;
  }
  return fmt::format("a directory with {} entries, such as \"{}\"", names.size(),
                     *std::ranges::min_element(names));
}

}  // namespace

Result<std::string> describe_content(os::FileSystem& files, const std::string& path) {
  switch (TRY(files.kind(path))) {
    case os::PathKind::kMissing:
      return std::string();
    case os::PathKind::kDirectory:
      return describe_directory(files, path);
    case os::PathKind::kFile:
    case os::PathKind::kBlockDevice:
      return describe_image(files, path);
    case os::PathKind::kOther:
      break;
  }
  return Error(Code::kInvalid, path + " is neither a directory, a file nor a block device");
}

}  // namespace nacre::device
