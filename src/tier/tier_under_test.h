// A tier over a local store on a simulated disk and a bucket in memory, for tests.
#pragma once

#include "block/local_under_test.h"
#include "bucket/memory_bucket.h"
#include "kv/memory_store.h"
#include "tier/tier_store.h"

namespace nacre::tier {

class TierUnderTest : public block::StoreUnderTest {
 public:
  explicit TierUnderTest(TierOptions options = {}) : options_(std::move(options)) {
    options_.background = false;
    options_.format.volume = block::kTestVolume;
    open();
  }

  void open() {
    tier_.reset();
    auto opened = TierStore::open({.local = below_.local(),
                                   .parts = below_.local(),
                                   .bucket = bucket_,
                                   .rows = rows_,
                                   .clock = clock_,
                                   .random = random_,
                                   .last_batch = [this] { return last_batch_; },
                                   .staying = [this] { return staying_; }},
                                  options_);
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    tier_ = opened.take();
  }
  // The process ends without a word, and all that was not synced is lost.
  void crash() {
    tier_.reset();
    below_.crash();
    open();
  }

  block::Store& store() override { return *tier_; }
  TierStore& tier() { return *tier_; }
  block::LocalStore& local() { return below_.local(); }
  bucket::MemoryBucket& bucket() { return bucket_; }
  os::ManualClock& clock() { return clock_; }
  void next_batch() { ++last_batch_; }
  void set_staying(StayingPtr staying) { staying_ = std::move(staying); }

  // Everything dirty goes to the bucket.
  void upload() {
    tier_->uploader().flush();
    for (;;) {
      const auto stepped = tier_->uploader().step();
      ASSERT_TRUE(stepped.ok()) << stepped.error().to_string();
      if (!*stepped) return;
    }
  }
  Status put(BlockId id, const std::string& bytes) {
    const ByteView parts[] = {as_bytes(bytes)};
    return tier_->put(id, parts);
  }
  Result<std::string> get(BlockId id, uint64_t offset, size_t size) {
    std::string bytes(size, '?');
    TRY(tier_->read(id, offset, as_writable_bytes(bytes)));
    return bytes;
  }
  void set_away(bool away) {
    const Error error(Code::kUnavailable, "the bucket is away");
    for (const auto operation : {bucket::Operation::kPut, bucket::Operation::kRead}) {
      bucket_.fail_next(operation, away ? UINT64_MAX : 0, error);
    }
  }

 private:
  TierOptions options_;
  block::LocalStoreUnderTest below_{{}};
  bucket::MemoryBucket bucket_;
  kv::MemoryStore rows_;
  os::ManualClock clock_;
  os::SeededRandom random_{11};
  uint64_t last_batch_ = 1;
  StayingPtr staying_;
  std::unique_ptr<TierStore> tier_;
};

// Bytes of `id` alone, half of which compress.
inline std::string text_of(BlockId id, size_t size) {
  std::string bytes(size, '\0');
  uint64_t state = id.high * 31 + id.low;
  for (size_t i = 0; i < size; ++i) {
    if (i / 50000 % 2 == 0 || i % 64 == 0) state = state * 6364136223846793005u + 1442695041u;
    bytes[i] = static_cast<char>(state >> 56);
  }
  return bytes;
}

}  // namespace nacre::tier
