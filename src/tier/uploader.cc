#include "tier/uploader.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>

#include "wire/bucket_names.h"

namespace nacre::tier {
namespace {

constexpr int64_t kRateWindowNs = 5'000'000'000;
constexpr int64_t kLookNs = 1'000'000'000;  // how late something that became due is noticed

}  // namespace

Uploader::Uploader(const Parts& parts, const PackFormat& format, const UploadOptions& options)
    : parts_(parts), format_(format), options_(options) {
  for (unsigned i = 0; i < options_.threads; ++i) {
    threads_.emplace_back("nacre-upload", [this] { run(); });
  }
}

Uploader::~Uploader() {
  {
    const os::Lock lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
    progress_.notify_all();
  }
  threads_.clear();
}

void Uploader::wake() {
  const os::Lock lock(mutex_);
  wake_.notify_one();
}

void Uploader::flush() {
  const os::Lock lock(mutex_);
  flush_until_ns_ = parts_.clock.monotonic_ns();
  not_before_ns_ = INT64_MIN;
  wake_.notify_all();
}

void Uploader::hurry(bool hurry) {
  const os::Lock lock(mutex_);
  status_.hurried = hurry;
  if (hurry) wake_.notify_all();
}

void Uploader::pause() {
  const os::Lock lock(mutex_);
  status_.paused = true;
}

void Uploader::resume() {
  const os::Lock lock(mutex_);
  status_.paused = false;
  not_before_ns_ = INT64_MIN;
  wake_.notify_all();
}

bool Uploader::is_due() {
  const int64_t now_ns = parts_.clock.monotonic_ns();
  if (status_.paused || now_ns < not_before_ns_) return false;
  const ResidenceTotals waiting = parts_.residence.totals();
  if (!waiting.oldest_waiting) return false;
  const int64_t since_ns = waiting.oldest_waiting->since_ns;
  return status_.hurried || waiting.waiting_bytes >= options_.pack_bytes ||
         now_ns - since_ns >= options_.wait_ns || since_ns <= flush_until_ns_;
}

void Uploader::run() {
  for (;;) {
    {
      const os::Lock lock(mutex_);
      while (!stopping_ && !is_due()) wake_.wait_for(mutex_, std::chrono::nanoseconds(kLookNs));
      if (stopping_) return;
    }
    (void)step();
  }
}

Result<bool> Uploader::step() {
  {
    const os::Lock lock(mutex_);
    if (!is_due()) return false;
  }
  const std::vector<DirtyBlock> blocks = parts_.residence.take_dirty(options_.pack_bytes);
  if (blocks.empty()) return false;
  Status uploaded = upload(blocks);
  if (uploaded.ok()) return true;
  for (const DirtyBlock& block : blocks) parts_.residence.put_back(block.id);
  note_failure(uploaded.error());
  return uploaded.error();
}

Status Uploader::upload(const std::vector<DirtyBlock>& blocks) {
  const wire::PackId id{parts_.random.next(), parts_.random.next()};
  PackBuilder builder(format_, id);
  for (const DirtyBlock& block : blocks) {
    const Status added = builder.add(parts_.local, block.id);
    if (added.ok() || added.code() == Code::kNotFound) continue;
    if (added.code() != Code::kCorrupt && added.code() != Code::kIo) return added;
    spdlog::error("{} cannot be uploaded: {}", to_hex(block.id), added.error().to_string());
    parts_.residence.forget(block.id);
    const os::Lock lock(mutex_);
    ++status_.damaged_blocks;
  }
  StoredPack pack{.id = id, .written = parts_.clock.now(), .blocks = builder.blocks()};
  if (pack.blocks.empty()) return {};
  const std::string object = builder.finish();
  pack.object_bytes = object.size();
  const ByteView bytes = as_bytes(object);
  const PackOnItsWay on_its_way(parts_.locations, id);
  TRY(parts_.may_write());
  TRY(parts_.bucket.put(wire::pack_object_name(id), {&bytes, 1}));
  TRY(finish(pack, blocks));
  note_success(pack);
  return {};
}

// What was removed meanwhile is dead from the start.
Status Uploader::finish(StoredPack pack, const std::vector<DirtyBlock>& blocks) {
  const os::Lock lock(finishing_);
  std::erase_if(pack.blocks, [&](const wire::PackedBlock& block) {
    return !parts_.residence.is_uploading(block.id);
  });
  uint64_t newest = 0;
  for (const DirtyBlock& block : blocks) newest = std::max(newest, block.batch);
  TRY(parts_.locations.add(pack, newest));
  for (const wire::PackedBlock& block : pack.blocks) parts_.residence.uploaded(block.id);
  return {};
}

Status Uploader::forget(BlockId id, uint64_t batch) {
  const os::Lock lock(finishing_);
  parts_.residence.forget(id);
  return parts_.locations.remove(id, batch);
}

void Uploader::note_success(const StoredPack& pack) {
  const int64_t now_ns = parts_.clock.monotonic_ns();
  const os::Lock lock(mutex_);
  if (!status_.trouble.empty()) spdlog::info("uploads go on");
  ++status_.packs;
  status_.blocks += pack.blocks.size();
  status_.bytes += pack.object_bytes;
  status_.trouble.clear();
  pause_ns_ = 0;
  if (now_ns - rate_since_ns_ > 2 * kRateWindowNs) {
    rate_since_ns_ = now_ns - kRateWindowNs;
    rate_bytes_ = 0;
  }
  rate_bytes_ += pack.object_bytes;
  const int64_t span_ns = std::max<int64_t>(now_ns - rate_since_ns_, 1);
  status_.bytes_per_second =
      static_cast<uint64_t>(static_cast<double>(rate_bytes_) * 1e9 / static_cast<double>(span_ns));
  progress_.notify_all();
}

void Uploader::note_failure(const Error& error) {
  const os::Lock lock(mutex_);
  if (status_.trouble.empty()) spdlog::warn("uploads wait: {}", error.to_string());
  ++status_.failures;
  status_.trouble = error.to_string();
  status_.trouble_code = error.code();
  status_.bytes_per_second = 0;
  pause_ns_ = std::clamp(pause_ns_ * 2, options_.first_pause_ns, options_.longest_pause_ns);
  not_before_ns_ = parts_.clock.monotonic_ns() + pause_ns_;
  progress_.notify_all();
}

void Uploader::wait_for_progress(int64_t limit_ns) {
  const os::Lock lock(mutex_);
  if (!stopping_) progress_.wait_for(mutex_, std::chrono::nanoseconds(limit_ns));
}

UploadStatus Uploader::status() {
  const os::Lock lock(mutex_);
  UploadStatus status = status_;
  if (parts_.clock.monotonic_ns() - rate_since_ns_ > 4 * kRateWindowNs) status.bytes_per_second = 0;
  return status;
}

}  // namespace nacre::tier
