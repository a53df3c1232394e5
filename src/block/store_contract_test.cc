#include "block/store_contract.h"

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
                    local("Zstd", {.devices = 2, .compression = codec::Compression::kZstd})),
    [](const auto& maker) { return maker.param.name; });

}  // namespace
}  // namespace nacre::block
