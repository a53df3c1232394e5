#include "device/device.h"

#include <fmt/format.h>

#include "base/check.h"
#include "device/checker.h"
#include "device/core.h"
#include "device/fragment_state.h"
#include "device/payload.h"

namespace nacre::device {
namespace {

using wire::kDevicePageBytes;

// Removals that wait in memory for the next sync; past that, they are written at once.
constexpr size_t kMaxBuried = 64 * 1024;

FragmentInfo info_of(const Place& place) {
  return {.logical_bytes = place.logical_bytes,
          .payload_bytes = place.stored_bytes,
          .device_bytes = uint64_t{place.pages} * kDevicePageBytes};
}

}  // namespace

Device::Device(std::unique_ptr<Core> core) : core_(std::move(core)) {}
Device::~Device() = default;

const std::string& Device::name() const { return core_->name; }

Identity Device::identity() const {
  const wire::Superblock& superblock = core_->superblock;
  return {.device = superblock.device,
          .volume = superblock.volume,
          .backing = superblock.backing,
          .segment_bytes = superblock.segment_bytes,
          .segment_count = superblock.segment_count,
          .created = superblock.created};
}

Status Device::put(BlockId id, uint16_t fragment, std::span<const ByteView> parts,
                   const Descriptor& descriptor) {
  if (core_->read_only) return Error(Code::kReadOnly, "device " + core_->name);
  uint64_t payload_bytes = 0;
  for (const ByteView part : parts) payload_bytes += part.size();
  if (payload_bytes > wire::kMaxStoredBytes ||
      descriptor.extra.size() > wire::kMaxDescriptorBytes) {
    return Error(Code::kTooBig, fmt::format("block {} of {} for device {}", to_hex(id),
                                            format_size(payload_bytes), core_->name));
  }
  const Key key{id, fragment};
  if (!core_->index.reserve(key)) {
    return Error(Code::kExists,
                 fmt::format("block {}.{} on device {}", to_hex(id), fragment, core_->name));
  }
  wire::RecordHead head{.compression = descriptor.compression,
                        .sealing = descriptor.sealing,
                        .fragment = fragment,
                        .id = id,
                        .logical_bytes = descriptor.logical_bytes,
                        .stored_bytes = static_cast<uint32_t>(payload_bytes),
                        .descriptor = std::string(as_text(descriptor.extra)),
                        .page_checksums = checksums_of(parts)};
  wire::lay_out(head);
  const auto publish = [&](const Place& place) {
    core_->segments.add_live(place.segment, place.generation, place.pages);
    core_->heads.add(std::make_shared<wire::RecordHead>(head));
    core_->index.publish(key, place);
  };
  Result<Place> put = core_->log->append(head, parts, Purpose::kNew, publish);
  // What is dead counts as room, so it must become room.
  while (!put.ok() && put.code() == Code::kNoSpace) {
    const Result<uint64_t> cleaned = core_->cleaner.clean(1);
    if (!cleaned.ok() || *cleaned == 0) break;
    head.birth = 0;
    put = core_->log->append(head, parts, Purpose::kNew, publish);
  }
  if (put.ok()) return {};
  core_->index.cancel(key);
  if (put.code() == Code::kIo) core_->faults.io.fetch_add(1);
  return put.error();
}

Result<Fragment> Device::find(BlockId id, uint16_t fragment) {
  const std::optional<Place> place = core_->index.find_and_pin({id, fragment});
  if (!place) {
    return Error(Code::kNotFound,
                 fmt::format("block {}.{} on device {}", to_hex(id), fragment, core_->name));
  }
  auto state = std::make_unique<Fragment::State>(*core_, *place);
  Result<SegmentFile> file = core_->backing->open_segment(place->segment);
  if (!file.ok()) return core_->located(place->segment, file.error());
  state->file = file.take();
  state->head = core_->heads.get(place->generation, place->page);
  if (!state->head) {
    Result<wire::RecordHead> head =
        read_head(state->file, place->page, place->generation, core_->seed);
    const bool same = head.ok() && head->id == id && head->fragment == fragment;
    if (!same) {
      const Error error =
          head.ok() ? Error(Code::kCorrupt, "another record is there") : head.error();
      return core_->located(
          place->segment,
          Error(error.code(), fmt::format("byte {}: {}", uint64_t{place->page} * kDevicePageBytes,
                                          error.context())));
    }
    state->head = std::make_shared<wire::RecordHead>(head.take());
    core_->heads.add(state->head);
  }
  return Fragment(std::move(state));
}

Status Device::read(BlockId id, uint16_t fragment, uint64_t offset, MutableBytes into) {
  return TRY(find(id, fragment)).read(offset, into);
}

Status Device::remove(BlockId id, uint16_t fragment) {
  if (core_->read_only) return Error(Code::kReadOnly, "device " + core_->name);
  const std::optional<Place> place = core_->index.erase({id, fragment});
  if (!place) return {};
  core_->segments.add_live(place->segment, place->generation, -int64_t{place->pages});
  const size_t waiting = core_->log->bury({.id = id,
                                           .fragment = fragment,
                                           .birth = place->birth,
                                           .generation = place->generation,
                                           .segment = place->segment});
  // If this fails they stay in memory, and the next sync says why.
  if (waiting >= kMaxBuried) (void)core_->log->flush_tombstones(Purpose::kTombstones).ok();
  return {};
}

Status Device::sync() {
  if (core_->read_only) return {};
  Status synced = core_->log->sync(Purpose::kTombstones);
  if (synced.ok() || synced.code() != Code::kNoSpace) return synced;
  // Removals did not fit. Cleaning one segment drops those no longer needed, and more.
  TRY(core_->cleaner.clean(1));
  return core_->log->sync(Purpose::kTombstones);
}

bool Device::has_unsynced() { return !core_->read_only && core_->log->has_unsynced(); }

Result<FragmentInfo> Device::info(BlockId id, uint16_t fragment) {
  const std::optional<Place> place = core_->index.find({id, fragment});
  if (!place) {
    return Error(Code::kNotFound,
                 fmt::format("block {}.{} on device {}", to_hex(id), fragment, core_->name));
  }
  return info_of(*place);
}

void Device::list(const std::function<bool(BlockId, uint16_t, const FragmentInfo&)>& visit) {
  core_->index.for_each([&visit](const Key& key, const Place& place) {
    return visit(key.id, key.fragment, info_of(place));
  });
}

Space Device::space() {
  const SegmentTable::Totals totals = core_->segments.totals();
  const Result<uint64_t> host_free = core_->backing->host_free_bytes();
  const uint64_t host_segments = host_free.ok() ? *host_free / core_->superblock.segment_bytes : 0;
  const uint64_t creatable = std::min<uint64_t>(totals.creatable, host_segments);
  const uint64_t existing = totals.segments - totals.absent - totals.damaged;
  const uint64_t usable_bytes = core_->superblock.segment_bytes - 2 * kDevicePageBytes;
  const auto less_reserve = [](uint64_t segments) {
    return segments > kReserveSegments ? segments - kReserveSegments : 0;
  };
  const uint64_t room_pages =
      core_->log->room_pages() + static_cast<uint64_t>(totals.appendable_pages);
  return {.capacity_bytes = less_reserve(existing + creatable) * usable_bytes,
          .used_bytes = static_cast<uint64_t>(totals.used_pages) * kDevicePageBytes,
          .live_bytes =
              static_cast<uint64_t>(std::max<int64_t>(totals.live_pages, 0)) * kDevicePageBytes,
          .free_bytes =
              less_reserve(totals.spare + creatable) * usable_bytes + room_pages * kDevicePageBytes,
          .over_bytes = uint64_t{totals.over} * core_->superblock.segment_bytes};
}

void Device::limit(uint64_t bytes) {
  if (core_->superblock.backing != BackingKind::kDirectory) return;
  const uint64_t segments = std::clamp<uint64_t>(bytes / core_->superblock.segment_bytes,
                                                 wire::kMinSegments, core_->segments.size());
  core_->segments.limit(static_cast<uint32_t>(segments));
  if (core_->segments.totals().over > 0) core_->cleaner.release_spares(false);
}

uint64_t Device::host_bytes() {
  const SegmentTable::Totals totals = core_->segments.totals();
  return uint64_t{totals.segments - totals.absent} * core_->superblock.segment_bytes;
}

Health Device::health() {
  return {.corrupt_reads = core_->faults.corrupt.load(),
          .io_errors = core_->faults.io.load(),
          .damaged_segments = core_->segments.totals().damaged,
          .lost_places = core_->findings.lost_places,
          .torn_records = core_->findings.torn_records,
          .bad_superblocks = core_->findings.bad_superblocks,
          .failed = core_->log->failure().has_value()};
}

Usage Device::usage() {
  return {.records = core_->index.size(),
          .index_bytes = core_->index.memory_bytes(),
          .head_cache_bytes = core_->heads.memory_bytes()};
}

Result<uint64_t> Device::clean(uint64_t bytes) {
  if (core_->read_only) return Error(Code::kReadOnly, "device " + core_->name);
  return core_->cleaner.clean(bytes);
}

Result<CheckReport> Device::check(bool deep, const std::function<void(const Problem&)>& report) {
  return Checker(*core_, deep, report).run();
}

Result<Spot> Device::flip(BlockId id, uint16_t fragment, uint64_t offset, uint64_t count) {
  if (core_->read_only) return Error(Code::kReadOnly, "device " + core_->name);
  const Fragment found = TRY(find(id, fragment));
  const uint64_t length = found.payload_bytes();
  if (count == 0 || offset > length || count > length - offset) {
    return Error(Code::kOutOfRange, fmt::format("{} bytes at {} of block {}.{}, which has {}",
                                                count, offset, to_hex(id), fragment, length));
  }
  const Fragment::State& state = *found.state_;
  const Result<uint64_t> begin = flip_payload(state.file, *state.head, offset, count);
  if (!begin.ok()) return core_->located(state.place.segment, begin.error());
  return Spot{.segment = state.place.segment, .offset_bytes = *begin};
}

Status Device::close() {
  if (core_->read_only) return {};
  TRY(core_->log->close());
  core_->cleaner.release_spares(true);
  return {};
}

}  // namespace nacre::device
