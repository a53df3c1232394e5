#include "fs/references.h"

#include <gtest/gtest.h>

#include <map>

#include "os/random.h"

namespace nacre::fs {
namespace {

TEST(References, CountsWhatIsAddedAndGivenBack) {
  References references;
  references.add(InodeId{7});
  references.add(InodeId{7});
  references.add(InodeId{8});
  EXPECT_EQ(references.count(InodeId{7}), 2u);
  EXPECT_EQ(references.size(), 2u);
  EXPECT_EQ(references.subtract(InodeId{7}, 1), 1u);
  EXPECT_EQ(references.subtract(InodeId{7}, 1), 0u);
  EXPECT_EQ(references.count(InodeId{7}), 0u);
  EXPECT_EQ(references.size(), 1u);
}

TEST(References, GivingBackMoreThanThereIsLeavesNone) {
  References references;
  references.add(InodeId{7});
  EXPECT_EQ(references.subtract(InodeId{7}, 100), 0u);
  EXPECT_EQ(references.subtract(InodeId{7}, 1), 0u);
  EXPECT_EQ(references.subtract(InodeId{9}, 1), 0u);
  EXPECT_EQ(references.size(), 0u);
}

TEST(References, AgreesWithAMapThroughGrowthAndCollisions) {
  References references;
  std::map<uint64_t, uint64_t> expected;
  os::SeededRandom random(1);
  for (int i = 0; i < 200'000; ++i) {
    // Numbers that share their low bits, and numbers in a row.
    const uint64_t number = random.next() % 3000 + 1;
    const InodeId ino{random.next() % 2 == 0 ? number : number << 20};
    if (random.next() % 5 < 3) {
      references.add(ino);
      ++expected[ino.value];
    } else {
      const uint64_t count = 1 + random.next() % 3;
      const auto held = expected.find(ino.value);
      const uint64_t left =
          held == expected.end() ? 0 : held->second - std::min(held->second, count);
      ASSERT_EQ(references.subtract(ino, count), left);
      if (left != 0) {
        held->second = left;
      } else if (held != expected.end()) {
        expected.erase(held);
      }
    }
  }
  ASSERT_EQ(references.size(), expected.size());
  for (const auto& [ino, count] : expected) ASSERT_EQ(references.count(InodeId{ino}), count);
}

}  // namespace
}  // namespace nacre::fs
