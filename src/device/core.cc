#include "device/core.h"

#include <fmt/format.h>

namespace nacre::device {

Core::Core(Host host_in, std::string name_in, const wire::Superblock& superblock_in,
           const OpenOptions& options)
    : host(host_in),
      name(std::move(name_in)),
      superblock(superblock_in),
      seed(wire::checksum_seed(superblock_in.device)),
      read_only(options.read_only),
      segments(superblock_in.segment_count,
               static_cast<uint32_t>(superblock_in.segment_bytes / wire::kDevicePageBytes)),
      index(segments),
      heads(options.head_cache_bytes),
      reader(superblock_in),
      cleaner(*this) {}

Error Core::located(uint32_t segment, const Error& error) {
  if (error.code() == Code::kCorrupt) faults.corrupt.fetch_add(1);
  if (error.code() == Code::kIo) faults.io.fetch_add(1);
  return Error(error.code(),
               fmt::format("device {}, segment {}, {}", name, segment, error.context()));
}

}  // namespace nacre::device
