#include "tier/residence.h"

#include <algorithm>

namespace nacre::tier {
namespace {

constexpr uint64_t kSmallPart = 10;  // of the clean bytes are for what came last
constexpr uint8_t kMostUses = 3;
constexpr size_t kMostGhosts = 64 * 1024;

}  // namespace

void Residence::add_dirty(const DirtyBlock& block) {
  const os::Lock lock(mutex_);
  const auto [found, fresh] = entries_.try_emplace(block.id);
  if (!fresh) return;
  found->second = {.state = State::kDirty, .bytes = block.bytes, .age = next_age_++};
  dirty_.emplace(found->second.age, block);
  dirty_bytes_ += block.bytes;
  waiting_.insert(found->second.age);
  waiting_bytes_ += block.bytes;
}

void Residence::add_clean(BlockId id, uint64_t bytes) {
  const os::Lock lock(mutex_);
  const auto [found, fresh] = entries_.try_emplace(id);
  Entry& entry = found->second;
  if (fresh) {
    entry.bytes = bytes;
    enqueue(id, entry, ghost_ids_.contains(id));
  } else if (entry.state == State::kClean) {
    dequeue(entry);
    entry.bytes += bytes;
    enqueue(id, entry, entry.in_main);
  }
}

void Residence::enqueue(BlockId id, Entry& entry, bool main) {
  entry.state = State::kClean;
  entry.in_main = main;
  Queue& queue = main ? main_ : small_;
  entry.place = queue.insert(queue.end(), id);
  (main ? main_bytes_ : small_bytes_) += entry.bytes;
}

void Residence::dequeue(Entry& entry) {
  (entry.in_main ? main_bytes_ : small_bytes_) -= entry.bytes;
  (entry.in_main ? main_ : small_).erase(entry.place);
}

bool Residence::forget(BlockId id) {
  const os::Lock lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) return false;
  const State state = found->second.state;
  if (state == State::kClean) {
    dequeue(found->second);
  } else {
    end_dirty(found->second);
  }
  entries_.erase(found);
  return state == State::kUploading;
}

void Residence::end_dirty(const Entry& entry) {
  dirty_bytes_ -= entry.bytes;
  dirty_.erase(entry.age);
  if (waiting_.erase(entry.age) > 0) waiting_bytes_ -= entry.bytes;
}

bool Residence::contains(BlockId id) {
  const os::Lock lock(mutex_);
  return entries_.contains(id);
}

uint64_t Residence::bytes_of(BlockId id) {
  const os::Lock lock(mutex_);
  const auto found = entries_.find(id);
  return found == entries_.end() ? 0 : found->second.bytes;
}

bool Residence::is_uploading(BlockId id) {
  const os::Lock lock(mutex_);
  const auto found = entries_.find(id);
  return found != entries_.end() && found->second.state == State::kUploading;
}

void Residence::touch(BlockId id) {
  const os::Lock lock(mutex_);
  const auto found = entries_.find(id);
  if (found != entries_.end() && found->second.uses < kMostUses) ++found->second.uses;
}

uint64_t Residence::mark() {
  const os::Lock lock(mutex_);
  return next_age_;
}

bool Residence::is_uploaded_before(uint64_t mark) {
  const os::Lock lock(mutex_);
  return dirty_.empty() || dirty_.begin()->first >= mark;
}

std::vector<DirtyBlock> Residence::take_dirty(uint64_t bytes) {
  const os::Lock lock(mutex_);
  std::vector<DirtyBlock> taken;
  uint64_t sum = 0;
  while (!waiting_.empty()) {
    const DirtyBlock& block = dirty_.at(*waiting_.begin());
    if (!taken.empty() && sum + block.bytes > bytes) break;
    waiting_.erase(waiting_.begin());
    waiting_bytes_ -= block.bytes;
    entries_.at(block.id).state = State::kUploading;
    sum += block.bytes;
    taken.push_back(block);
  }
  return taken;
}

bool Residence::uploaded(BlockId id) {
  const os::Lock lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end() || found->second.state != State::kUploading) return false;
  end_dirty(found->second);
  enqueue(id, found->second, false);
  return true;
}

void Residence::put_back(BlockId id) {
  const os::Lock lock(mutex_);
  const auto found = entries_.find(id);
  if (found != entries_.end() && found->second.state == State::kUploading) {
    found->second.state = State::kDirty;
    waiting_.insert(found->second.age);
    waiting_bytes_ += found->second.bytes;
  }
}

std::optional<CleanBlock> Residence::next_victim(const std::function<bool(BlockId)>& stays) {
  const os::Lock lock(mutex_);
  // Each block passes the queues a bounded number of times: its uses run out.
  for (size_t left = (small_.size() + main_.size()) * (kMostUses + 2); left > 0; --left) {
    const bool small_first = small_bytes_ * kSmallPart > small_bytes_ + main_bytes_;
    const bool from_small = !small_.empty() && (small_first || main_.empty());
    if (!from_small && main_.empty()) return std::nullopt;
    const BlockId id = (from_small ? small_ : main_).front();
    const auto found = entries_.find(id);
    Entry& entry = found->second;
    dequeue(entry);
    if (entry.uses > 0 || stays(id)) {
      if (entry.uses > 0) --entry.uses;
      enqueue(id, entry, true);
      continue;
    }
    if (from_small) remember_ghost(id);
    const CleanBlock victim{id, entry.bytes};
    entries_.erase(found);
    return victim;
  }
  return std::nullopt;
}

void Residence::remember_ghost(BlockId id) {
  if (!ghost_ids_.insert(id).second) return;
  ghosts_.push_back(id);
  if (ghosts_.size() <= kMostGhosts) return;
  ghost_ids_.erase(ghosts_.front());
  ghosts_.pop_front();
}

std::vector<wire::BlockHeat> Residence::heat() {
  const os::Lock lock(mutex_);
  std::vector<wire::BlockHeat> heat;
  for (const BlockId id : main_) heat.push_back({id, entries_.at(id).uses});
  for (const BlockId id : small_) {
    if (const uint8_t uses = entries_.at(id).uses; uses > 0) heat.push_back({id, uses});
  }
  return heat;
}

void Residence::recall(const std::vector<wire::BlockHeat>& heat) {
  const os::Lock lock(mutex_);
  for (const wire::BlockHeat& block : heat) {
    const auto found = entries_.find(block.block);
    if (found == entries_.end() || found->second.state != State::kClean) continue;
    dequeue(found->second);
    found->second.uses = std::max(found->second.uses, std::min(block.uses, kMostUses));
    enqueue(block.block, found->second, true);
  }
}

uint64_t Residence::settled_batch(uint64_t newest) {
  const os::Lock lock(mutex_);
  return dirty_.empty() ? newest : std::min(newest, dirty_.begin()->second.batch);
}

ResidenceTotals Residence::totals() {
  const os::Lock lock(mutex_);
  ResidenceTotals totals{.dirty_blocks = dirty_.size(),
                         .dirty_bytes = dirty_bytes_,
                         .clean_blocks = small_.size() + main_.size(),
                         .clean_bytes = small_bytes_ + main_bytes_,
                         .waiting_bytes = waiting_bytes_};
  if (!dirty_.empty()) totals.oldest = dirty_.begin()->second;
  if (!waiting_.empty()) totals.oldest_waiting = dirty_.at(*waiting_.begin());
  return totals;
}

}  // namespace nacre::tier
