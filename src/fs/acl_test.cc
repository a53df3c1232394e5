#include "fs/acl.h"

#include <gtest/gtest.h>

#include "wire/cursor.h"

namespace nacre::fs {
namespace {

struct Given {
  uint16_t tag;
  uint16_t permissions;
  uint32_t id = UINT32_MAX;
};

std::string value_of(const std::vector<Given>& entries, uint32_t version = 2) {
  std::string value;
  wire::Writer out(value);
  out.u32(version);
  for (const Given& entry : entries) {
    out.u16(entry.tag);
    out.u16(entry.permissions);
    out.u32(entry.id);
  }
  return value;
}

std::vector<Given> minimal(uint16_t user, uint16_t group, uint16_t other) {
  return {{Acl::kUserObject, user}, {Acl::kGroupObject, group}, {Acl::kOther, other}};
}

// rwx for user 1000 besides the three of the mode.
std::vector<Given> extended(uint16_t user, uint16_t group, uint16_t mask, uint16_t other) {
  return {{Acl::kUserObject, user},
          {Acl::kUser, 7, 1000},
          {Acl::kGroupObject, group},
          {Acl::kMask, mask},
          {Acl::kOther, other}};
}

Acl acl_of(const std::vector<Given>& entries) { return Acl::decode(value_of(entries)).take(); }

TEST(Acl, EncodesWhatItDecoded) {
  const std::string value = value_of(extended(7, 5, 7, 0));
  EXPECT_EQ(Acl::decode(value)->encode(), value);
}

TEST(Acl, HasTheLayoutOfTheKernel) {
  const std::string golden(
      "\x02\0\0\0\x01\0\x06\0\xFF\xFF\xFF\xFF\x04\0\x04\0\xFF\xFF\xFF\xFF"
      "\x20\0\0\0\xFF\xFF\xFF\xFF",
      28);
  EXPECT_EQ(value_of(minimal(6, 4, 0)), golden);
  EXPECT_TRUE(Acl::decode(golden).ok());
}

TEST(Acl, RefusesListsThatAreNotComplete) {
  EXPECT_FALSE(Acl::decode("").ok());
  EXPECT_FALSE(Acl::decode(value_of({})).ok());
  EXPECT_FALSE(Acl::decode(value_of({{Acl::kUserObject, 7}, {Acl::kOther, 7}})).ok());
  EXPECT_FALSE(Acl::decode(value_of({{Acl::kUserObject, 7},
                                     {Acl::kUser, 7, 5},
                                     {Acl::kGroupObject, 7},
                                     {Acl::kOther, 7}}))
                   .ok())
      << "named entries need a mask";
}

TEST(Acl, RefusesEntriesThatMakeNoSense) {
  std::vector<Given> entries = minimal(7, 7, 7);
  entries[0].permissions = 8;
  EXPECT_FALSE(Acl::decode(value_of(entries)).ok());
  entries = minimal(7, 7, 7);
  entries[1].tag = 0x40;
  EXPECT_FALSE(Acl::decode(value_of(entries)).ok());
  entries = minimal(7, 7, 7);
  std::swap(entries[0], entries[2]);
  EXPECT_FALSE(Acl::decode(value_of(entries)).ok()) << "out of order";
  entries = extended(7, 7, 7, 7);
  entries[1].id = UINT32_MAX;
  EXPECT_FALSE(Acl::decode(value_of(entries)).ok());
  entries = minimal(7, 7, 7);
  entries.insert(entries.begin(), entries.front());
  EXPECT_FALSE(Acl::decode(value_of(entries)).ok()) << "two owners";
  EXPECT_FALSE(Acl::decode(value_of(minimal(7, 7, 7), 1)).ok()) << "another version";
  EXPECT_FALSE(Acl::decode(value_of(minimal(7, 7, 7)) + "x").ok());
}

TEST(Acl, TheModeSaysItAllWhereThereAreThreeEntries) {
  EXPECT_TRUE(acl_of(minimal(7, 5, 0)).is_minimal());
  EXPECT_FALSE(acl_of(extended(7, 5, 7, 0)).is_minimal());
  EXPECT_EQ(acl_of(minimal(7, 5, 1)).apply_to(04000), 04751u);
}

TEST(Acl, TheMaskIsTheGroupOfTheMode) {
  EXPECT_EQ(acl_of(extended(7, 5, 6, 1)).apply_to(0), 0761u);
}

TEST(Acl, FollowsAChmodThroughTheMask) {
  Acl acl = acl_of(extended(7, 5, 7, 0));
  acl.follow(0640);
  EXPECT_EQ(acl.encode(), value_of(extended(6, 5, 4, 0)));
}

TEST(Acl, FollowsAChmodWithoutAMask) {
  Acl acl = acl_of(minimal(7, 7, 7));
  acl.follow(0640);
  EXPECT_EQ(acl.encode(), value_of(minimal(6, 4, 0)));
}

TEST(Acl, ANewFileInheritsWhatItsModeAllows) {
  uint32_t mode = 0644;
  const Acl access = acl_of(extended(7, 7, 7, 7)).inherit(mode);
  EXPECT_EQ(access.encode(), value_of(extended(6, 7, 4, 4)));
  EXPECT_EQ(mode, 0644u);
}

TEST(Acl, InheritingNarrowsTheMode) {
  uint32_t mode = 0777;
  const Acl access = acl_of(extended(7, 5, 5, 0)).inherit(mode);
  EXPECT_EQ(access.encode(), value_of(extended(7, 5, 5, 0)));
  EXPECT_EQ(mode, 0750u);
}

}  // namespace
}  // namespace nacre::fs
