#include "node/pins.h"

#include <spdlog/spdlog.h>

#include "node/file_blocks.h"
#include "wire/tier_rows.h"

namespace nacre::node {
namespace {

constexpr kv::Family kFamily = kv::Family::kBlocks;
constexpr int64_t kLookNs = 5'000'000'000;  // at the names again

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

std::shared_ptr<const Pins::Blocks> Pins::blocks() {
  const os::Lock lock(mutex_);
  const int64_t now_ns = clock_.monotonic_ns();
  if (found_ns_ && now_ns - *found_ns_ < kLookNs) return blocks_;
  auto found = find_blocks();
  if (found.ok()) {
    blocks_ = found.take();
    found_ns_ = now_ns;
  } else {
    spdlog::error("what is pinned cannot be found: {}", found.error().to_string());
  }
  return blocks_;
}

Result<std::shared_ptr<const Pins::Blocks>> Pins::find_blocks() {
  const std::vector<Pin> pins = TRY(list());
  if (pins.empty()) return std::shared_ptr<const Blocks>();
  const auto blocks = std::make_shared<Blocks>();
  for (const Pin& pin : pins) {
    TRY(visit_blocks_below(rows_, pin.ino,
                           [&](const BlockRange& range) { blocks->insert(range.block); }));
  }
  return std::shared_ptr<const Blocks>(blocks);
}

void Pins::forget_blocks() {
  const os::Lock lock(mutex_);
  found_ns_.reset();
}

}  // namespace nacre::node
