#include "os/sim_file_content.h"

#include <algorithm>

#include "base/units.h"

namespace nacre::os {
namespace {

constexpr uint64_t kSectorBytes = 512;
// Beyond this the oldest changes become durable by themselves, as a kernel writes back old pages.
constexpr uint64_t kPendingBytesMax = 32 * kMiB;
// What a change costs beside its data.
constexpr uint64_t kChangeBytes = 64;

void flip(SimContent& content, uint64_t offset, unsigned bit) {
  std::byte value{};
  content.read(offset, {&value, 1});
  value ^= std::byte{1} << bit;
  content.write(offset, {&value, 1});
}

}  // namespace

void SimFileContent::write(uint64_t offset, std::span<const ByteView> parts) {
  Change change{Change::Kind::kWrite, offset, 0, {}};
  for (const ByteView part : parts) change.length += part.size();
  change.data.reserve(change.length);
  for (const ByteView part : parts) {
    change.data.insert(change.data.end(), part.begin(), part.end());
  }
  latest_.write(offset, change.data);
  add(std::move(change));
}

void SimFileContent::allocate(uint64_t offset, uint64_t length) {
  latest_.reserve(offset, length);
  add({Change::Kind::kAllocate, offset, length, {}});
}

void SimFileContent::truncate(uint64_t size) {
  latest_.truncate(size);
  add({Change::Kind::kTruncate, size, 0, {}});
}

void SimFileContent::add(Change change) {
  pending_bytes_ += kChangeBytes + change.data.size();
  pending_.push_back(std::move(change));
  while (pending_bytes_ > kPendingBytesMax && pending_.size() > 1) {
    make_durable(pending_.front());
    pending_bytes_ -= kChangeBytes + pending_.front().data.size();
    pending_.pop_front();
  }
}

void SimFileContent::sync() {
  // Below the lowest cut only writes and allocations differ from the durable bytes.
  uint64_t lowest = durable_.size();
  for (const Change& change : pending_) {
    if (change.kind == Change::Kind::kTruncate) lowest = std::min(lowest, change.offset);
  }
  durable_.truncate(lowest);
  for (const Change& change : pending_) {
    durable_.share(latest_, change.offset, change.length);
  }
  durable_.truncate(latest_.size());
  pending_.clear();
  pending_bytes_ = 0;
}

void SimFileContent::tear_latest_change() {
  if (!pending_.empty()) pending_.back().torn = true;
}

void SimFileContent::crash(Random& random, uint64_t percent) {
  for (const Change& change : pending_) {
    const bool is_write = change.kind == Change::Kind::kWrite;
    const bool certain = percent == 0 || percent == 100;
    if (is_write && (change.torn || (!certain && random.next() % 4 == 0))) {
      make_part_durable(change, random);
    } else if (random.next() % 100 < percent) {
      make_durable(change);
    }
  }
  pending_.clear();
  pending_bytes_ = 0;
  latest_ = durable_;
}

void SimFileContent::make_durable(const Change& change) {
  switch (change.kind) {
    case Change::Kind::kWrite:
      durable_.write(change.offset, change.data);
      break;
    case Change::Kind::kAllocate:
      durable_.reserve(change.offset, change.length);
      break;
    case Change::Kind::kTruncate:
      durable_.truncate(change.offset);
      break;
  }
}

void SimFileContent::make_part_durable(const Change& write, Random& random) {
  ByteView left = write.data;
  uint64_t offset = write.offset;
  while (!left.empty()) {
    const uint64_t count = std::min<uint64_t>(left.size(), kSectorBytes - offset % kSectorBytes);
    if (random.next() % 2 == 0) durable_.write(offset, left.first(count));
    left = left.subspan(count);
    offset += count;
  }
}

void SimFileContent::rot(uint64_t offset, unsigned bit) {
  flip(durable_, offset, bit);
  if (offset < latest_.size() && !hides(offset)) flip(latest_, offset, bit);
}

bool SimFileContent::hides(uint64_t offset) const {
  return std::ranges::any_of(pending_, [&](const Change& change) {
    switch (change.kind) {
      case Change::Kind::kWrite:
        return change.offset <= offset && offset - change.offset < change.length;
      case Change::Kind::kTruncate:
        return change.offset <= offset;
      case Change::Kind::kAllocate:
        break;
    }
    return false;
  });
}

}  // namespace nacre::os
