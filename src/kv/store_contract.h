// What every Store promises, as tests. A test program that includes this file instantiates the
// suite for its stores:
//
//   INSTANTIATE_TEST_SUITE_P(Memory, StoreContract, testing::Values(make_memory_stage));
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "kv/memory_store.h"
#include "kv/store.h"
#include "os/random.h"
#include "os/thread.h"

namespace nacre::kv {

// A store and whatever it stands on.
class StoreStage {
 public:
  virtual ~StoreStage() = default;
  virtual Store& store() = 0;
  // Closes the store and opens it again, in good order. A store that keeps nothing stays open.
  virtual void reopen() = 0;
};
using StageMaker = std::unique_ptr<StoreStage> (*)();

using Row = std::pair<std::string, std::string>;
using Rows = std::vector<Row>;

// Every row that `rows` passes from where it stands.
inline Rows rest_of(Iterator& rows) {
  Rows found;
  for (; rows.valid(); rows.next()) found.emplace_back(rows.key(), rows.value());
  EXPECT_TRUE(rows.status().ok()) << rows.status().error().to_string();
  return found;
}
inline Rows rest_backward(Iterator& rows) {
  Rows found;
  for (; rows.valid(); rows.prev()) found.emplace_back(rows.key(), rows.value());
  EXPECT_TRUE(rows.status().ok()) << rows.status().error().to_string();
  return found;
}
inline Rows all_rows(Store& store, Family family, const Range& range = {},
                     const Snapshot* at = nullptr) {
  const auto rows = store.iterate(family, range, at);
  rows->seek_to_first();
  return rest_of(*rows);
}

class StoreContract : public testing::TestWithParam<StageMaker> {
 protected:
  Store& store() { return stage_->store(); }
  void reopen() { stage_->reopen(); }

  void write(const Batch& batch, Durability durability = Durability::kBuffered) {
    const Status written = store().write(batch, durability);
    ASSERT_TRUE(written.ok()) << written.error().to_string();
  }
  void put(const std::string& key, const std::string& value, Family family = Family::kLive) {
    Batch batch;
    batch.put(family, key, value);
    write(batch);
  }
  void erase(const std::string& key, Family family = Family::kLive) {
    Batch batch;
    batch.erase(family, key);
    write(batch);
  }
  std::optional<std::string> get(const std::string& key, Family family = Family::kLive,
                                 const Snapshot* at = nullptr) {
    Result<std::optional<std::string>> value = store().get(family, key, at);
    EXPECT_TRUE(value.ok()) << value.error().to_string();
    return value.ok() ? value.take() : std::nullopt;
  }
  // One row for each letter, its value the capital.
  void put_letters(const std::string& letters) {
    for (const char letter : letters) {
      put({letter}, {static_cast<char>(letter - 'a' + 'A')});
    }
  }
  std::unique_ptr<Iterator> iterate(const Range& range = {}) {
    return store().iterate(Family::kLive, range);
  }

 private:
  std::unique_ptr<StoreStage> stage_ = GetParam()();
};

inline constexpr Family kAllFamilies[] = {Family::kVolume, Family::kLive, Family::kPast,
                                          Family::kChanges, Family::kBlocks};

TEST_P(StoreContract, ARowThatWasNeverPutIsNone) { EXPECT_EQ(get("missing"), std::nullopt); }

TEST_P(StoreContract, APutRowIsReadAndThenReplacedAndThenErased) {
  put("key", "first");
  EXPECT_EQ(get("key"), "first");
  put("key", "second");
  EXPECT_EQ(get("key"), "second");
  erase("key");
  EXPECT_EQ(get("key"), std::nullopt);
  erase("key");
  EXPECT_EQ(get("key"), std::nullopt);
}

TEST_P(StoreContract, FamiliesDoNotMix) {
  for (const Family family : kAllFamilies) {
    put("key", std::to_string(static_cast<int>(family)), family);
  }
  for (const Family family : kAllFamilies) {
    EXPECT_EQ(get("key", family), std::to_string(static_cast<int>(family)));
    EXPECT_EQ(all_rows(store(), family).size(), 1u);
  }
  erase("key", Family::kPast);
  EXPECT_EQ(get("key", Family::kPast), std::nullopt);
  EXPECT_EQ(get("key", Family::kLive), "1");
}

TEST_P(StoreContract, ABatchAppliesItsChangesInOrder) {
  Batch batch;
  batch.put(Family::kLive, "twice", "first");
  batch.put(Family::kLive, "twice", "second");
  batch.put(Family::kLive, "gone", "value");
  batch.erase(Family::kLive, "gone");
  batch.erase(Family::kLive, "back");
  batch.put(Family::kLive, "back", "value");
  write(batch);
  EXPECT_EQ(all_rows(store(), Family::kLive), (Rows{{"back", "value"}, {"twice", "second"}}));
}

TEST_P(StoreContract, AnEmptyBatchChangesNothing) {
  put("key", "value");
  write(Batch());
  write(Batch(), Durability::kSynced);
  EXPECT_EQ(all_rows(store(), Family::kLive), (Rows{{"key", "value"}}));
}

TEST_P(StoreContract, AnEmptyValueIsNotAMissingRow) {
  put("empty", "");
  EXPECT_EQ(get("empty"), "");
  EXPECT_EQ(all_rows(store(), Family::kLive), (Rows{{"empty", ""}}));
}

TEST_P(StoreContract, KeysAreAnyBytesInOrderOfMemcmp) {
  using namespace std::string_literals;
  const Rows ordered = {{""s, "0"},       {"\0"s, "1"},      {"\0\0"s, "2"}, {"\0\x7f"s, "3"},
                        {"\x7f"s, "4"},   {"\x7f\0"s, "5"},  {"\x80"s, "6"}, {"\xff"s, "7"},
                        {"\xff\0"s, "8"}, {"\xff\xff"s, "9"}};
  for (auto row = ordered.rbegin(); row != ordered.rend(); ++row) put(row->first, row->second);
  EXPECT_EQ(all_rows(store(), Family::kLive), ordered);
  for (const Row& row : ordered) EXPECT_EQ(get(row.first), row.second);
}

TEST_P(StoreContract, LargeValuesComeBackWhole) {
  os::SeededRandom random(7);
  std::string value(64 * 1024, '\0');
  for (char& byte : value) byte = static_cast<char>(random.next());
  for (int i = 0; i < 40; ++i) put("large" + std::to_string(i), value + std::to_string(i));
  reopen();
  for (int i = 0; i < 40; ++i) {
    EXPECT_TRUE(get("large" + std::to_string(i)) == value + std::to_string(i)) << i;
  }
}

TEST_P(StoreContract, ASeekStopsAtTheFirstKeyNotBelow) {
  put_letters("bdf");
  const auto rows = iterate();
  EXPECT_FALSE(rows->valid());
  rows->seek("d");
  ASSERT_TRUE(rows->valid());
  EXPECT_EQ(rows->key(), "d");
  EXPECT_EQ(rows->value(), "D");
  rows->seek("c");
  EXPECT_EQ(rest_of(*rows), (Rows{{"d", "D"}, {"f", "F"}}));
  rows->seek("g");
  EXPECT_FALSE(rows->valid());
  rows->seek("");
  EXPECT_EQ(rest_of(*rows), (Rows{{"b", "B"}, {"d", "D"}, {"f", "F"}}));
}

TEST_P(StoreContract, ASeekForPrevStopsAtTheLastKeyNotAbove) {
  put_letters("bdf");
  const auto rows = iterate();
  rows->seek_for_prev("d");
  EXPECT_EQ(rest_backward(*rows), (Rows{{"d", "D"}, {"b", "B"}}));
  rows->seek_for_prev("e");
  EXPECT_EQ(rest_backward(*rows), (Rows{{"d", "D"}, {"b", "B"}}));
  rows->seek_for_prev("a");
  EXPECT_FALSE(rows->valid());
  rows->seek_for_prev("zz");
  EXPECT_EQ(rest_backward(*rows), (Rows{{"f", "F"}, {"d", "D"}, {"b", "B"}}));
}

TEST_P(StoreContract, AnIteratorTurnsAroundBetweenRows) {
  put_letters("abcd");
  const auto rows = iterate();
  std::string path;
  rows->seek("b");
  const auto note = [&] { path += rows->valid() ? std::string(rows->key()) : "!"; };
  note();
  for (const char step : std::string("+-++--")) {
    step == '+' ? rows->next() : rows->prev();
    note();
  }
  EXPECT_EQ(path, "bcbcdcb");
  rows->prev();
  rows->prev();
  EXPECT_FALSE(rows->valid());
}

TEST_P(StoreContract, ARangeHasItsLowerBoundButNotItsUpper) {
  put_letters("abcdef");
  EXPECT_EQ(all_rows(store(), Family::kLive, {"b", "e"}),
            (Rows{{"b", "B"}, {"c", "C"}, {"d", "D"}}));
  EXPECT_EQ(all_rows(store(), Family::kLive, {"e", ""}), (Rows{{"e", "E"}, {"f", "F"}}));
  EXPECT_EQ(all_rows(store(), Family::kLive, {"", "b"}), (Rows{{"a", "A"}}));
  EXPECT_EQ(all_rows(store(), Family::kLive, {"c", "c"}), Rows());
  EXPECT_EQ(all_rows(store(), Family::kLive, {"ba", "bz"}), Rows());
}

TEST_P(StoreContract, ASeekFromOutsideARangeEntersIt) {
  put_letters("abcdef");
  const auto rows = iterate({"b", "e"});
  rows->seek("a");
  EXPECT_EQ(rest_of(*rows), (Rows{{"b", "B"}, {"c", "C"}, {"d", "D"}}));
  rows->seek("e");
  EXPECT_FALSE(rows->valid());
  for (const char* beyond : {"e", "z", "d"}) {
    rows->seek_for_prev(beyond);
    EXPECT_EQ(rest_backward(*rows), (Rows{{"d", "D"}, {"c", "C"}, {"b", "B"}})) << beyond;
  }
  rows->seek_for_prev("a");
  EXPECT_FALSE(rows->valid());
}

TEST_P(StoreContract, APrefixRangeHoldsThePrefixAndNothingElse) {
  using namespace std::string_literals;
  for (const std::string& key : {"a"s, "ab"s, "ab\0"s, "ab\xff"s, "ab\xff\xff"s, "ac"s, "\xff"s}) {
    put(key, "");
  }
  EXPECT_EQ(all_rows(store(), Family::kLive, prefix_range("ab")),
            (Rows{{"ab"s, ""}, {"ab\0"s, ""}, {"ab\xff"s, ""}, {"ab\xff\xff"s, ""}}));
  EXPECT_EQ(all_rows(store(), Family::kLive, prefix_range("ab\xff")),
            (Rows{{"ab\xff"s, ""}, {"ab\xff\xff"s, ""}}));
  EXPECT_EQ(all_rows(store(), Family::kLive, prefix_range("\xff")), (Rows{{"\xff"s, ""}}));
  EXPECT_EQ(all_rows(store(), Family::kLive, prefix_range("")).size(), 7u);
}

TEST_P(StoreContract, AnIteratorSeesTheStoreAsOfItsMaking) {
  put_letters("abc");
  const auto rows = iterate();
  put("b", "changed");
  erase("c");
  put("d", "new");
  rows->seek_to_first();
  EXPECT_EQ(rest_of(*rows), (Rows{{"a", "A"}, {"b", "B"}, {"c", "C"}}));
  EXPECT_EQ(all_rows(store(), Family::kLive), (Rows{{"a", "A"}, {"b", "changed"}, {"d", "new"}}));
}

TEST_P(StoreContract, ASnapshotHoldsOneMomentOfAllFamilies) {
  for (const Family family : kAllFamilies) put("key", "before", family);
  put("erased", "before");
  const auto before = store().snapshot();
  for (const Family family : kAllFamilies) put("key", "after", family);
  erase("erased");
  put("made", "after");
  const auto after = store().snapshot();
  erase("made");
  for (const Family family : kAllFamilies) ASSERT_TRUE(store().compact(family, {}).ok());

  for (const Family family : kAllFamilies) {
    EXPECT_EQ(get("key", family, before.get()), "before");
    EXPECT_EQ(get("key", family, after.get()), "after");
  }
  EXPECT_EQ(all_rows(store(), Family::kLive, {}, before.get()),
            (Rows{{"erased", "before"}, {"key", "before"}}));
  EXPECT_EQ(all_rows(store(), Family::kLive, {}, after.get()),
            (Rows{{"key", "after"}, {"made", "after"}}));
  EXPECT_EQ(all_rows(store(), Family::kLive), (Rows{{"key", "after"}}));
}

TEST_P(StoreContract, AnIteratorMayOutliveItsSnapshot) {
  put_letters("ab");
  auto snapshot = store().snapshot();
  const auto rows = store().iterate(Family::kLive, {}, snapshot.get());
  put("a", "changed");
  snapshot.reset();
  put("b", "changed");
  ASSERT_TRUE(store().compact(Family::kLive, {}).ok());
  rows->seek_to_first();
  EXPECT_EQ(rest_of(*rows), (Rows{{"a", "A"}, {"b", "B"}}));
}

TEST_P(StoreContract, WhatWasWrittenIsThereAfterReopening) {
  put_letters("abc");
  Batch batch;
  for (const Family family : kAllFamilies) batch.put(family, "key", "value");
  batch.erase(Family::kLive, "b");
  write(batch, Durability::kSynced);
  put("zz buffered", "value");
  for (int times = 0; times < 3; ++times) {
    reopen();
    for (const Family family : kAllFamilies) EXPECT_EQ(get("key", family), "value");
    EXPECT_EQ(all_rows(store(), Family::kLive, {"", "d"}), (Rows{{"a", "A"}, {"c", "C"}}));
    EXPECT_EQ(get("zz buffered"), "value");
  }
}

TEST_P(StoreContract, CompactionRemovesNoRow) {
  for (int i = 0; i < 2000; ++i) put("key" + std::to_string(10'000 + i), std::string(100, 'v'));
  for (int i = 0; i < 2000; i += 2) erase("key" + std::to_string(10'000 + i));
  ASSERT_TRUE(store().compact(Family::kLive, {"key10500", "key11000"}).ok());
  ASSERT_TRUE(store().compact(Family::kLive, {}).ok());
  const Rows rows = all_rows(store(), Family::kLive);
  ASSERT_EQ(rows.size(), 1000u);
  for (size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].first, "key" + std::to_string(10'001 + 2 * i));
  }
}

TEST_P(StoreContract, ASoundStoreVerifies) {
  for (int i = 0; i < 2000; ++i) put("key" + std::to_string(i), std::string(100, 'v'));
  reopen();
  std::vector<std::string> corrupt;
  ASSERT_TRUE(store().verify(corrupt).ok());
  EXPECT_THAT(corrupt, testing::IsEmpty());
}

TEST_P(StoreContract, UsageCountsWhatIsWritten) {
  os::SeededRandom random(7);
  constexpr uint64_t kRowBytes = 4096;
  constexpr uint64_t kRowCount = 512;
  const uint64_t empty_bytes = store().usage()->disk_bytes;
  for (uint64_t i = 0; i < kRowCount; ++i) {
    std::string value(kRowBytes, '\0');
    for (char& byte : value) byte = static_cast<char>(random.next());
    put(std::to_string(i), value);
  }
  ASSERT_TRUE(store().sync().ok());
  for (int times = 0; times < 2; ++times) {
    const Result<Usage> usage = store().usage();
    ASSERT_TRUE(usage.ok());
    EXPECT_GE(usage->disk_bytes + usage->memory_bytes, kRowBytes * kRowCount);
    EXPECT_LE(usage->disk_bytes, empty_bytes + 2 * kRowBytes * kRowCount);
    EXPECT_LE(usage->memory_bytes, 4 * kRowBytes * kRowCount);
    reopen();
  }
}

TEST_P(StoreContract, AReaderNeverSeesHalfABatch) {
  constexpr int kBatches = 2000;
  os::Thread writer("writer", [&] {
    for (int i = 1; i <= kBatches; ++i) {
      Batch batch;
      for (const Family family : kAllFamilies) batch.put(family, "count", std::to_string(i));
      EXPECT_TRUE(store().write(batch, Durability::kBuffered).ok());
    }
  });
  for (bool done = false; !done;) {
    const auto snapshot = store().snapshot();
    const auto first = get("count", Family::kVolume, snapshot.get());
    for (const Family family : kAllFamilies) {
      EXPECT_EQ(get("count", family, snapshot.get()), first);
    }
    done = first == std::to_string(kBatches) || testing::Test::HasFailure();
  }
}

TEST_P(StoreContract, ConcurrentWritersAllArrive) {
  constexpr int kWriters = 4;
  constexpr int kEach = 250;
  {
    std::vector<os::Thread> writers;
    for (int w = 0; w < kWriters; ++w) {
      writers.emplace_back("writer", [this, w] {
        for (int i = 0; i < kEach; ++i) {
          Batch batch;
          batch.put(Family::kLive, std::to_string(w) + "/" + std::to_string(i), "value");
          const auto durability = i % 50 == 0 ? Durability::kSynced : Durability::kBuffered;
          EXPECT_TRUE(store().write(batch, durability).ok());
        }
      });
    }
  }
  EXPECT_EQ(all_rows(store(), Family::kLive).size(), size_t{kWriters * kEach});
  reopen();
  EXPECT_EQ(all_rows(store(), Family::kLive).size(), size_t{kWriters * kEach});
}

// Random work on the store and on a MemoryStore side by side; they must always agree.
TEST_P(StoreContract, RandomWorkAgreesWithTheOracle) {
  os::SeededRandom random(GTEST_FLAG_GET(random_seed) + 1);
  const auto below = [&](uint64_t limit) { return random.next() % limit; };
  const auto some_key = [&] {
    return std::string(1 + below(2), static_cast<char>('a' + below(12)));
  };
  MemoryStore oracle;
  struct Moment {
    std::unique_ptr<Snapshot> real;
    std::unique_ptr<Snapshot> expected;
  };
  std::vector<Moment> moments;
  for (int step = 0; step < 4000; ++step) {
    Batch batch;
    for (uint64_t i = 0; i <= below(5); ++i) {
      const Family family = kAllFamilies[below(kFamilyCount)];
      if (below(3) == 0) {
        batch.erase(family, some_key());
      } else {
        batch.put(family, some_key(), std::to_string(step));
      }
    }
    write(batch);
    ASSERT_TRUE(oracle.write(batch, Durability::kBuffered).ok());
    if (below(50) == 0) moments.push_back({store().snapshot(), oracle.snapshot()});
    if (below(60) == 0 && !moments.empty()) {
      moments.erase(moments.begin() + static_cast<ptrdiff_t>(below(moments.size())));
    }
    if (below(400) == 0) {
      ASSERT_TRUE(store().compact(kAllFamilies[below(kFamilyCount)], {}).ok());
    }
    if (below(20) != 0) continue;
    const Moment* moment = moments.empty() ? nullptr : &moments[below(moments.size())];
    const Snapshot* real = moment ? moment->real.get() : nullptr;
    const Snapshot* expected = moment ? moment->expected.get() : nullptr;
    const Family family = kAllFamilies[below(kFamilyCount)];
    const std::string a = some_key();
    const std::string b = some_key();
    const Range range{std::min(a, b), std::max(a, b)};
    ASSERT_EQ(all_rows(store(), family, range, real), all_rows(oracle, family, range, expected));
    const auto rows = store().iterate(family, range, real);
    const auto expected_rows = oracle.iterate(family, range, expected);
    const std::string key = some_key();
    rows->seek_for_prev(key);
    expected_rows->seek_for_prev(key);
    ASSERT_EQ(rest_backward(*rows), rest_backward(*expected_rows)) << "from " << key;
  }
}

}  // namespace nacre::kv
