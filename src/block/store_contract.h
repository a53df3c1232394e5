// What every block store promises, as tests; store_contract_test.cc runs them on each. A test
// program of another folder that has a store of its own includes this once and instantiates it.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "block/block_id.h"
#include "block/store_under_test.h"
#include "os/thread.h"

namespace nacre::block {

class StoreContract : public testing::TestWithParam<StoreMaker> {
 protected:
  void SetUp() override { under_test_ = GetParam().make(); }
  Store& store() { return under_test_->store(); }

  // Half noise and half repetition, so that some units compress and some do not; of `id` alone.
  static std::string content_of(BlockId id, size_t size) {
    std::string bytes(size, '\0');
    uint64_t state = id.high * 31 + id.low;
    for (size_t i = 0; i < size; ++i) {
      if (i / 50000 % 2 == 0 || i % 64 == 0) state = state * 6364136223846793005u + 1442695041u;
      bytes[i] = static_cast<char>(state >> 56);
    }
    return bytes;
  }
  Status put(BlockId id, size_t size) {
    const std::string bytes = content_of(id, size);
    const ByteView parts[] = {as_bytes(bytes)};
    return store().put(id, parts);
  }
  Result<std::string> get(BlockId id, uint64_t offset, size_t size) {
    std::string bytes(size, '?');
    TRY(store().read(id, offset, as_writable_bytes(bytes)));
    return bytes;
  }
  void expect_stored(BlockId id, size_t size) {
    const Result<std::string> bytes = get(id, 0, size);
    ASSERT_TRUE(bytes.ok()) << bytes.error().to_string();
    EXPECT_TRUE(*bytes == content_of(id, size)) << to_hex(id);
  }
  std::map<BlockId, BlockInfo> listed() {
    std::map<BlockId, BlockInfo> blocks;
    EXPECT_TRUE(store()
                    .list([&blocks](BlockId id, const BlockInfo& info) {
                      EXPECT_TRUE(blocks.emplace(id, info).second) << "listed twice";
                      return true;
                    })
                    .ok());
    return blocks;
  }

  std::unique_ptr<StoreUnderTest> under_test_;
};

TEST_P(StoreContract, ReadsBackWhatWasPut) {
  uint64_t number = 0;
  for (const size_t size : {0u, 1u, 4096u, 65535u, 65536u, 65537u, 200000u, 1000000u}) {
    const BlockId id{++number, 1};
    ASSERT_TRUE(put(id, size).ok());
    expect_stored(id, size);
  }
  ASSERT_TRUE(store().sync().ok());
  EXPECT_EQ(listed().size(), number);
}

TEST_P(StoreContract, ReadsEveryRangeAndNothingPastTheEnd) {
  const BlockId id{1, 1};
  const size_t length = 300000;
  const std::string bytes = content_of(id, length);
  ASSERT_TRUE(put(id, length).ok());
  for (const size_t offset : {0u, 1u, 4096u, 65535u, 65536u, 131071u, 299999u, 300000u, 300001u}) {
    for (const size_t size : {0u, 1u, 4096u, 65536u, 65537u, 200000u, 300000u}) {
      const Result<std::string> read = get(id, offset, size);
      if (offset + size > length) {
        EXPECT_EQ(read.code(), Code::kOutOfRange) << offset << "+" << size;
        continue;
      }
      ASSERT_TRUE(read.ok()) << read.error().to_string();
      EXPECT_TRUE(*read == bytes.substr(offset, size)) << offset << "+" << size;
    }
  }
}

TEST_P(StoreContract, JoinsTheParts) {
  const std::string bytes = content_of({2, 2}, 150000);
  const ByteView all = as_bytes(bytes);
  const ByteView parts[] = {all.first(7), {}, all.subspan(7, 65536), all.subspan(65543)};
  ASSERT_TRUE(store().put({2, 2}, parts).ok());
  expect_stored({2, 2}, 150000);
}

TEST_P(StoreContract, RefusesAnIdAlreadyStored) {
  ASSERT_TRUE(put({1, 1}, 1000).ok());
  EXPECT_EQ(put({1, 1}, 1000).code(), Code::kExists);
  expect_stored({1, 1}, 1000);
}

TEST_P(StoreContract, DoesNotKnowWhatWasNeverPut) {
  EXPECT_EQ(get({1, 1}, 0, 1).code(), Code::kNotFound);
  EXPECT_EQ(store().info({1, 1}).code(), Code::kNotFound);
}

TEST_P(StoreContract, ForgetsWhatIsRemovedAndRemovesTwice) {
  ASSERT_TRUE(put({1, 1}, 100000).ok());
  expect_stored({1, 1}, 100000);
  EXPECT_TRUE(store().remove({1, 1}).ok());
  EXPECT_TRUE(store().remove({1, 1}).ok());
  EXPECT_EQ(get({1, 1}, 0, 1).code(), Code::kNotFound);
  EXPECT_EQ(get({1, 1}, 0, 100000).code(), Code::kNotFound);
  EXPECT_EQ(store().info({1, 1}).code(), Code::kNotFound);
  EXPECT_TRUE(listed().empty());
  EXPECT_TRUE(store().sync().ok());
}

TEST_P(StoreContract, TellsLengths) {
  ASSERT_TRUE(put({1, 1}, 100000).ok());
  const Result<BlockInfo> info = store().info({1, 1});
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->logical_bytes, 100000u);
  EXPECT_GT(info->stored_bytes, 0u);
  const std::map<BlockId, BlockInfo> blocks = listed();
  ASSERT_EQ(blocks.size(), 1u);
  EXPECT_EQ(blocks.at({1, 1}).logical_bytes, 100000u);
  EXPECT_EQ(blocks.at({1, 1}).stored_bytes, info->stored_bytes);
}

TEST_P(StoreContract, StopsListingWhenToldTo) {
  for (uint64_t i = 1; i <= 10; ++i) ASSERT_TRUE(put({i, i}, 10).ok());
  int visits = 0;
  EXPECT_TRUE(store().list([&](BlockId, const BlockInfo&) { return ++visits < 4; }).ok());
  EXPECT_EQ(visits, 4);
}

TEST_P(StoreContract, RefusesBlocksThatAreTooBig) {
  const std::string bytes(kMaxBlockBytes + 1, 'x');
  const ByteView parts[] = {as_bytes(bytes)};
  EXPECT_EQ(store().put({1, 1}, parts).code(), Code::kTooBig);
}

TEST_P(StoreContract, CountsSpaceAndGivesItBack) {
  const Space empty = store().space();
  EXPECT_EQ(empty.live_bytes, 0u);
  for (uint64_t i = 1; i <= 8; ++i) ASSERT_TRUE(put({i, i}, 500000).ok());
  const Space full = store().space();
  EXPECT_GT(full.live_bytes, 0u);
  EXPECT_GE(full.used_bytes, full.live_bytes);
  EXPECT_LT(full.free_bytes, empty.free_bytes);
  for (uint64_t i = 1; i <= 8; ++i) ASSERT_TRUE(store().remove({i, i}).ok());
  ASSERT_TRUE(store().sync().ok());
  EXPECT_EQ(store().space().live_bytes, 0u);
}

TEST_P(StoreContract, MakesRoomByCleaning) {
  uint64_t number = 0;
  Status put_outcome;
  while (put_outcome.ok()) put_outcome = put({++number, 9}, 300000);
  EXPECT_EQ(put_outcome.code(), Code::kNoSpace);
  for (uint64_t i = 1; i < number; ++i) {
    if (i % 4 == 0) continue;
    ASSERT_TRUE(store().remove({i, 9}).ok());
  }
  ASSERT_TRUE(store().sync().ok());
  ASSERT_TRUE(store().clean(4u << 20).ok());
  EXPECT_GE(store().space().free_bytes, 4u << 20);
  EXPECT_TRUE(put({number, 9}, 300000).ok());
  for (uint64_t i = 4; i < number; i += 4) expect_stored({i, 9}, 300000);
}

TEST_P(StoreContract, PrefetchingIsHarmless) {
  ASSERT_TRUE(put({1, 1}, 300000).ok());
  store().prefetch({1, 1}, 0, 300000);
  store().prefetch({1, 1}, 299999, UINT64_MAX);
  store().prefetch({1, 1}, UINT64_MAX, 1);
  store().prefetch({2, 2}, 0, 1);
  expect_stored({1, 1}, 300000);
  ASSERT_TRUE(store().remove({1, 1}).ok());
  store().prefetch({1, 1}, 0, 300000);
  EXPECT_EQ(get({1, 1}, 0, 10).code(), Code::kNotFound);
}

TEST_P(StoreContract, ServesManyThreadsAtOnce) {
  constexpr uint64_t kThreads = 4;
  constexpr uint64_t kBlocks = 30;
  const auto work = [this](uint64_t thread) {
    for (uint64_t i = 1; i <= kBlocks; ++i) {
      const BlockId id{thread, i};
      EXPECT_TRUE(put(id, 20000 + i * 1000).ok());
      expect_stored(id, 20000 + i * 1000);
      EXPECT_TRUE(i % 8 != 0 || store().sync().ok());
      EXPECT_TRUE(i % 3 != 0 || store().remove(id).ok());
      EXPECT_TRUE(i % 10 != 0 || store().clean(1).ok());
    }
  };
  {
    std::vector<os::Thread> threads;
    for (uint64_t t = 1; t <= kThreads; ++t) threads.emplace_back("work", [&, t] { work(t); });
  }
  EXPECT_EQ(listed().size(), kThreads * (kBlocks - kBlocks / 3));
  for (const auto& [id, info] : listed()) expect_stored(id, info.logical_bytes);
}

}  // namespace nacre::block
