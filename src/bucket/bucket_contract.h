// What every bucket promises, as tests. A test program that includes this file instantiates the
// suite for its buckets:
//
//   INSTANTIATE_TEST_SUITE_P(Memory, BucketContract, testing::Values(make_memory_bucket));
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/units.h"
#include "bucket/bucket.h"
#include "bucket/test_bytes.h"
#include "os/thread.h"

namespace nacre::bucket {

// Makes a bucket that is empty.
using BucketMaker = std::function<std::unique_ptr<Bucket>()>;

class BucketContract : public testing::TestWithParam<BucketMaker> {
 protected:
  void SetUp() override {
    bucket_ = GetParam()();
    ASSERT_NE(bucket_, nullptr);
  }
  Bucket& bucket() { return *bucket_; }

  void put(const std::string& key, std::string_view bytes) {
    const ByteView parts[] = {as_bytes(bytes)};
    const Status done = bucket().put(key, parts);
    ASSERT_TRUE(done.ok()) << done.error().to_string();
  }
  Status try_put(const std::string& key, std::string_view bytes) {
    const ByteView parts[] = {as_bytes(bytes)};
    return bucket().put(key, parts);
  }
  Result<std::string> read(const std::string& key, uint64_t offset, size_t size) {
    std::string bytes(size, '?');
    TRY(bucket().read(key, offset, as_writable_bytes(bytes)));
    return bytes;
  }
  std::string get(const std::string& key) {
    Result<std::string> bytes = bucket().get(key, kMaxObjectBytes);
    EXPECT_TRUE(bytes.ok()) << bytes.error().to_string();
    return bytes.ok() ? bytes.take() : std::string();
  }
  std::vector<std::string> listed(const std::string& prefix) {
    std::vector<std::string> keys;
    const Status done = bucket().list(prefix, [&](const ObjectInfo& each) {
      keys.push_back(each.key);
      return true;
    });
    EXPECT_TRUE(done.ok()) << done.error().to_string();
    return keys;
  }

 private:
  std::unique_ptr<Bucket> bucket_;
};

TEST_P(BucketContract, AnObjectComesBackAsItWasPut) {
  for (const size_t size : {1u, 2u, 4096u, 70000u, 1000000u}) {
    const std::string bytes = noise(size, size);
    put("object", bytes);
    EXPECT_TRUE(get("object") == bytes) << size;
    const auto info = bucket().info("object");
    ASSERT_TRUE(info.ok()) << info.error().to_string();
    EXPECT_EQ(info->bytes, size);
    EXPECT_EQ(info->key, "object");
  }
}

TEST_P(BucketContract, AnEmptyObjectIsThere) {
  put("empty", "");
  EXPECT_EQ(get("empty"), "");
  EXPECT_EQ(bucket().info("empty")->bytes, 0u);
  EXPECT_EQ(listed("").size(), 1u);
  EXPECT_TRUE(read("empty", 0, 0).ok());
}

TEST_P(BucketContract, PartsAreJoined) {
  const std::string bytes = noise(200000);
  const ByteView all = as_bytes(bytes);
  const ByteView parts[] = {all.first(7), {}, all.subspan(7, 65536), all.subspan(65543)};
  ASSERT_TRUE(bucket().put("parts", parts).ok());
  EXPECT_TRUE(get("parts") == bytes);
}

TEST_P(BucketContract, ALargeObjectComesBackWholeAndInRanges) {
  const std::string bytes = noise(20 * kMiB + 12345);
  const ByteView all = as_bytes(bytes);
  const ByteView parts[] = {all.first(kMiB + 1), all.subspan(kMiB + 1)};
  const Status done = bucket().put("large", parts);
  ASSERT_TRUE(done.ok()) << done.error().to_string();
  EXPECT_TRUE(get("large") == bytes);
  const auto range = read("large", 8 * kMiB - 100, 256 * kKiB);
  ASSERT_TRUE(range.ok()) << range.error().to_string();
  EXPECT_TRUE(*range == bytes.substr(8 * kMiB - 100, 256 * kKiB));
}

TEST_P(BucketContract, EveryRangeIsReadAndNothingPastTheEnd) {
  const std::string bytes = noise(10000);
  put("object", bytes);
  for (const size_t offset : {0u, 1u, 4096u, 9999u, 10000u, 10001u}) {
    for (const size_t size : {0u, 1u, 2u, 5000u, 9999u, 10000u, 10001u}) {
      const auto range = read("object", offset, size);
      if (offset + size > bytes.size()) {
        EXPECT_EQ(range.ok() ? Code::kIo : range.code(), Code::kOutOfRange)
            << offset << "+" << size;
        continue;
      }
      ASSERT_TRUE(range.ok()) << range.error().to_string();
      EXPECT_TRUE(*range == bytes.substr(offset, size)) << offset << "+" << size;
    }
  }
}

TEST_P(BucketContract, WhatWasNeverPutIsNotFound) {
  EXPECT_EQ(bucket().get("missing", 100).code(), Code::kNotFound);
  EXPECT_EQ(bucket().info("missing").code(), Code::kNotFound);
  EXPECT_EQ(read("missing", 0, 10).code(), Code::kNotFound);
  EXPECT_EQ(read("missing", 0, 0).code(), Code::kNotFound);
  EXPECT_TRUE(listed("").empty());
}

TEST_P(BucketContract, APutReplaces) {
  put("object", noise(5000, 1));
  put("object", noise(3000, 2));
  EXPECT_TRUE(get("object") == noise(3000, 2));
  EXPECT_EQ(bucket().info("object")->bytes, 3000u);
  EXPECT_EQ(listed("").size(), 1u);
}

TEST_P(BucketContract, RemovingIsForgettingAndMayBeRepeated) {
  put("a", "1");
  put("b", "2");
  for (int times = 0; times < 2; ++times) {
    const Status done = bucket().remove("a");
    EXPECT_TRUE(done.ok()) << done.error().to_string();
  }
  EXPECT_EQ(bucket().get("a", 100).code(), Code::kNotFound);
  EXPECT_THAT(listed(""), testing::ElementsAre("b"));
}

TEST_P(BucketContract, AnObjectOverTheLimitOfTheReaderIsTooBig) {
  put("object", noise(1000));
  EXPECT_EQ(bucket().get("object", 999).code(), Code::kTooBig);
  EXPECT_TRUE(bucket().get("object", 1000).ok());
}

TEST_P(BucketContract, ListingsHaveThePrefixAndTheOrderOfKeys) {
  for (const char* key : {"log/02", "log/01", "pack/b1", "pack/a1", "packs/x", "log/10"}) {
    put(key, key);
  }
  EXPECT_THAT(listed("log/"), testing::ElementsAre("log/01", "log/02", "log/10"));
  EXPECT_THAT(listed("pack/"), testing::ElementsAre("pack/a1", "pack/b1"));
  EXPECT_THAT(listed("log/0"), testing::ElementsAre("log/01", "log/02"));
  EXPECT_THAT(listed("none"), testing::IsEmpty());
  EXPECT_EQ(listed("").size(), 6u);
}

TEST_P(BucketContract, AListingOfMoreThanAPageIsWholeAndTellsLengths) {
  constexpr size_t kObjects = 1100;
  {
    std::vector<os::Thread> threads;
    for (size_t t = 0; t < 4; ++t) {
      threads.emplace_back("put", [this, t] {
        for (size_t i = t; i < kObjects; i += 4) put(fmt::format("many/{:05}", i), noise(i % 7));
      });
    }
  }
  size_t next = 0;
  const Status done = bucket().list("many/", [&](const ObjectInfo& each) {
    EXPECT_EQ(each.key, fmt::format("many/{:05}", next));
    EXPECT_EQ(each.bytes, next % 7);
    ++next;
    return true;
  });
  EXPECT_TRUE(done.ok()) << done.error().to_string();
  EXPECT_EQ(next, kObjects);
}

TEST_P(BucketContract, AListingEndsWhenToldTo) {
  for (int i = 0; i < 10; ++i) put(fmt::format("each/{}", i), "x");
  int visits = 0;
  EXPECT_TRUE(bucket().list("", [&](const ObjectInfo&) { return ++visits < 4; }).ok());
  EXPECT_EQ(visits, 4);
}

TEST_P(BucketContract, AVisitMayUseTheBucket) {
  for (const char* key : {"a", "b", "c"}) put(key, key);
  std::string seen;
  EXPECT_TRUE(bucket()
                  .list("",
                        [&](const ObjectInfo& each) {
                          seen += get(each.key);
                          return true;
                        })
                  .ok());
  EXPECT_EQ(seen, "abc");
}

TEST_P(BucketContract, WhatIsNoKeyIsRefused) {
  for (const std::string& key :
       {std::string(), std::string("a b"), std::string("a\n"), std::string("\xc3\xa4"),
        std::string("a?b"), std::string("a%62"), std::string("a//b"), std::string("/a"),
        std::string("a/"), std::string("a/../b"), std::string("."), std::string(901, 'k')}) {
    EXPECT_EQ(try_put(key, "x").code(), Code::kInvalid) << key;
    EXPECT_EQ(bucket().get(key, 1).code(), Code::kInvalid) << key;
    EXPECT_EQ(bucket().info(key).code(), Code::kInvalid) << key;
    EXPECT_EQ(read(key, 0, 1).code(), Code::kInvalid) << key;
    EXPECT_EQ(bucket().remove(key).code(), Code::kInvalid) << key;
  }
  EXPECT_EQ(bucket().list("a b", [](const ObjectInfo&) { return true; }).code(), Code::kInvalid);
}

TEST_P(BucketContract, KeysMayUseEveryByteAllowed) {
  const std::string key = "az/AZ/09/_.-/..x/x." + std::string(180, 'k');
  put(key, "bytes");
  EXPECT_EQ(get(key), "bytes");
  EXPECT_THAT(listed("az/AZ"), testing::ElementsAre(key));
  EXPECT_TRUE(bucket().remove(key).ok());
}

TEST_P(BucketContract, AnObjectOverTheLimitIsRefused) {
  const std::string piece(64 * kMiB, 'x');
  const std::vector<ByteView> parts(17, as_bytes(piece));
  EXPECT_EQ(bucket().put("huge", parts).code(), Code::kTooBig);
}

TEST_P(BucketContract, ManyThreadsWorkAtOnce) {
  const auto work = [this](uint64_t thread) {
    for (uint64_t i = 0; i < 25; ++i) {
      const std::string key = fmt::format("of{}/{:03}", thread, i);
      const std::string bytes = noise(100 + 1000 * i, thread * 100 + i);
      put(key, bytes);
      EXPECT_TRUE(get(key) == bytes) << key;
      EXPECT_TRUE(i % 5 != 0 || bucket().remove(key).ok());
    }
  };
  {
    std::vector<os::Thread> threads;
    for (uint64_t t = 1; t <= 6; ++t) threads.emplace_back("work", [&, t] { work(t); });
  }
  EXPECT_EQ(listed("").size(), 6u * 20);
}

TEST_P(BucketContract, AfterStopEveryCallIsCancelled) {
  put("object", "bytes");
  bucket().stop();
  EXPECT_EQ(try_put("object", "x").code(), Code::kCancelled);
  EXPECT_EQ(try_put("object", std::string(20 * kMiB, 'x')).code(), Code::kCancelled);
  EXPECT_EQ(bucket().get("object", 100).code(), Code::kCancelled);
  EXPECT_EQ(bucket().info("object").code(), Code::kCancelled);
  EXPECT_EQ(read("object", 0, 1).code(), Code::kCancelled);
  EXPECT_EQ(bucket().remove("object").code(), Code::kCancelled);
  EXPECT_EQ(bucket().list("", [](const ObjectInfo&) { return true; }).code(), Code::kCancelled);
}

}  // namespace nacre::bucket
