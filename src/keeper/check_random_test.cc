// Random damage: a check never falters over it, and repairs leave nothing that could still be
// repaired.
#include <gtest/gtest.h>

#include "keeper/compaction.h"
#include "keeper/prune.h"
#include "keeper/test_check.h"
#include "keeper/test_exercise.h"

namespace nacre::keeper {
namespace {

class RandomDamage {
 public:
  RandomDamage(TestVolume& test, uint64_t seed) : test_(test), random_(seed) {}

  void hit(kv::Family family) {
    std::vector<std::pair<std::string, std::string>> all;
    const auto rows = test_.rows.iterate(family, {});
    for (rows->seek_to_first(); rows->valid(); rows->next()) {
      if (rows->key() != wire::kStateKey) all.emplace_back(rows->key(), rows->value());
    }
    if (all.empty()) return;
    auto& [key, value] = all[random_.next() % all.size()];
    switch (random_.next() % 4) {
      case 0:
        test_.erase_row(family, key);
        break;
      case 1:
        test_.put_row(family, key, value.substr(0, random_.next() % (value.size() + 1)));
        break;
      case 2:
        test_.put_row(family, key, flipped(value));
        break;
      default:  // another row's value
        test_.put_row(family, key, all[random_.next() % all.size()].second);
    }
  }

 private:
  std::string flipped(std::string value) {
    if (!value.empty())
      value[random_.next() % value.size()] ^= static_cast<char>(1 + random_.next() % 255);
    return value;
  }

  TestVolume& test_;
  os::SeededRandom random_;
};

size_t repairable(const Checked& checked) {
  return static_cast<size_t>(std::count_if(checked.findings.begin(), checked.findings.end(),
                                           [](const Finding& f) { return f.repairable; }));
}

void expect_settled(kv::Family family, uint64_t seed, int hits) {
  TestVolume test;
  Exercise work(test, seed);
  work.rounds(8);
  RandomDamage damage(test, seed);
  for (int i = 0; i < hits; ++i) damage.hit(family);
  const Checked first = repair(test);
  (void)repair(test);  // what came to light only then
  const Checked last = check_deep(test);
  EXPECT_EQ(repairable(last), 0u) << "seed " << seed << "\nfirst:\n"
                                  << first.text() << "last:\n"
                                  << last.text();
}

TEST(CheckRandom, OfDamagedLiveRowsOnlyWhatIsLostRemains) {
  for (uint64_t seed = 1; seed <= 150; ++seed) expect_settled(kv::Family::kLive, seed, 3);
}

TEST(CheckRandom, OfDamagedPastRowsOnlyWhatIsLostRemains) {
  for (uint64_t seed = 1; seed <= 150; ++seed) expect_settled(kv::Family::kPast, seed, 3);
}

TEST(CheckRandom, OfADamagedFeedNothingRemains) {
  for (uint64_t seed = 1; seed <= 100; ++seed) expect_settled(kv::Family::kChanges, seed, 2);
}

TEST(CheckRandom, DamagedBooksAreMendedAsAWhole) {
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    TestVolume test;
    Exercise work(test, seed);
    work.rounds(8);
    RandomDamage damage(test, seed);
    for (int i = 0; i < 4; ++i) damage.hit(kv::Family::kBlocks);
    (void)repair(test);
    expect_clean(test);
    work.expect_unchanged();
  }
}

TEST(CheckRandom, DutiesDoNotFalterOverDamage) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    TestVolume test;
    Exercise work(test, seed);
    work.rounds(8);
    RandomDamage damage(test, seed);
    for (const auto family :
         {kv::Family::kLive, kv::Family::kPast, kv::Family::kChanges, kv::Family::kBlocks}) {
      damage.hit(family);
    }
    Pruner pruner(*test.volume, 20);
    const auto pruned = prune(pruner, {UINT64_MAX});
    Compactor compactor(*test.volume);
    compactor.begin_pass();
    for (int i = 0; i < 1'000 && !compactor.idle(); ++i) {
      if (!compactor.step().ok()) break;
    }
    (void)repair(test);
    (void)repair(test);
    const Checked last = check(test);
    EXPECT_EQ(repairable(last), 0u)
        << "seed " << seed << (pruned.ok() ? "" : " prune failed") << "\n"
        << last.text();
  }
}

}  // namespace
}  // namespace nacre::keeper
