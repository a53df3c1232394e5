// How the Log comes by segments to append to.
#include <fmt/format.h>

#include "device/log.h"
#include "device/segment_reader.h"

namespace nacre::device {

using wire::kDevicePageBytes;

Result<Log::OpenPtr> Log::open_segment(Purpose purpose, uint32_t pages) {
  // One more page for the summary to grow into.
  while (const std::optional<uint32_t> partly_used = segments_.take_appendable(pages + 2)) {
    Result<OpenPtr> resumed = resume(*partly_used);
    if (resumed.ok()) {
      (*resumed)->for_moves = purpose != Purpose::kNew;
      return resumed;
    }
    segments_.put_back_sealed(*partly_used);
  }
  OpenPtr opened = TRY(open_free(purpose));
  opened->for_moves = purpose != Purpose::kNew;
  os::Lock lock(mutex_);
  if (opened->for_moves) ++opened_for_moves_;
  return opened;
}

Result<Log::OpenPtr> Log::open_free(Purpose purpose) {
  const std::optional<SegmentTable::Taken> taken = segments_.take_free(purpose);
  if (!taken) {
    return Error(Code::kNoSpace,
                 fmt::format("device {} is full; remove data or clean it", device_name_));
  }
  const auto give_up = [&](const Error& error, bool exists) {
    segments_.put_back_free(taken->segment, exists);
    return error;
  };
  Result<SegmentFile> file = taken->exists ? backing_.open_segment(taken->segment)
                                           : backing_.create_segment(taken->segment);
  if (!file.ok()) return give_up(file.error(), taken->exists);

  auto open = std::make_shared<OpenSegment>();
  open->segment = taken->segment;
  open->file = file.take();
  open->summary.segment = taken->segment;
  open->summary.end_page = 1;
  {
    os::Lock lock(mutex_);
    open->summary.generation = next_generation_++;
  }
  const std::string header = wire::encode_segment_header({.state = wire::SegmentState::kUsed,
                                                          .device = superblock_.device,
                                                          .segment = taken->segment,
                                                          .generation = open->summary.generation});
  if (const Status written = open->file.write(0, as_bytes(header)); !written.ok()) {
    return give_up(written.error(), true);
  }
  segments_.begin_use(taken->segment, open->summary.generation);
  return open;
}

// Continues a segment that was closed in good order. Its summary must be gone for good before
// anything follows: with it, what follows would not be looked for.
Result<Log::OpenPtr> Log::resume(uint32_t segment) {
  auto open = std::make_shared<OpenSegment>();
  open->segment = segment;
  open->file = TRY(backing_.open_segment(segment));
  const SegmentReader reader(superblock_);
  open->summary = TRY(reader.read_summary(open->file, segment, segments_.generation(segment)));
  open->summary.appendable = false;
  open->records = open->summary.records.size();
  open->tombstones = open->summary.tombstones.size();
  open->synced_pages = open->summary.end_page;
  const std::string zeros(kDevicePageBytes, '\0');
  TRY(open->file.write(superblock_.segment_bytes - kDevicePageBytes, as_bytes(zeros)));
  TRY(open->file.sync());
  return open;
}

}  // namespace nacre::device
