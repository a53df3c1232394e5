// Space on the disk that is kept for the day when it is full. Private to the rocks_* sources.
//
// RocksDB 7.8 does not get over a full disk reliably: where a flush was waiting its turn,
// DB::Resume() waits for ever. So it is not told. A file holds as much space as the write buffers
// may need to become tables; when a log, a table or a manifest finds the disk full, the file makes
// room, and new writes are refused until it could take the space again. Compactions, which may
// need any amount of space and can wait, get none of it and rest meanwhile.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "os/file_system.h"
#include "os/mutex.h"

namespace nacre::kv {

// Safe from any thread.
class SpaceReserve {
 public:
  // Finds out whether the file at `path` has the space already. Takes none; gives back what is
  // more.
  static Result<std::unique_ptr<SpaceReserve>> open(os::FileSystem& disk, const std::string& path,
                                                    uint64_t bytes);

  bool held() const { return held_; }
  // Takes the space unless it is held. kNoSpace says how much must be free.
  Status take();
  // Gives the space to the disk. True if there was any to give.
  bool give();
  uint64_t bytes() const { return held_ ? bytes_ : 0; }

 private:
  SpaceReserve(os::FileSystem& disk, std::string path, uint64_t bytes,
               std::unique_ptr<os::File> file)
      : disk_(disk), path_(std::move(path)), bytes_(bytes), file_(std::move(file)) {}

  os::FileSystem& disk_;
  const std::string path_;
  const uint64_t bytes_;
  const std::unique_ptr<os::File> file_;
  os::Mutex mutex_;  // held over I/O: one thread takes or gives, others wait for the outcome
  std::atomic<bool> held_ = false;
};

// Runs `write`, and once more if the disk was full and the reserve, which may be null, made room.
template <class Write>
Status write_or_make_room(SpaceReserve* reserve, Write write) {
  Status written = write();
  if (!written.ok() && written.code() == Code::kNoSpace && reserve && reserve->give()) {
    written = write();
  }
  return written;
}

}  // namespace nacre::kv
