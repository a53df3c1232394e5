// A row store of which every batch is also kept in a row log, under a number that rises by one,
// until it has gone to the bucket. The number of the last batch is itself a row, put by the batch:
// so after a crash the rows say which batches they have. Thread-safe; batches are written one after
// another.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "kv/store.h"
#include "os/clock.h"
#include "os/mutex.h"
#include "tier/row_log.h"

namespace nacre::tier {

class LoggedRows final : public kv::Store {
 public:
  // `below` outlives it.
  static Result<std::unique_ptr<LoggedRows>> open(kv::Store& below, os::FileSystem& files,
                                                  os::Clock& clock,
                                                  const std::string& log_directory,
                                                  const RowLog::Options& options);

  Result<std::optional<std::string>> get(kv::Family family, std::string_view key,
                                         const kv::Snapshot* at = nullptr) override {
    return below_.get(family, key, at);
  }
  std::unique_ptr<kv::Iterator> iterate(kv::Family family, kv::Range range,
                                        const kv::Snapshot* at = nullptr) override {
    return below_.iterate(family, std::move(range), at);
  }
  std::unique_ptr<kv::Snapshot> snapshot() override { return below_.snapshot(); }
  Status write(const kv::Batch& batch, kv::Durability durability) override;
  Status sync() override { return below_.sync(); }
  // The log counts as well.
  Result<kv::Usage> usage() override;
  Status compact(kv::Family family, kv::Range range) override {
    return below_.compact(family, std::move(range));
  }
  Status verify(std::vector<std::string>& corrupt) override { return below_.verify(corrupt); }

  // The number of the last batch that the rows have; durable are those before a sync().
  uint64_t last() const { return written_.load(); }
  RowLog& log() { return *log_; }
  // A moment of all rows, and the number of the last batch that it has.
  struct Moment {
    std::unique_ptr<kv::Snapshot> rows;
    uint64_t last = 0;
  };
  Moment moment();

 private:
  LoggedRows(kv::Store& below, os::Clock& clock, std::unique_ptr<RowLog> log)
      : below_(below), clock_(clock), log_(std::move(log)), written_(log_->last()) {}

  kv::Store& below_;
  os::Clock& clock_;
  const std::unique_ptr<RowLog> log_;
  std::atomic<uint64_t> written_;
  os::Mutex mutex_;  // held across a write: rows and log have the same batches in the same order
};

}  // namespace nacre::tier
