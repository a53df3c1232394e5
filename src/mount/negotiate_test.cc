#include "mount/negotiate.h"

#include <gtest/gtest.h>

namespace nacre::mount {
namespace {

// Linux 6.1 offers everything that is used; the upper word is new to 7.36.
fuse_init_in linux_6_1() {
  fuse_init_in offer = {};
  offer.major = 7;
  offer.minor = 37;
  offer.max_readahead = 131072;
  offer.flags = 0x73fffffb;
  offer.flags2 = 0x1;
  return offer;
}

TEST(Negotiate, UsesWhatTheKernelOffers) {
  const auto agreement = negotiate(linux_6_1(), true);
  ASSERT_TRUE(agreement.ok());
  const Features& features = agreement->features;
  EXPECT_TRUE(features.write_back);
  EXPECT_TRUE(features.no_open);
  EXPECT_TRUE(features.dialect.setxattr_ext);
  EXPECT_NE(agreement->answer.flags & FUSE_HANDLE_KILLPRIV_V2, 0u);
  EXPECT_EQ(agreement->answer.minor, 37u);
  EXPECT_EQ(agreement->answer.max_write, 1u << 20);
  EXPECT_EQ(agreement->answer.max_pages, 256u);
  EXPECT_EQ(agreement->answer.time_gran, 1u);
}

TEST(Negotiate, AsksForNothingThatWasNotOffered) {
  fuse_init_in offer = linux_6_1();
  offer.flags = FUSE_ASYNC_READ | FUSE_BIG_WRITES | FUSE_WRITEBACK_CACHE;
  const auto agreement = negotiate(offer, true);
  ASSERT_TRUE(agreement.ok());
  EXPECT_EQ(agreement->answer.flags & ~offer.flags, 0u);
  EXPECT_EQ(agreement->answer.flags2, 0u);
  EXPECT_FALSE(agreement->features.no_open);
  EXPECT_FALSE(agreement->features.dialect.setxattr_ext);
}

TEST(Negotiate, LeavesToTheKernelWhatIsItsOwn) {
  const uint32_t flags = negotiate(linux_6_1(), true)->answer.flags;
  EXPECT_EQ(flags & FUSE_POSIX_LOCKS, 0u);
  EXPECT_EQ(flags & FUSE_FLOCK_LOCKS, 0u);
  EXPECT_EQ(flags & FUSE_ATOMIC_O_TRUNC, 0u);
  EXPECT_EQ(flags & FUSE_EXPORT_SUPPORT, 0u);
  EXPECT_EQ(flags & FUSE_AUTO_INVAL_DATA, 0u);
}

TEST(Negotiate, WriteBackIsTheCallersChoice) {
  const auto agreement = negotiate(linux_6_1(), false);
  EXPECT_FALSE(agreement->features.write_back);
  EXPECT_EQ(agreement->answer.flags & FUSE_WRITEBACK_CACHE, 0u);
}

TEST(Negotiate, SpeaksNoNewerVersionThanItKnows) {
  fuse_init_in offer = linux_6_1();
  offer.minor = 99;
  EXPECT_EQ(negotiate(offer, true)->answer.minor, abi::kMinor);
}

TEST(Negotiate, RefusesKernelsThatAreTooOld) {
  fuse_init_in offer = linux_6_1();
  offer.minor = 30;
  const auto agreement = negotiate(offer, true);
  ASSERT_FALSE(agreement.ok());
  EXPECT_EQ(agreement.code(), Code::kUnsupported);
  EXPECT_NE(agreement.error().context().find("7.30"), std::string::npos);
}

}  // namespace
}  // namespace nacre::mount
