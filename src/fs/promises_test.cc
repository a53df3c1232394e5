#include "fs/promises.h"

#include <gtest/gtest.h>

namespace nacre::fs {
namespace {

constexpr InodeId kOne{1};
constexpr InodeId kTwo{2};

TEST(Promises, AreUsedByWhatArrives) {
  Promises promises;
  promises.add(kOne, 100);
  promises.add(kTwo, 10);
  EXPECT_EQ(promises.use(kOne, 30), 30u);
  EXPECT_EQ(promises.total(), 80u);
  EXPECT_EQ(promises.use(kTwo, 1000), 10u);
  EXPECT_EQ(promises.total(), 70u);
  EXPECT_EQ(promises.use(kTwo, 5), 0u);
  EXPECT_EQ(promises.total(), 70u);
}

TEST(Promises, LeftOverOnesAreDroppedWhenAllHasArrived) {
  Promises promises;
  promises.add(kOne, 100);
  promises.add(kTwo, 50);
  EXPECT_EQ(promises.age().size(), 2u);
  promises.use(kOne, 60);
  promises.add(kTwo, 7);  // meanwhile
  promises.drop_aged();
  EXPECT_EQ(promises.total(), 7u);
  EXPECT_EQ(promises.age(), std::vector<InodeId>{kTwo});
}

TEST(Promises, AgedOnesAreUsedFirst) {
  Promises promises;
  promises.add(kOne, 100);
  promises.age();
  promises.add(kOne, 20);
  promises.use(kOne, 100);
  promises.drop_aged();
  EXPECT_EQ(promises.total(), 20u);
}

}  // namespace
}  // namespace nacre::fs
