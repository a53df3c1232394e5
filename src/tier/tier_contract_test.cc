// What every block store promises, of a tier: with all blocks on the devices, and with none.
#include "block/store_contract.h"
#include "tier/tier_under_test.h"

namespace nacre::block {
namespace {

using tier::TierOptions;
using tier::TierUnderTest;

// Nothing reaches the bucket.
class AwayUnderTest final : public StoreUnderTest {
 public:
  AwayUnderTest() { tier_.set_away(true); }
  Store& store() override { return tier_.store(); }

 private:
  TierUnderTest tier_;
};

// A block is evicted as soon as it is put, so that every read is fetched, and kept.
class EvictingStore final : public Store {
 public:
  explicit EvictingStore(TierUnderTest& tier) : tier_(tier) {}

  Status put(BlockId id, std::span<const ByteView> parts) override {
    TRY(tier_.store().put(id, parts));
    const os::Lock lock(mutex_);
    tier_.tier().uploader().flush();
    const auto stepped = tier_.tier().uploader().step();
    if (stepped.ok()) TRY(tier_.tier().evict(id));
    return {};
  }
  Status sync() override { return tier_.store().sync(); }
  Status read(BlockId id, uint64_t offset, MutableBytes into) override {
    return tier_.store().read(id, offset, into);
  }
  void prefetch(BlockId id, uint64_t offset, uint64_t length) override {
    tier_.store().prefetch(id, offset, length);
  }
  Status remove(BlockId id) override { return tier_.store().remove(id); }
  Result<BlockInfo> info(BlockId id) override { return tier_.store().info(id); }
  Status list(const std::function<bool(BlockId, const BlockInfo&)>& visit) override {
    return tier_.store().list(visit);
  }
  Space space() override { return tier_.store().space(); }
  Result<uint64_t> clean(uint64_t bytes) override { return tier_.store().clean(bytes); }

 private:
  TierUnderTest& tier_;
  os::Mutex mutex_;
};

class EvictedUnderTest final : public StoreUnderTest {
 public:
  explicit EvictedUnderTest(TierOptions options) : tier_(std::move(options)), evicting_(tier_) {
    tier_.bucket().set_capacity(24 * kMiB);
  }
  Store& store() override { return evicting_; }

 private:
  TierUnderTest tier_;
  EvictingStore evicting_;
};

StoreMaker evicted(const std::string& name, codec::Compression compression, bool sealed) {
  return {name, [compression, sealed] {
            TierOptions options;
            options.format.compression = compression;
            if (sealed) options.format.protection = codec::Protection(codec::SealKey::random());
            return std::make_unique<EvictedUnderTest>(options);
          }};
}

INSTANTIATE_TEST_SUITE_P(
    Tier, StoreContract,
    testing::Values(StoreMaker{"Away", [] { return std::make_unique<AwayUnderTest>(); }},
                    evicted("Evicted", codec::Compression::kNone, false),
                    evicted("Compressed", codec::Compression::kZstd, false),
                    evicted("Sealed", codec::Compression::kLz4, true)),
    [](const auto& maker) { return maker.param.name; });

}  // namespace
}  // namespace nacre::block
