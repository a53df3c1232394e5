// The batches of rows that are not in the bucket yet, in files of a local directory: docs/format/
// bucket.md. Appended, read from the front, and dropped when the bucket has them. Nothing here is
// synced: after a power cut the log may lack its end, and then all of it is of no use.
//
// append(), settle() and undo() are for one thread at a time; the rest may be called beside them.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "os/file_system.h"
#include "os/mutex.h"
#include "wire/row_log_layout.h"

namespace nacre::tier {

class RowLog {
 public:
  struct Options {
    wire::VolumeId volume = {};
    uint32_t epoch = 0;
    uint64_t file_bytes = 16 * kMiB;   // a new file from there on
    uint64_t most_bytes = 256 * kMiB;  // more is worth a checkpoint: then the log begins anew
  };
  // Opens what the directory holds of that volume and epoch. `last` is the number of the last batch
  // that the rows have: what the log has beyond is cut off. A log that does not reach `last` is
  // emptied: it begins anew behind it.
  static Result<std::unique_ptr<RowLog>> open(os::FileSystem& files, const std::string& directory,
                                              const Options& options, uint64_t last);

  // Every batch with a number above this one, up to the last, is in the log.
  uint64_t complete_after();
  uint64_t last();
  uint64_t bytes();

  // The next batch; its number is last() + 1. After an error the log is as before.
  Status append(const wire::RowBatch& batch);
  // The rows have the last batch: if the log has become too much, it begins anew behind that.
  Status settle();
  // Takes the last batch back: the rows do not have it.
  Status undo();
  // The batches with numbers above `after` and up to `end`, in order, until `visit` returns false.
  // kCorrupt when one is not there or damaged.
  Status visit(uint64_t after, uint64_t end,
               const std::function<bool(const wire::RowBatch&)>& visit);
  // Those up to this number are no longer needed: files that hold no other go.
  Status drop(uint64_t number);

 private:
  struct Segment {
    std::string path;
    std::shared_ptr<os::File> file = {};
    wire::RowLogHeader header = {};
    uint64_t last = 0;  // number of its last record; header.first_number - 1: none
    uint64_t bytes = 0;
  };

  RowLog(os::FileSystem& files, std::string directory, const Options& options)
      : files_(files), directory_(std::move(directory)), options_(options) {}

  Status load(uint64_t last);
  Result<bool> load_segment(const std::string& path, uint64_t last);
  Status begin_segment(uint64_t first) REQUIRES(mutex_);
  Status clear_behind(uint64_t last) REQUIRES(mutex_);
  uint64_t bytes_locked() const REQUIRES(mutex_);
  static Status visit_segment(const Segment& segment, uint64_t after, uint64_t end,
                              const std::function<bool(const wire::RowBatch&)>& visit, bool& going);

  os::FileSystem& files_;
  const std::string directory_;
  const Options options_;
  os::Mutex mutex_;  // a leaf; not held during I/O but of append() and drop()
  std::deque<Segment> segments_ GUARDED_BY(mutex_);
  uint64_t before_last_bytes_ GUARDED_BY(mutex_) = 0;  // of the last segment, for undo()
};

}  // namespace nacre::tier
