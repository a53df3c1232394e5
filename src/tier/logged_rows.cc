#include "tier/logged_rows.h"

#include "wire/rows.h"

namespace nacre::tier {

Result<std::unique_ptr<LoggedRows>> LoggedRows::open(kv::Store& below, os::FileSystem& files,
                                                     os::Clock& clock,
                                                     const std::string& log_directory,
                                                     const RowLog::Options& options) {
  uint64_t last = 0;
  if (const auto row = TRY(below.get(kv::Family::kVolume, wire::kBatchMarkKey))) {
    last = TRY(wire::decode_mark(*row)).sequence.value;
  }
  auto log = TRY(RowLog::open(files, log_directory, options, last));
  return std::unique_ptr<LoggedRows>(new LoggedRows(below, clock, std::move(log)));
}

Status LoggedRows::write(const kv::Batch& batch, kv::Durability durability) {
  const os::Lock lock(mutex_);
  wire::RowBatch logged{.number = log_->last() + 1, .time = clock_.now()};
  kv::Batch numbered = batch;
  numbered.put(kv::Family::kVolume, std::string(wire::kBatchMarkKey),
               wire::encode(wire::MarkRow{Sequence{logged.number}}));
  for (const kv::Batch::Change& change : numbered.changes()) {
    logged.changes.push_back(
        {.family = static_cast<uint8_t>(change.family), .key = change.key, .value = change.value});
  }
  TRY(log_->append(logged));
  Status written = below_.write(numbered, durability);
  if (written.ok()) {
    written_ = logged.number;
    // The rows are written: a log that stays long for now is no failure of theirs.
    (void)log_->settle();
  } else {
    TRY(log_->undo());
  }
  return written;
}

Result<kv::Usage> LoggedRows::usage() {
  kv::Usage usage = TRY(below_.usage());
  usage.disk_bytes += log_->bytes();
  return usage;
}

LoggedRows::Moment LoggedRows::moment() {
  const os::Lock lock(mutex_);
  return {below_.snapshot(), written_};
}

}  // namespace nacre::tier
