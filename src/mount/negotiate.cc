#include "mount/negotiate.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/units.h"

namespace nacre::mount {
namespace {

constexpr uint16_t kMaxBackground = 128;  // read-ahead and write-back requests in flight
constexpr uint16_t kCongested = 96;       // of them, before the kernel holds back
constexpr uint32_t kReadAheadBytes = 1 * kMiB;
constexpr size_t kPageBytes = 4096;

// The flag words are unsigned; the header spells the low ones as signed shifts.
constexpr uint64_t flag(uint64_t bit) { return bit; }

constexpr uint64_t kAlwaysWanted =
    flag(FUSE_ASYNC_READ) | flag(FUSE_BIG_WRITES) | flag(FUSE_MAX_PAGES) |
    flag(FUSE_PARALLEL_DIROPS) | flag(FUSE_DO_READDIRPLUS) | flag(FUSE_READDIRPLUS_AUTO) |
    flag(FUSE_HANDLE_KILLPRIV_V2) | flag(FUSE_POSIX_ACL) | flag(FUSE_DONT_MASK) |
    flag(FUSE_CACHE_SYMLINKS) | flag(FUSE_ASYNC_DIO) | flag(FUSE_EXPLICIT_INVAL_DATA) |
    flag(FUSE_SETXATTR_EXT) | flag(FUSE_INIT_EXT) | flag(FUSE_NO_OPEN_SUPPORT) |
    flag(FUSE_ABORT_ERROR);

uint64_t offered_flags(const fuse_init_in& offer) {
  uint64_t flags = offer.flags;
  if ((flags & FUSE_INIT_EXT) != 0) flags |= uint64_t{offer.flags2} << 32;
  return flags;
}

Features features_of(uint64_t flags) {
  const auto has = [flags](uint64_t bit) { return (flags & bit) != 0; };
  return {
      .dialect = {.setxattr_ext = has(FUSE_SETXATTR_EXT)},
      .write_back = has(FUSE_WRITEBACK_CACHE),
      .no_open = has(FUSE_NO_OPEN_SUPPORT),
  };
}

}  // namespace

Result<Agreement> negotiate(const fuse_init_in& offer, bool write_back) {
  if (offer.major != FUSE_KERNEL_VERSION || offer.minor < abi::kOldestMinor) {
    return Error(
        Code::kUnsupported,
        fmt::format("this kernel speaks FUSE {}.{}; Nacre needs {}.{} or later (Linux 5.4)",
                    offer.major, offer.minor, FUSE_KERNEL_VERSION, abi::kOldestMinor));
  }
  uint64_t wanted = kAlwaysWanted;
  if (write_back) wanted |= flag(FUSE_WRITEBACK_CACHE);
  const uint64_t used = wanted & offered_flags(offer);

  Agreement agreement = {};
  agreement.features = features_of(used);
  fuse_init_out& answer = agreement.answer;
  answer.major = FUSE_KERNEL_VERSION;
  answer.minor = std::min(offer.minor, abi::kMinor);
  answer.max_readahead = kReadAheadBytes;
  answer.flags = static_cast<uint32_t>(used);
  answer.flags2 = static_cast<uint32_t>(used >> 32);
  answer.max_background = kMaxBackground;
  answer.congestion_threshold = kCongested;
  answer.max_write = static_cast<uint32_t>(kMaxTransferBytes);
  answer.time_gran = 1;
  answer.max_pages = static_cast<uint16_t>(kMaxTransferBytes / kPageBytes);
  return agreement;
}

}  // namespace nacre::mount
