// The seam to the machine's disks: the few file operations Nacre needs, so that the real machine
// and a simulated one (os/sim_disk.h: loses, tears and reorders unsynced writes) run the same code.
//
// All methods may be called from any thread. Paths are those of the host. An error names the path
// and the operation.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace nacre::os {

// An open file or block device. Concurrent reads and writes are allowed; overlapping concurrent
// writes leave either's bytes.
class File {
 public:
  virtual ~File() = default;
  // Up to into.size() bytes from `offset`; fewer only at the end of the file. Returns the count.
  virtual Result<size_t> read_at(uint64_t offset, MutableBytes into) = 0;
  // All of `data` at `offset`, growing the file. Not durable before sync(). kNoSpace when full.
  virtual Status write_at(uint64_t offset, ByteView data) = 0;
  // The parts one after another at `offset`, as one write. Not durable before sync().
  virtual Status write_parts_at(uint64_t offset, std::span<const ByteView> parts) = 0;
  // On return everything written before the call survives a power cut, with the file's size. After
  // a failure every later sync() of this handle fails too: what was lost stays lost.
  virtual Status sync() = 0;
  // Starts writing [offset, offset+length) back without waiting. No promise of durability.
  virtual void start_writeback(uint64_t offset, uint64_t length) = 0;
  // Reserves space for [offset, offset+length) and grows the file to hold it. kNoSpace if it
  // cannot. New bytes read as zero.
  virtual Status allocate(uint64_t offset, uint64_t length) = 0;
  virtual Status truncate(uint64_t size) = 0;
  // Bytes in the file or on the device.
  virtual Result<uint64_t> size() = 0;
};

enum class OpenMode {
  kRead,       // must exist
  kReadWrite,  // must exist
  kCreate,     // read-write, made if missing
  kCreateNew,  // read-write, kExists if there already
};

enum class PathKind { kMissing, kFile, kDirectory, kBlockDevice, kOther };

// Space of the host file system that holds a path, in bytes; free is what this user may use.
struct HostSpace {
  uint64_t total_bytes = 0;
  uint64_t free_bytes = 0;
};

// Held by the process that opened a volume; released when destroyed or when the process ends.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  // Names in the directory, without "." and "..", in no order.
  virtual Result<std::vector<std::string>> list(const std::string& path) = 0;
  // Like mkdir -p. Not durable before sync_directory() of the parents.
  virtual Status create_directories(const std::string& path) = 0;
  virtual Status remove_file(const std::string& path) = 0;
  virtual Status remove_directory(const std::string& path) = 0;
  // Atomic; replaces `to`. Not durable before sync_directory().
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  virtual Status link(const std::string& from, const std::string& to) = 0;
  // Entries made, renamed or removed in the directory survive a power cut on return.
  virtual Status sync_directory(const std::string& path) = 0;
  virtual Result<PathKind> kind(const std::string& path) = 0;
  virtual Result<HostSpace> space(const std::string& path) = 0;
  // kBusy when another process (or another holder in this one) has it.
  virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
};

// The machine itself; lives as long as the process.
FileSystem& real_file_system();

}  // namespace nacre::os
