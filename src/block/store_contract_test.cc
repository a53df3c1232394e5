#include "block/store_contract.h"

#include "block/cached_store.h"
#include "block/local_under_test.h"
#include "block/memory_store.h"

namespace nacre::block {
namespace {

class MemoryUnderTest final : public StoreUnderTest {
 public:
  Store& store() override { return store_; }

 private:
  MemoryStore store_{24u << 20};
};

// So small that units come and go, and most reads count as large.
class CachedUnderTest final : public StoreUnderTest {
 public:
  explicit CachedUnderTest(const CacheOptions& options) : cache_(below_.store(), options) {}
  Store& store() override { return cache_; }

 private:
  LocalStoreUnderTest below_{{.compression = codec::Compression::kLz4}};
  CachedStore cache_;
};

StoreMaker cached(const std::string& name, const CacheOptions& options) {
  return {name, [options] { return std::make_unique<CachedUnderTest>(options); }};
}

StoreMaker local(const std::string& name, const LocalKind& kind) {
  return {name, [kind] { return std::make_unique<LocalStoreUnderTest>(kind); }};
}

INSTANTIATE_TEST_SUITE_P(
    All, StoreContract,
    testing::Values(StoreMaker{"Memory", [] { return std::make_unique<MemoryUnderTest>(); }},
                    local("Directory", {}),
                    local("Image", {.backing = device::BackingKind::kImage}),
                    local("ThreeDevices", {.devices = 3}),
                    local("Lz4", {.compression = codec::Compression::kLz4}),
                    local("Zstd", {.devices = 2, .compression = codec::Compression::kZstd}),
                    cached("Cached", {}),
                    cached("SmallCache", {.capacity_bytes = 2u << 20, .large_read_bytes = 1000}),
                    cached("NoCache", {.capacity_bytes = 0})),
    [](const auto& maker) { return maker.param.name; });

}  // namespace
}  // namespace nacre::block
