// The parts of an open device, tied together. Each part is thread-safe by itself; nothing here
// changes after opening but what they hold.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "device/backing.h"
#include "device/cleaner.h"
#include "device/device.h"
#include "device/head_cache.h"
#include "device/index.h"
#include "device/log.h"
#include "device/segment_reader.h"
#include "device/segment_table.h"

namespace nacre::device {

// Faults of stored bytes since the device was opened.
struct Faults {
  std::atomic<uint64_t> corrupt = 0;
  std::atomic<uint64_t> io = 0;
};

// Found while opening.
struct OpenFindings {
  uint32_t lost_places = 0;
  uint32_t torn_records = 0;
  uint32_t bad_superblocks = 0;
};

struct Core {
  Core(Host host_in, std::string name_in, const wire::Superblock& superblock_in,
       const OpenOptions& options);

  // The error with device and segment in front, and counted.
  Error located(uint32_t segment, const Error& error);

  const Host host;
  const std::string name;
  const wire::Superblock superblock;
  const uint64_t seed;
  const bool read_only;
  std::unique_ptr<os::FileLock> lock;
  std::unique_ptr<Backing> backing;
  SegmentTable segments;
  Index index;
  HeadCache heads;
  const SegmentReader reader;
  Faults faults;
  OpenFindings findings;
  std::unique_ptr<Log> log;  // made when recovery has found where it starts
  Cleaner cleaner;
};

}  // namespace nacre::device
