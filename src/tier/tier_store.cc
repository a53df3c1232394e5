#include "tier/tier_store.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>

namespace nacre::tier {
namespace {

constexpr uint64_t kBucketBytes = uint64_t{1} << 50;  // shown as the room of a bucket
constexpr size_t kMostPrefetches = 256;
constexpr int64_t kStayingLookNs = 10'000'000'000;  // for what is to stay and is not here
constexpr int64_t kPatienceNs = 1'000'000'000;      // between two looks whether something changed
constexpr uint64_t kHeadBytes = 64 * kKiB;  // more than what a record takes beside its bytes
constexpr uint64_t kEvictPart =
    32;  // of the devices at once, so that cleaning finds whole segments

bool is_away(Code code) { return code == Code::kUnavailable || code == Code::kTimeout; }

uint64_t size_of(std::span<const ByteView> parts) {
  uint64_t sum = 0;
  for (const ByteView part : parts) sum += part.size();
  return sum;
}

}  // namespace

Result<std::unique_ptr<TierStore>> TierStore::open(const Parts& parts, const TierOptions& options) {
  std::unique_ptr<TierStore> store(new TierStore(parts, options));
  parts.set_limit();
  TRY(store->locations_.open());
  TRY(store->find_residents());
  UploadOptions upload = options.upload;
  if (!options.background) upload.threads = 0;
  store->uploader_ = std::make_unique<Uploader>(
      Uploader::Parts{parts.local, parts.bucket, store->residence_, store->locations_, parts.clock,
                      parts.random, parts.may_write},
      store->options_.format, upload);
  if (!options.background) return store;
  TierStore* const raw = store.get();
  store->threads_.emplace_back("nacre-evict", [raw] { raw->run_eviction(); });
  for (unsigned i = 0; i < options.prefetch_threads; ++i) {
    store->threads_.emplace_back("nacre-prefetch", [raw] { raw->run_prefetches(); });
  }
  return store;
}

TierStore::TierStore(const Parts& parts, const TierOptions& options)
    : parts_(parts),
      options_(options),
      wait_while_away_(options.wait_while_away),
      sync_remote_(options.sync_remote),
      locations_(parts.rows) {
  fetcher_ = std::make_unique<Fetcher>(
      parts.parts, parts.bucket, options_.format,
      [this](BlockId id, uint64_t bytes) { residence_.add_clean(id, bytes); },
      [this](uint64_t bytes) { return make_room(bytes); });
}

TierStore::~TierStore() {
  {
    const os::Lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  threads_.clear();
  uploader_.reset();
}

// What the devices have and no row names came last, and nothing is known of its age: it is taken to
// be older than anything.
Status TierStore::find_residents() {
  const int64_t now_ns = parts_.clock.monotonic_ns();
  Status failed;
  TRY(parts_.local.list([&](BlockId id, const block::BlockInfo& info) {
    const auto location = locations_.find(id);
    if (!location.ok()) {
      failed = location.error();
      return false;
    }
    if (*location) {
      residence_.add_clean(id, info.stored_bytes);
    } else {
      residence_.add_dirty({.id = id, .bytes = info.stored_bytes, .since_ns = now_ns});
    }
    return true;
  }));
  TRY(std::move(failed));
  std::vector<std::pair<BlockId, uint32_t>> orphans;
  parts_.parts.list_parts([&](BlockId id, uint32_t part, uint64_t bytes) {
    const auto location = locations_.find(id);
    if (location.ok() && *location) {
      residence_.add_clean(id, bytes);
    } else {
      orphans.emplace_back(id, part);
    }
    return true;
  });
  if (options_.read_only) return {};
  for (const auto& [id, part] : orphans) TRY(parts_.parts.remove_part(id, part));
  return {};
}

Status TierStore::put(BlockId id, std::span<const ByteView> parts) {
  const DirtyBlock block{
      .id = id, .since_ns = parts_.clock.monotonic_ns(), .batch = parts_.last_batch()};
  if (TRY(locations_.find(id))) return Error(Code::kExists, "block " + to_hex(id));
  Status put = parts_.local.put(id, parts);
  // Room in pieces may not do: each time more is asked for.
  const uint64_t most_bytes = parts_.local.space().capacity_bytes / 2;
  for (uint64_t bytes = size_of(parts) + kHeadBytes; !put.ok() && put.code() == Code::kNoSpace;
       bytes *= 2) {
    if (bytes > most_bytes) return put;
    if (!make_room(bytes)) {
      ++puts_delayed_;
      TRY(wait_for_room(bytes));
    }
    put = parts_.local.put(id, parts);
  }
  TRY(std::move(put));
  DirtyBlock stored = block;
  const auto info = parts_.local.info(id);
  stored.bytes = info.ok() ? info->stored_bytes : size_of(parts);
  residence_.add_dirty(stored);
  uploader_->wake();
  if (is_short_of_room()) {
    const os::Lock lock(mutex_);
    room_wanted_ = true;
    changed_.notify_all();
  }
  return {};
}

// Nothing clean is left to leave: until an upload has made some. One that failed before is tried
// again first.
Status TierStore::wait_for_room(uint64_t bytes) {
  uploader_->hurry(true);
  uploader_->flush();
  Status outcome;
  while (outcome.ok()) {
    if (options_.background) {
      uploader_->wait_for_progress(kPatienceNs);
    } else {
      (void)uploader_->step();
    }
    if (gain_room(bytes, true)) break;
    const UploadStatus upload = uploader_->status();
    if (stopping_) {
      outcome = Error(Code::kCancelled, "the volume is being closed");
    } else if (upload.paused) {
      outcome = Error(Code::kNoSpace, "the local cache is full, and uploads are paused");
    } else if (!upload.trouble.empty() && !wait_while_away_) {
      outcome =
          Error(Code::kNoSpace, "the local cache is full, and uploads wait: " + upload.trouble);
    }
  }
  uploader_->hurry(false);
  return outcome;
}

Status TierStore::sync() {
  TRY(parts_.local.sync());
  if (!sync_remote_) return {};
  const uint64_t mark = residence_.mark();
  uploader_->flush();
  // What others put meanwhile is theirs to wait for.
  while (!residence_.is_uploaded_before(mark) && !stopping_) {
    const UploadStatus upload = uploader_->status();
    if (!upload.trouble.empty() && !wait_while_away_) {
      return Error(Code::kUnavailable, "not in the bucket yet: " + upload.trouble);
    }
    if (options_.background) {
      uploader_->wait_for_progress(kPatienceNs);
    } else {
      (void)uploader_->step();
    }
  }
  return {};
}

Status TierStore::read(BlockId id, uint64_t offset, MutableBytes into) {
  Status local = parts_.local.read(id, offset, into);
  if (local.ok()) {
    residence_.touch(id);
    return local;
  }
  if (local.code() == Code::kOutOfRange) return local;
  const auto location = TRY(locations_.find(id));
  if (!location) return local;
  // What is damaged here is good there.
  if (local.code() != Code::kNotFound && !options_.read_only) {
    spdlog::warn("{}: fetched anew", local.error().to_string());
    TRY(drop_local(id, location->block.logical_bytes));
  }
  residence_.touch(id);
  return read_elsewhere(id, offset, into);
}

Status TierStore::read_elsewhere(BlockId id, uint64_t offset, MutableBytes into) {
  return from_bucket(id, [&](const wire::PackLocation& location) {
    return fetcher_->read(location, offset, into);
  });
}

// A pack may be written anew, and the old one removed, at any time.
template <class Body>
Status TierStore::from_bucket(BlockId id, const Body& body) {
  return while_away([&]() -> Status {
    auto location = TRY(locations_.find(id));
    while (location) {
      Status done = body(*location);
      if (done.ok()) return done;
      const auto now = TRY(locations_.find(id));
      if (now == location) return done;
      location = now;
    }
    return Error(Code::kNotFound, "block " + to_hex(id));
  });
}

template <class Body>
Status TierStore::while_away(const Body& body) {
  for (;;) {
    Status done = body();
    if (done.ok() || !wait_while_away_ || !is_away(done.code()) || stopping_) return done;
    const os::Lock lock(mutex_);
    changed_.wait_for(mutex_, std::chrono::nanoseconds(kPatienceNs));
  }
}

Status TierStore::fetch(BlockId id, uint64_t offset, uint64_t length) {
  if (parts_.local.info(id).ok()) return {};
  return from_bucket(id, [&](const wire::PackLocation& location) {
    return fetcher_->fetch(location, offset, length);
  });
}

void TierStore::prefetch(BlockId id, uint64_t offset, uint64_t length) {
  if (threads_.empty()) return;
  const auto here = is_here(id);
  if (!here.ok() || *here) return;
  const os::Lock lock(mutex_);
  if (prefetches_.size() >= kMostPrefetches) return;
  prefetches_.push_back({id, offset, length});
  changed_.notify_all();
}

void TierStore::run_prefetches() {
  for (;;) {
    Range range;
    {
      const os::Lock lock(mutex_);
      while (!stopping_ && prefetches_.empty()) changed_.wait(mutex_);
      if (stopping_) return;
      range = prefetches_.front();
      prefetches_.pop_front();
    }
    // Whoever reads it is told.
    const auto location = locations_.find(range.id);
    if (location.ok() && *location) (void)fetcher_->fetch(**location, range.offset, range.length);
  }
}

Status TierStore::remove(BlockId id) {
  const auto location = TRY(locations_.find(id));
  TRY(drop_local(id, location ? location->block.logical_bytes : 0));
  return uploader_->forget(id, parts_.last_batch());
}

Status TierStore::drop_local(BlockId id, uint64_t logical_bytes) {
  TRY(parts_.local.remove(id));
  for (uint32_t part = 0; part * kPartBytes < logical_bytes; ++part) {
    TRY(parts_.parts.remove_part(id, part));
  }
  return {};
}

Result<block::BlockInfo> TierStore::info(BlockId id) {
  auto local = parts_.local.info(id);
  if (local.ok() || local.code() != Code::kNotFound) return local;
  const auto location = TRY(locations_.find(id));
  if (!location) return local;
  return block::BlockInfo{.logical_bytes = location->block.logical_bytes,
                          .stored_bytes = location->block.stored_bytes()};
}

Status TierStore::list(const std::function<bool(BlockId, const block::BlockInfo&)>& visit) {
  bool going = true;
  TRY(parts_.local.list([&](BlockId id, const block::BlockInfo& info) {
    going = visit(id, info);
    return going;
  }));
  if (!going) return {};
  return locations_.list([&](const wire::PackLocation& location) {
    if (parts_.local.info(location.block.id).ok()) return true;
    return visit(location.block.id, {.logical_bytes = location.block.logical_bytes,
                                     .stored_bytes = location.block.stored_bytes()});
  });
}

block::Space TierStore::space() {
  const uint64_t stored = residence_.totals().dirty_bytes + locations_.totals().live_bytes;
  block::Space space{.capacity_bytes = kBucketBytes,
                     .used_bytes = stored,
                     .live_bytes = stored,
                     .free_bytes = kBucketBytes - std::min(kBucketBytes, stored)};
  const UploadStatus upload = uploader_->status();
  if (upload.trouble.empty() || wait_while_away_) return space;
  const block::Space local = parts_.local.space();
  const uint64_t dead = local.used_bytes - std::min(local.used_bytes, local.live_bytes);
  space.free_bytes = local.free_bytes + dead + residence_.totals().clean_bytes;
  space.capacity_bytes = stored + space.free_bytes;
  return space;
}

bool TierStore::is_short_of_room() {
  const block::Space space = parts_.local.space();
  return space.over_bytes > 0 ||
         space.free_bytes < space.capacity_bytes / 100 * options_.free_percent;
}

bool TierStore::make_room(uint64_t bytes) { return gain_room(bytes, false); }

// Where the disk would take more than it may, or `even_staying` says so, and nothing is on its way
// that could leave instead: what nobody knows yet leaves, and last of all what is to stay.
bool TierStore::gain_room(uint64_t bytes, bool even_staying) {
  const StayingPtr staying = parts_.staying();
  const os::Lock lock(room_mutex_);
  parts_.set_limit();
  for (;;) {
    const block::Space space = parts_.local.space();
    if (space.free_bytes >= bytes && space.over_bytes == 0) return true;
    const uint64_t wanted = bytes - std::min(bytes, space.free_bytes) + space.over_bytes;
    const uint64_t dead = space.used_bytes - std::min(space.used_bytes, space.live_bytes);
    const auto cleaned = [&] {
      const auto gained = parts_.local.clean(wanted);
      return gained.ok() && *gained > 0;
    };
    // Cleaning copies what lives: it is cheap once as much again is dead.
    if (dead >= 2 * wanted && cleaned()) continue;
    const uint64_t lacking = 2 * wanted - std::min(2 * wanted, dead);
    const uint64_t leaving = std::max(lacking, space.capacity_bytes / kEvictPart);
    if (evict_some(leaving, staying.get(), Spare::kStayingAndUnknown) || cleaned()) continue;
    const bool last_resort = (space.over_bytes > 0 || even_staying) && staying != nullptr &&
                             residence_.totals().dirty_blocks == 0;
    if (last_resort && (evict_some(leaving, staying.get(), Spare::kStaying) ||
                        evict_some(leaving, staying.get(), Spare::kNothing))) {
      continue;
    }
    return parts_.local.space().free_bytes >= bytes;
  }
}

// False when nothing may leave.
bool TierStore::evict_some(uint64_t bytes, const Staying* staying, Spare spare) {
  const auto stays = [&](BlockId id) {
    return staying != nullptr && spare != Spare::kNothing && staying->blocks().contains(id);
  };
  const auto is_unknown = [&](BlockId id) {
    return staying != nullptr && spare == Spare::kStayingAndUnknown && !staying->knows(id);
  };
  std::vector<CleanBlock> spared;
  uint64_t freed = 0;
  while (freed < bytes) {
    const auto victim = residence_.next_victim(stays);
    if (!victim) break;
    if (is_unknown(victim->id)) {
      spared.push_back(*victim);
      continue;
    }
    const auto location = locations_.find(victim->id);
    if (!location.ok() || !*location) continue;  // removed meanwhile
    if (!drop_local(victim->id, (*location)->block.logical_bytes).ok()) break;
    freed += victim->bytes;
    ++blocks_evicted_;
  }
  for (const CleanBlock& block : spared) residence_.add_clean(block.id, block.bytes);
  bytes_evicted_ += freed;
  return freed > 0;
}

Result<bool> TierStore::evict(BlockId id) {
  const auto location = TRY(locations_.find(id));
  if (!location) return Error(Code::kBusy, "block " + to_hex(id) + " is not in the bucket yet");
  if (!residence_.contains(id)) return false;
  residence_.forget(id);
  TRY(drop_local(id, location->block.logical_bytes));
  ++blocks_evicted_;
  return true;
}

Result<bool> TierStore::is_here(BlockId id) {
  if (parts_.local.info(id).ok()) return true;
  const auto location = TRY(locations_.find(id));
  return location && residence_.bytes_of(id) >= location->block.logical_bytes;
}

// As much of it as prefetches may wait; the rest the next time.
void TierStore::fetch_staying() {
  const StayingPtr staying = parts_.staying();
  if (staying == nullptr) return;
  for (const BlockId id : staying->blocks()) {
    if (is_short_of_room()) return;
    const auto here = is_here(id);
    if (here.ok() && !*here) prefetch(id, 0, block::kMaxBlockBytes);
  }
}

void TierStore::run_eviction() {
  int64_t next_look_ns = INT64_MIN;
  for (;;) {
    if (const int64_t now_ns = parts_.clock.monotonic_ns(); now_ns >= next_look_ns) {
      fetch_staying();
      next_look_ns = now_ns + kStayingLookNs;
    }
    {
      const os::Lock lock(mutex_);
      if (!stopping_ && !room_wanted_) {
        changed_.wait_for(mutex_, std::chrono::nanoseconds(kPatienceNs));
      }
      if (stopping_) return;
      room_wanted_ = false;
    }
    parts_.set_limit();
    if (!is_short_of_room()) continue;
    const uint64_t wanted = parts_.local.space().capacity_bytes / 100 * options_.free_percent;
    uploader_->hurry(!make_room(wanted));
  }
}

TierStatus TierStore::status() {
  return {.local = residence_.totals(),
          .bucket = locations_.totals(),
          .upload = uploader_->status(),
          .fetch = fetcher_->counters(),
          .blocks_evicted = blocks_evicted_,
          .bytes_evicted = bytes_evicted_,
          .puts_delayed = puts_delayed_};
}

}  // namespace nacre::tier
