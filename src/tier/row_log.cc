#include "tier/row_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace nacre::tier {
namespace {

constexpr size_t kWindowBytes = kMiB;  // read at a time

// Gives the records of a file in order, reading it piece by piece.
class RecordStream {
 public:
  RecordStream(os::File& file, uint64_t end, uint64_t first_number, uint64_t seed)
      : file_(file), end_(end), number_(first_number), seed_(seed) {}

  // None at the end, and where no good record follows. Valid until the next call.
  Result<std::optional<wire::RowBatch>> next() {
    for (;;) {
      wire::RowLogReader reader(as_bytes(window_).subspan(at_), number_, seed_);
      if (auto batch = reader.next()) {
        at_ += reader.end_bytes();
        number_ = reader.next_number();
        return batch;
      }
      const ByteView rest = as_bytes(window_).subspan(at_);
      const auto whole = wire::peek_batch(rest);
      const uint64_t wanted = whole.ok() ? *whole : sizeof(uint32_t);
      const bool damaged = rest.size() >= wanted;
      if (damaged || !TRY(refill(wanted))) return std::optional<wire::RowBatch>();
    }
  }
  // Where the last record given ends in the file.
  uint64_t position() const { return begin_ + at_; }

 private:
  // False when the file has no more.
  Result<bool> refill(uint64_t wanted) {
    const uint64_t from = position();
    if (from + wanted > end_) return false;
    window_.resize(std::min(std::max<uint64_t>(wanted, kWindowBytes), end_ - from));
    if (TRY(file_.read_at(from, as_writable_bytes(window_))) != window_.size()) return false;
    begin_ = from;
    at_ = 0;
    return true;
  }

  os::File& file_;
  const uint64_t end_;
  uint64_t number_;
  const uint64_t seed_;
  std::string window_;
  uint64_t begin_ = wire::kRowLogHeaderBytes;  // of the window in the file
  size_t at_ = 0;                              // in the window
};

}  // namespace

Result<std::unique_ptr<RowLog>> RowLog::open(os::FileSystem& files, const std::string& directory,
                                             const Options& options, uint64_t last) {
  TRY(files.create_directories(directory));
  std::unique_ptr<RowLog> log(new RowLog(files, directory, options));
  TRY(log->load(last));
  return log;
}

Status RowLog::load(uint64_t last) {
  std::vector<std::string> names = TRY(files_.list(directory_));
  std::ranges::sort(names);
  bool follows = true;
  for (const std::string& name : names) {
    const std::string path = directory_ + "/" + name;
    follows = follows && TRY(load_segment(path, last));
    if (!follows) TRY(files_.remove_file(path));
  }
  const os::Lock lock(mutex_);
  if (!segments_.empty() && segments_.back().last == last) return {};
  return clear_behind(last);
}

// False when the file is none of this log, or does not follow the one before.
Result<bool> RowLog::load_segment(const std::string& path, uint64_t last) {
  Segment segment{.path = path, .file = TRY(files_.open(path, os::OpenMode::kReadWrite))};
  std::string head(wire::kRowLogHeaderBytes, '\0');
  if (TRY(segment.file->read_at(0, as_writable_bytes(head))) != head.size()) return false;
  const auto header = wire::decode_row_log_header(as_bytes(head));
  if (!header.ok() || header->volume != options_.volume || header->epoch != options_.epoch) {
    return false;
  }
  const os::Lock lock(mutex_);
  const bool follows = segments_.empty() || segments_.back().last + 1 == header->first_number;
  if (!follows || header->first_number > last + 1) return false;
  segment.header = *header;
  RecordStream records(*segment.file, TRY(segment.file->size()), header->first_number,
                       wire::row_log_seed(*header));
  segment.last = header->first_number - 1;
  segment.bytes = records.position();
  while (segment.last < last) {
    const auto batch = TRY(records.next());
    if (!batch) break;
    segment.last = batch->number;
    segment.bytes = records.position();
  }
  TRY(segment.file->truncate(segment.bytes));
  segments_.push_back(std::move(segment));
  return true;
}

// The new file comes first: where there is no room for it, the log stays as it was. An old one that
// stays behind does no harm: what does not follow is removed when the log is opened.
Status RowLog::clear_behind(uint64_t last) {
  if (segments_.size() == 1 && segments_.front().header.first_number == last + 1) return {};
  std::deque<Segment> old = std::exchange(segments_, {});
  Status begun = begin_segment(last + 1);
  if (!begun.ok()) {
    segments_ = std::move(old);
    return begun;
  }
  for (const Segment& segment : old) TRY(files_.remove_file(segment.path));
  return {};
}

Status RowLog::begin_segment(uint64_t first) {
  Segment segment{
      .path = fmt::format("{}/{:016x}", directory_, first),
      .header = {.volume = options_.volume, .epoch = options_.epoch, .first_number = first}};
  segment.file = TRY(files_.open(segment.path, os::OpenMode::kCreate));
  const std::string head = wire::encode_row_log_header(segment.header);
  TRY(segment.file->truncate(0));
  TRY(segment.file->write_at(0, as_bytes(head)));
  segment.last = first - 1;
  segment.bytes = head.size();
  segments_.push_back(std::move(segment));
  return {};
}

uint64_t RowLog::complete_after() {
  const os::Lock lock(mutex_);
  return segments_.front().header.first_number - 1;
}

uint64_t RowLog::last() {
  const os::Lock lock(mutex_);
  return segments_.back().last;
}

uint64_t RowLog::bytes() {
  const os::Lock lock(mutex_);
  return bytes_locked();
}

uint64_t RowLog::bytes_locked() const {
  uint64_t sum = 0;
  for (const Segment& segment : segments_) sum += segment.bytes;
  return sum;
}

Status RowLog::append(const wire::RowBatch& batch) {
  const os::Lock lock(mutex_);
  if (segments_.back().bytes >= options_.file_bytes) TRY(begin_segment(segments_.back().last + 1));
  Segment& segment = segments_.back();
  std::string record;
  TRY(wire::append_batch(batch, wire::row_log_seed(segment.header), record));
  TRY(segment.file->write_at(segment.bytes, as_bytes(record)));
  before_last_bytes_ = segment.bytes;
  segment.bytes += record.size();
  segment.last = batch.number;
  return {};
}

Status RowLog::undo() {
  const os::Lock lock(mutex_);
  Segment& segment = segments_.back();
  segment.bytes = before_last_bytes_;
  --segment.last;
  return segment.file->truncate(segment.bytes);
}

Status RowLog::visit(uint64_t after, uint64_t end,
                     const std::function<bool(const wire::RowBatch&)>& visit) {
  std::vector<Segment> wanted;
  {
    const os::Lock lock(mutex_);
    if (after + 1 < segments_.front().header.first_number) {
      return Error(Code::kCorrupt,
                   fmt::format("{} has no batch {} any more", directory_, after + 1));
    }
    for (const Segment& segment : segments_) {
      if (segment.last > after && segment.header.first_number <= end) wanted.push_back(segment);
    }
  }
  bool going = true;
  for (const Segment& segment : wanted) {
    if (going) TRY(visit_segment(segment, after, end, visit, going));
  }
  return {};
}

Status RowLog::visit_segment(const Segment& segment, uint64_t after, uint64_t end,
                             const std::function<bool(const wire::RowBatch&)>& visit, bool& going) {
  RecordStream records(*segment.file, segment.bytes, segment.header.first_number,
                       wire::row_log_seed(segment.header));
  for (uint64_t number = segment.header.first_number; number <= std::min(end, segment.last);
       ++number) {
    const auto batch = TRY(records.next());
    if (!batch)
      return Error(Code::kCorrupt, fmt::format("{}: batch {} is damaged", segment.path, number));
    if (number <= after) continue;
    going = visit(*batch);
    if (!going) return {};
  }
  return {};
}

Status RowLog::drop(uint64_t number) {
  const os::Lock lock(mutex_);
  while (segments_.size() > 1 && segments_.front().last <= number) {
    TRY(files_.remove_file(segments_.front().path));
    segments_.pop_front();
  }
  const Segment& only = segments_.front();
  if (segments_.size() > 1 || only.last > number || only.last < only.header.first_number) return {};
  return clear_behind(only.last);
}

Status RowLog::settle() {
  const os::Lock lock(mutex_);
  return bytes_locked() <= options_.most_bytes ? Status() : clear_behind(segments_.back().last);
}

}  // namespace nacre::tier
