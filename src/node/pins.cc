#include "node/pins.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "node/file_blocks.h"
#include "wire/rows.h"
#include "wire/tier_rows.h"

namespace nacre::node {
namespace {

constexpr kv::Family kFamily = kv::Family::kBlocks;
constexpr int64_t kLookNs = 200'000'000;  // between two looks at the names, at least
constexpr int64_t kLookShare = 20;        // of the time goes into looking at most

// As of one moment of the rows. A block that is put gets its first row with the commit after.
class PinnedBlocks final : public tier::Staying {
 public:
  explicit PinnedBlocks(kv::Store& rows) : rows_(rows), moment_(rows.snapshot()) {}

  Status add(InodeId ino) {
    return visit_blocks_below(rows_, moment_.get(), ino,
                              [&](const BlockRange& range) { blocks_.insert(range.block); });
  }
  const std::unordered_set<BlockId>& blocks() const override { return blocks_; }
  bool knows(BlockId id) const override {
    const auto row = rows_.get(kFamily, wire::block_key(id), moment_.get());
    return row.ok() && row->has_value();
  }

 private:
  kv::Store& rows_;
  const std::unique_ptr<kv::Snapshot> moment_;
  std::unordered_set<BlockId> blocks_;
};

}  // namespace

Status Pins::add(const Pin& pin) {
  kv::Batch rows;
  rows.put(kFamily, wire::pin_key(pin.ino), pin.path);
  TRY(rows_.write(rows, kv::Durability::kSynced));
  forget_blocks();
  return {};
}

Result<bool> Pins::remove(InodeId ino) {
  if (!TRY(rows_.get(kFamily, wire::pin_key(ino)))) return false;
  kv::Batch rows;
  rows.erase(kFamily, wire::pin_key(ino));
  TRY(rows_.write(rows, kv::Durability::kSynced));
  forget_blocks();
  return true;
}

Result<std::vector<Pin>> Pins::list() {
  std::vector<Pin> pins;
  const auto rows = rows_.iterate(kFamily, kv::prefix_range(std::string(1, wire::kPinRowKind)));
  for (rows->seek_to_first(); rows->valid(); rows->next()) {
    pins.push_back({TRY(wire::decode_pin_key(rows->key())), std::string(rows->value())});
  }
  TRY(rows->status());
  return pins;
}

tier::StayingPtr Pins::blocks() {
  const os::Lock lock(mutex_);
  const int64_t began_ns = clock_.monotonic_ns();
  if (began_ns < next_look_ns_) return blocks_;
  auto found = find_blocks();
  if (found.ok()) {
    blocks_ = found.take();
  } else {
    spdlog::error("what is pinned cannot be found: {}", found.error().to_string());
  }
  const int64_t ended_ns = clock_.monotonic_ns();
  next_look_ns_ = ended_ns + std::max(kLookNs, (ended_ns - began_ns) * kLookShare);
  return blocks_;
}

Result<tier::StayingPtr> Pins::find_blocks() {
  const std::vector<Pin> pins = TRY(list());
  if (pins.empty()) return tier::StayingPtr();
  const auto pinned = std::make_shared<PinnedBlocks>(rows_);
  for (const Pin& pin : pins) TRY(pinned->add(pin.ino));
  return tier::StayingPtr(pinned);
}

void Pins::forget_blocks() {
  const os::Lock lock(mutex_);
  next_look_ns_ = INT64_MIN;
}

}  // namespace nacre::node
