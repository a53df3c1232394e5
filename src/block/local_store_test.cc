#include "block/local_store.h"

#include <set>

#include "block/local_under_test.h"

namespace nacre::block {
namespace {

using LocalUnderTest = LocalStoreUnderTest;

std::string text_of(size_t size) {
  std::string text;
  while (text.size() < size) text += "line " + std::to_string(text.size()) + "\n";
  text.resize(size);
  return text;
}

Status put(Store& store, BlockId id, const std::string& bytes) {
  const ByteView parts[] = {as_bytes(bytes)};
  return store.put(id, parts);
}

std::string get(Store& store, BlockId id, size_t size) {
  std::string bytes(size, '?');
  const Status read = store.read(id, 0, as_writable_bytes(bytes));
  EXPECT_TRUE(read.ok()) << read.error().to_string();
  return bytes;
}

TEST(LocalStore, KeepsBlocksSmallerWhereThatIsWorthIt) {
  for (const codec::Compression compression :
       {codec::Compression::kLz4, codec::Compression::kZstd}) {
    LocalUnderTest under_test({.compression = compression});
    const std::string text = text_of(500000);
    ASSERT_TRUE(put(under_test.store(), {1, 1}, text).ok());
    EXPECT_LT(under_test.store().info({1, 1})->stored_bytes, 300000u);
    EXPECT_EQ(under_test.store().info({1, 1})->logical_bytes, 500000u);
    ASSERT_TRUE(under_test.store().sync().ok());
    under_test.crash();
    EXPECT_TRUE(get(under_test.store(), {1, 1}, 500000) == text);
  }
}

TEST(LocalStore, KeepsNoiseAsItIs) {
  LocalUnderTest under_test({.compression = codec::Compression::kZstd});
  os::SeededRandom random(1);
  std::string noise;
  while (noise.size() < 200000) noise += static_cast<char>(random.next());
  ASSERT_TRUE(put(under_test.store(), {1, 1}, noise).ok());
  const device::Device& device = *under_test.local().devices()[0];
  const Result<device::Fragment> fragment = const_cast<device::Device&>(device).find({1, 1}, 0);
  ASSERT_TRUE(fragment.ok());
  EXPECT_EQ(fragment->descriptor().compression, 0);
  EXPECT_EQ(fragment->payload_bytes(), 200000u);
}

TEST(LocalStore, ReadsBlocksOfAnyCompressionWhateverItWritesNow) {
  LocalUnderTest under_test({.compression = codec::Compression::kZstd});
  const std::string text = text_of(200000);
  ASSERT_TRUE(put(under_test.store(), {1, 1}, text).ok());
  ASSERT_TRUE(under_test.local().close().ok());
  os::SeededRandom random(1);
  std::vector<std::unique_ptr<device::Device>> devices;
  under_test.open();
  EXPECT_TRUE(get(under_test.store(), {1, 1}, text.size()) == text);
}

TEST(LocalStore, KeepsPartsBesideBlocks) {
  LocalUnderTest under_test({.devices = 2, .compression = codec::Compression::kLz4});
  const std::string whole = text_of(300'000);
  const std::string part = text_of(70'000);
  LocalStore& local = under_test.local();
  ASSERT_TRUE(put(local, {1, 1}, whole).ok());
  ASSERT_TRUE(local.put_part({1, 1}, 0, as_bytes(part)).ok());
  ASSERT_TRUE(local.put_part({2, 2}, kMaxParts - 1, as_bytes(part)).ok());
  EXPECT_EQ(local.put_part({2, 2}, kMaxParts - 1, as_bytes(part)).code(), Code::kExists);
  EXPECT_EQ(local.put_part({2, 2}, kMaxParts, as_bytes(part)).code(), Code::kOutOfRange);
  EXPECT_EQ(local.info({2, 2}).code(), Code::kNotFound);
  std::string middle(5'000, '?');
  ASSERT_TRUE(
      local.read_part({2, 2}, kMaxParts - 1, 66'000 - 5'000, as_writable_bytes(middle)).ok());
  EXPECT_EQ(middle, part.substr(61'000, 5'000));
  EXPECT_EQ(local.read_part({2, 2}, 3, 0, as_writable_bytes(middle)).code(), Code::kNotFound);
  std::set<std::pair<uint64_t, uint32_t>> parts;
  local.list_parts([&](BlockId id, uint32_t number, uint64_t stored_bytes) {
    EXPECT_GT(stored_bytes, 0u);
    return parts.emplace(id.low, number).second;
  });
  EXPECT_EQ(parts, (std::set<std::pair<uint64_t, uint32_t>>{{1, 0}, {2, kMaxParts - 1}}));
  size_t blocks = 0;
  ASSERT_TRUE(local.list([&](BlockId, const BlockInfo&) { return ++blocks > 0; }).ok());
  EXPECT_EQ(blocks, 1u);
  ASSERT_TRUE(local.remove({1, 1}).ok());
  EXPECT_TRUE(local.read_part({1, 1}, 0, 0, as_writable_bytes(middle)).ok());
  ASSERT_TRUE(local.remove_part({1, 1}, 0).ok());
  EXPECT_EQ(local.read_part({1, 1}, 0, 0, as_writable_bytes(middle)).code(), Code::kNotFound);
}

TEST(LocalStore, FillsItsDevicesEvenly) {
  LocalUnderTest under_test({.devices = 3});
  for (uint64_t i = 1; i <= 60; ++i) {
    ASSERT_TRUE(put(under_test.store(), {i, i}, std::string(200000, 'x')).ok());
  }
  for (const auto& device : under_test.local().devices()) {
    EXPECT_GT(device->usage().records, 10u);
    EXPECT_LT(device->usage().records, 30u);
  }
}

TEST(LocalStore, FillsAllDevicesBeforeItSaysThatThereIsNoSpace) {
  LocalUnderTest under_test({.devices = 3});
  uint64_t number = 0;
  Status outcome;
  while (outcome.ok()) outcome = put(under_test.store(), {++number, 1}, std::string(100000, 'x'));
  EXPECT_EQ(outcome.code(), Code::kNoSpace);
  for (const auto& device : under_test.local().devices()) {
    EXPECT_LT(device->space().free_bytes, 300000u);
  }
}

TEST(LocalStore, NamesADeviceThatIsMissing) {
  LocalUnderTest under_test({.devices = 2});
  ASSERT_TRUE(under_test.local().close().ok());
  under_test.crash();
  under_test.paths().push_back("/d/gone");
  const auto opened = under_test.try_open();
  EXPECT_EQ(opened.code(), Code::kBusy);  // the first two are open already
  LocalUnderTest fresh({.devices = 1});
  fresh.paths() = {"/d/gone"};
  EXPECT_EQ(fresh.try_open().code(), Code::kNotFound);
  EXPECT_EQ(fresh.try_open().error().context(), "device /d/gone is missing");
}

TEST(LocalStore, PutsElsewhereWhatAFailedDeviceCannotTake) {
  LocalUnderTest under_test({.devices = 2});
  // The next sync fails on whichever device syncs first; that one is out from then on.
  ASSERT_TRUE(put(under_test.store(), {1, 1}, "x").ok());
  under_test.disk().crash_after(1);
  EXPECT_EQ(under_test.store().sync().code(), Code::kIo);
  under_test.crash();
  EXPECT_TRUE(put(under_test.store(), {2, 2}, "y").ok());
  EXPECT_TRUE(under_test.store().sync().ok());
}

TEST(LocalStore, IsAsItWasSyncedAfterACrash) {
  LocalUnderTest under_test({.devices = 3, .compression = codec::Compression::kLz4});
  for (uint64_t i = 1; i <= 30; ++i) {
    ASSERT_TRUE(put(under_test.store(), {i, i}, text_of(i * 10000)).ok());
  }
  for (uint64_t i = 1; i <= 30; i += 2) ASSERT_TRUE(under_test.store().remove({i, i}).ok());
  ASSERT_TRUE(under_test.store().sync().ok());
  under_test.crash();
  for (uint64_t i = 1; i <= 30; ++i) {
    if (i % 2 == 1) {
      EXPECT_EQ(under_test.store().info({i, i}).code(), Code::kNotFound);
    } else {
      EXPECT_TRUE(get(under_test.store(), {i, i}, i * 10000) == text_of(i * 10000));
    }
  }
}

}  // namespace
}  // namespace nacre::block
