#include "tier/fetcher.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "codec/pack_unit.h"
#include "tier/pack_reader.h"
#include "wire/bucket_names.h"

namespace nacre::tier {
namespace {

using codec::kPackUnitBytes;

constexpr uint32_t kUnitsPerPart = kPartBytes / kPackUnitBytes;
constexpr size_t kMostStrides = 4096;
constexpr uint64_t kMostRoomBytes = 16 * kMiB;

uint32_t parts_of(const wire::PackLocation& location) {
  return static_cast<uint32_t>((location.block.logical_bytes + kPartBytes - 1) / kPartBytes);
}

// What a failed read of the bucket is to whoever needs its bytes: it may pass, it is damage, or
// somebody has to set something right.
Code code_of_read(Code code) {
  switch (code) {
    case Code::kUnavailable:
    case Code::kTimeout:
    case Code::kOverloaded:
      return Code::kUnavailable;
    case Code::kNotFound:
    case Code::kOutOfRange:
    case Code::kCorrupt:
      return Code::kCorrupt;
    case Code::kAccess:
    case Code::kCancelled:
      return code;
    default:
      return Code::kIo;
  }
}

// Length of `count` parts from `first` on.
uint64_t length_of(const wire::PackLocation& location, uint32_t first, uint32_t count) {
  const uint64_t begin = first * kPartBytes;
  return std::min<uint64_t>(location.block.logical_bytes, begin + count * kPartBytes) - begin;
}

// Of that length, with bytes that are going to be overwritten.
void make_room_for(uint64_t length, std::string& bytes) {
  bytes.resize_and_overwrite(length, [](char*, size_t size) { return size; });
}

}  // namespace

Fetcher::Fetcher(block::PartStore& parts, bucket::Bucket& bucket, const PackFormat& format,
                 Kept kept, MakeRoom make_room)
    : parts_(parts),
      bucket_(bucket),
      format_(format),
      kept_(std::move(kept)),
      make_room_(std::move(make_room)) {}

Status Fetcher::read(const wire::PackLocation& location, uint64_t offset, MutableBytes into) {
  const uint64_t bytes = location.block.logical_bytes;
  if (offset > bytes || into.size() > bytes - offset) {
    return Error(Code::kOutOfRange,
                 fmt::format("{} bytes at {} of block {}, which has {}", into.size(), offset,
                             to_hex(location.block.id), bytes));
  }
  if (into.empty()) return {};
  const auto last = static_cast<uint32_t>((offset + into.size() - 1) / kPartBytes);
  while (!into.empty()) {
    const auto part = static_cast<uint32_t>(offset / kPartBytes);
    const uint64_t skip = offset % kPartBytes;
    const size_t step = std::min<size_t>(into.size(), kPartBytes - skip);
    Status read = read_part(location, part, skip, into.first(step), last);
    // Who reads a file has every right to it.
    if (!read.ok() && read.code() == Code::kAccess) return Error(Code::kIo, read.error().context());
    TRY(std::move(read));
    offset += step;
    into = into.subspan(step);
  }
  return {};
}

Status Fetcher::fetch(const wire::PackLocation& location, uint64_t offset, uint64_t length) {
  const uint64_t end = std::min<uint64_t>(location.block.logical_bytes, offset + length);
  for (uint64_t at = offset / kPartBytes * kPartBytes; at < end; at += kPartBytes) {
    std::byte first;
    const auto last = static_cast<uint32_t>((end - 1) / kPartBytes);
    TRY(read_part(location, static_cast<uint32_t>(at / kPartBytes), 0, {&first, 1}, last));
  }
  return {};
}

// `last_wanted`: the last part that the caller will ask for.
Status Fetcher::read_part(const wire::PackLocation& location, uint32_t part, uint64_t offset,
                          MutableBytes into, uint32_t last_wanted) {
  Status kept = parts_.read_part(location.block.id, part, offset, into);
  if (kept.ok()) return kept;
  // A part that is damaged on the device is fetched again, too.
  if (kept.code() != Code::kNotFound) (void)parts_.remove_part(location.block.id, part);
  const auto [flight, parts] = claim(location, part, last_wanted);
  if (parts > 0) {
    Status loaded = load(location, flight->first_part, parts, flight->bytes);
    flight->land(loaded);
    if (loaded.ok()) keep(location, *flight, parts);
    forget(location.block.id, *flight, parts);
    TRY(std::move(loaded));
  } else {
    const os::Lock lock(flight->mutex);
    while (!flight->done) flight->landed.wait(flight->mutex);
    TRY(Status(flight->status));
  }
  const uint64_t at = (part - flight->first_part) * kPartBytes + offset;
  std::memcpy(into.data(), flight->bytes.data() + at, into.size());
  return {};
}

Fetcher::Claim Fetcher::claim(const wire::PackLocation& location, uint32_t part,
                              uint32_t last_wanted) {
  const BlockId id = location.block.id;
  const os::Lock lock(mutex_);
  if (const auto found = flights_.find({id, part}); found != flights_.end()) return {found->second};
  if (strides_.size() > kMostStrides) strides_.clear();
  Stride& stride = strides_[id];
  stride.width =
      stride.next_part == part && part > 0 ? std::min(stride.width * 2, kMaxPartsPerRequest) : 1;
  uint32_t end = std::max(part + stride.width, last_wanted + 1);
  end = std::min({end, part + kMaxPartsPerRequest, parts_of(location)});
  // Up to what somebody fetches already.
  const auto other = flights_.lower_bound({id, part});
  if (other != flights_.end() && other->first.block == id) end = std::min(end, other->first.part);
  stride.next_part = end;
  const auto flight = std::make_shared<Flight>();
  flight->first_part = part;
  for (uint32_t i = part; i < end; ++i) flights_.emplace(PartKey{id, i}, flight);
  return {flight, end - part};
}

void Fetcher::Flight::land(const Status& outcome) {
  const os::Lock lock(mutex);
  status = outcome;
  done = true;
  landed.notify_all();
}

void Fetcher::forget(BlockId id, const Flight& flight, uint32_t parts) {
  const os::Lock lock(mutex_);
  for (uint32_t i = 0; i < parts; ++i) flights_.erase({id, flight.first_part + i});
}

Status Fetcher::load(const wire::PackLocation& location, uint32_t first, uint32_t parts,
                     std::string& bytes) {
  Status loaded = load_once(location, first, parts, bytes);
  if (!loaded.ok() && loaded.code() == Code::kCorrupt) {
    {
      const os::Lock lock(mutex_);
      ++counters_.damaged_answers;
    }
    loaded = load_once(location, first, parts, bytes);
  }
  if (loaded.ok()) return loaded;
  return Error(code_of_read(loaded.code()),
               fmt::format("block {}: {}", to_hex(location.block.id), loaded.error().context()));
}

Status Fetcher::load_once(const wire::PackLocation& location, uint32_t first, uint32_t parts,
                          std::string& bytes) {
  const wire::PackedBlock& block = location.block;
  const auto units = static_cast<uint32_t>(block.unit_bytes.size());
  const uint32_t first_unit = first * kUnitsPerPart;
  const uint32_t end_unit = std::min((first + parts) * kUnitsPerPart, units);
  uint64_t skip = 0;
  uint64_t length = 0;
  for (uint32_t i = 0; i < first_unit; ++i) skip += block.unit_bytes[i];
  for (uint32_t i = first_unit; i < end_unit; ++i) length += block.unit_bytes[i];
  std::string stored;
  make_room_for(length, stored);
  TRY(bucket_.read(wire::pack_object_name(location.pack), block.offset_bytes + skip,
                   as_writable_bytes(stored)));
  {
    const os::Lock lock(mutex_);
    ++counters_.requests;
    counters_.bytes += length;
  }
  make_room_for(length_of(location, first, parts), bytes);
  return open_units(block, first_unit, as_bytes(stored), format_.protection,
                    as_writable_bytes(bytes));
}

// Failing to keep a part loses nothing.
void Fetcher::keep(const wire::PackLocation& location, const Flight& flight, uint32_t parts) {
  const ByteView all = as_bytes(flight.bytes);
  for (uint32_t i = 0; i < parts; ++i) {
    const ByteView part =
        all.subspan(i * kPartBytes, length_of(location, flight.first_part + i, 1));
    const auto put = [&] {
      return parts_.put_part(location.block.id, flight.first_part + i, part);
    };
    Status kept = put();
    // Room in pieces may not do: each time more is asked for.
    for (uint64_t room = kPartBytes * 2; room <= kMostRoomBytes; room *= 2) {
      if (kept.ok() || kept.code() != Code::kNoSpace || !make_room_(room)) break;
      kept = put();
    }
    if (!kept.ok()) return;
    kept_(location.block.id, part.size());
  }
}

FetchCounters Fetcher::counters() {
  const os::Lock lock(mutex_);
  return counters_;
}

}  // namespace nacre::tier
