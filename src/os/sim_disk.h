// A simulated disk: a FileSystem in memory that forgets at a power cut what was not synced, tears
// and reorders it, rots bytes, runs full and fails on request. Same seed and same calls: same
// outcome.
//
// What survives crash(): synced file content; of unsynced writes a random subset, each of them cut
// into 512-byte sectors that survive alone; of unsynced namespace changes (create, rename, remove,
// link) a random prefix, in order, per disk. A file made and synced, but whose directory was not,
// may be gone.
//
// Also: sync_directory() makes a prefix of the namespace changes durable, up to the directory's
// latest. More than 32 MiB of unsynced writes to a file, or 4096 unsynced namespace changes, become
// durable by themselves, oldest first. Space is counted in chunks of 4 KiB; holes cost none. Paths
// start at the root, which exists; there are no symlinks.
//
// Safe from any thread. Handles and locks may outlive the disk.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "os/file_system.h"

namespace nacre::os {

class SimDisk final : public FileSystem {
 public:
  SimDisk(uint64_t seed, uint64_t capacity_bytes);
  ~SimDisk() override;

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  Status create_directories(const std::string& path) override;
  Status remove_file(const std::string& path) override;
  Status remove_directory(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status link(const std::string& from, const std::string& to) override;
  Status sync_directory(const std::string& path) override;
  Result<PathKind> kind(const std::string& path) override;
  Result<HostSpace> space(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;

  // The power goes: handles and locks still open fail with kIo from here on, for ever.
  // What survives is chosen by the seed. The disk is usable again at once by new opens.
  void crash();
  // Arms a crash that strikes inside the n-th write, sync or namespace change from now (1: the
  // next). That call and all later ones fail with kIo until crash() is called. A write it strikes
  // is torn; a sync it strikes promises nothing; a namespace change it strikes may survive.
  void crash_after(uint64_t operations);
  // True once an armed crash has struck and crash() was not yet called.
  bool is_down() const;
  // Every write, sync and namespace change so far: the range for crash_after().
  uint64_t operations() const;

  // Flips one bit at `offset` of a file, in the durable content. kOutOfRange past its end. Bytes
  // written over it later, or not yet synced, are not affected.
  Status rot(const std::string& path, uint64_t offset);
  // Fails reads that touch [offset, offset+length) of a file with kIo, for as long as the file
  // lives. The file must exist.
  void fail_reads(const std::string& path, uint64_t offset, uint64_t length);
  void set_capacity(uint64_t capacity_bytes);

 private:
  struct State;
  class SimFile;
  class SimLock;
  std::shared_ptr<State> state_;
};

}  // namespace nacre::os
