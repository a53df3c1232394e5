#include "mount/options.h"

#include <gtest/gtest.h>

namespace nacre::mount {
namespace {

TEST(Options, AListSetsWhatItNames) {
  Options options;
  ASSERT_TRUE(apply_options("ro,allow_other,noatime,noexec,fsname=/srv/vol", options).ok());
  EXPECT_TRUE(options.read_only);
  EXPECT_EQ(options.allow_other, true);
  EXPECT_TRUE(options.no_atime);
  EXPECT_FALSE(options.allow_exec);
  EXPECT_EQ(options.fsname, "/srv/vol");
}

TEST(Options, TheLastWordCounts) {
  Options options;
  ASSERT_TRUE(apply_options("ro,suid,dev,rw,nodev", options).ok());
  EXPECT_FALSE(options.read_only);
  EXPECT_TRUE(options.allow_suid);
  EXPECT_FALSE(options.allow_devices);
}

TEST(Options, WhatOnlyFstabActsOnIsAccepted) {
  Options options;
  EXPECT_TRUE(apply_options("", options).ok());
  EXPECT_TRUE(apply_options("defaults,noauto,user,nofail,_netdev,x-systemd.automount,relatime,"
                            "default_permissions",
                            options)
                  .ok());
}

TEST(Options, AnUnknownWordIsNamed) {
  for (const char* text : {"sync", "rw,fsnam=x", "fsname=", "X-", "Ro"}) {
    Options options;
    const Status status = apply_options(text, options);
    ASSERT_FALSE(status.ok()) << text;
    EXPECT_EQ(status.code(), Code::kInvalid);
  }
  Options options;
  EXPECT_NE(apply_options("ro,bogus=1", options).error().context().find("`bogus=1`"),
            std::string::npos);
}

}  // namespace
}  // namespace nacre::mount
