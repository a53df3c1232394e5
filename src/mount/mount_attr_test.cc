// Attributes through a real mount: permissions, extended attributes, access control lists.
#include <gtest/gtest.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

#include <algorithm>
#include <cstring>

#include "mount/mounted.h"

namespace nacre::mount {
namespace {

class MountedAttr : public Mounted {
 protected:
  void SetUp() override { mount({}); }

  int set(const std::string& name, const char* attribute, std::string_view value, int flags = 0) {
    const int result = ::setxattr(at(name).c_str(), attribute, value.data(), value.size(), flags);
    return result == 0 ? 0 : errno;
  }
  // The value, or "errno N".
  std::string get(const std::string& name, const char* attribute, size_t size = 65536) {
    std::string value(size, '\0');
    const ssize_t count = ::getxattr(at(name).c_str(), attribute, value.data(), size);
    if (count < 0) return "errno " + std::to_string(errno);
    value.resize(static_cast<size_t>(count));
    return value;
  }
};

TEST_F(MountedAttr, ModeAndOwnerChange) {
  make_file("file");
  ASSERT_EQ(::chmod(at("file").c_str(), 01640), 0);
  ASSERT_EQ(::chown(at("file").c_str(), 5, 6), 0);
  const struct stat status = status_of("file");
  EXPECT_EQ(status.st_mode & 07777, 01640u);
  EXPECT_EQ(status.st_uid, 5u);
  EXPECT_EQ(status.st_gid, 6u);
}

TEST_F(MountedAttr, ChangingTheOwnerDropsSetuid) {
  make_file("file");
  ASSERT_EQ(::chmod(at("file").c_str(), 06755), 0);
  ASSERT_EQ(::chown(at("file").c_str(), kNobody, kNobody), 0);
  EXPECT_EQ(status_of("file").st_mode & 07777, 0755u);
}

TEST_F(MountedAttr, PermissionsAreCheckedByTheKernel) {
  make_file("file", "secret");
  ASSERT_EQ(::chmod(at("file").c_str(), 0600), 0);
  EXPECT_EQ(as_nobody([this] { return error_of_open("file", O_RDONLY); }), EACCES);
  EXPECT_EQ(as_nobody([this] { return error_of_open("new", O_CREAT | O_RDWR); }), EACCES);
  ASSERT_EQ(::chmod(at("file").c_str(), 0604), 0);
  EXPECT_EQ(as_nobody([this] { return error_of_open("file", O_RDONLY); }), 0);
}

TEST_F(MountedAttr, BirthIsShown) {
  make_file("file");
  struct statx status = {};
  ASSERT_EQ(::statx(AT_FDCWD, at("file").c_str(), 0, STATX_BASIC_STATS | STATX_BTIME, &status), 0);
  const auto attr = tree_.get_attr(ino_of("file"));
  ASSERT_TRUE(attr.ok());
  if ((status.stx_mask & STATX_BTIME) == 0) {
    EXPECT_EQ(mount_->stats()["STATX"], 0u) << "the kernel is older than 6.6";
  } else {
    EXPECT_EQ(status.stx_btime.tv_sec * 1'000'000'000 + status.stx_btime.tv_nsec, attr->btime.ns);
  }
}

TEST_F(MountedAttr, ExtendedAttributesAreSetReadListedAndRemoved) {
  make_file("file");
  EXPECT_EQ(set("file", "user.one", "1"), 0);
  EXPECT_EQ(set("file", "user.one", "2", XATTR_CREATE), EEXIST);
  EXPECT_EQ(set("file", "user.two", "2", XATTR_REPLACE), ENODATA);
  EXPECT_EQ(set("file", "user.one", "replaced", XATTR_REPLACE), 0);
  EXPECT_EQ(set("file", "user.empty", ""), 0);
  EXPECT_EQ(get("file", "user.one"), "replaced");
  EXPECT_EQ(get("file", "user.empty"), "");
  EXPECT_EQ(get("file", "user.two"), "errno " + std::to_string(ENODATA));
  EXPECT_EQ(get("file", "user.one", 3), "errno " + std::to_string(ERANGE));
  EXPECT_EQ(::getxattr(at("file").c_str(), "user.one", nullptr, 0), 8);

  std::string list(100, '\0');
  list.resize(static_cast<size_t>(::listxattr(at("file").c_str(), list.data(), list.size())));
  EXPECT_EQ(list, std::string("user.empty\0user.one\0", 20));
  EXPECT_EQ(::removexattr(at("file").c_str(), "user.one"), 0);
  EXPECT_EQ(::removexattr(at("file").c_str(), "user.one"), -1);
  EXPECT_EQ(errno, ENODATA);
}

TEST_F(MountedAttr, TheLargestAttributeValueFits) {
  make_file("file");
  const std::string large(65536, 'v');
  EXPECT_EQ(set("file", "user.large", large), 0);
  EXPECT_EQ(get("file", "user.large"), large);
}

// In the kernel's format: version 2, then {tag, permissions, id}.
std::string acl(std::initializer_list<std::array<uint32_t, 3>> entries) {
  std::string bytes("\x02\0\0\0", 4);
  for (const auto& [tag, permissions, id] : entries) {
    const uint16_t small[2] = {static_cast<uint16_t>(tag), static_cast<uint16_t>(permissions)};
    bytes.append(reinterpret_cast<const char*>(small), sizeof(small));
    bytes.append(reinterpret_cast<const char*>(&id), sizeof(id));
  }
  return bytes;
}
constexpr uint32_t kOwner = 1, kUser = 2, kGroup = 4, kMask = 0x10, kOther = 0x20;
constexpr uint32_t kNoId = UINT32_MAX;

TEST_F(MountedAttr, AccessControlListsGrantAndDeny) {
  make_file("file", "x");
  ASSERT_EQ(::chmod(at("file").c_str(), 0604), 0);
  const auto nobody = [this](int flags) {
    return as_nobody([this, flags] { return error_of_open("file", flags); });
  };
  EXPECT_EQ(nobody(O_RDONLY), 0);
  ASSERT_EQ(set("file", "system.posix_acl_access",
                acl({{kOwner, 6, kNoId},
                     {kUser, 0, kNobody},
                     {kGroup, 4, kNoId},
                     {kMask, 4, kNoId},
                     {kOther, 4, kNoId}})),
            0);
  EXPECT_EQ(nobody(O_RDONLY), EACCES) << "denied by name";
  EXPECT_EQ(status_of("file").st_mode & 07777, 0644u) << "the mask shows as the group's bits";
  ASSERT_EQ(set("file", "system.posix_acl_access",
                acl({{kOwner, 6, kNoId},
                     {kUser, 6, kNobody},
                     {kGroup, 0, kNoId},
                     {kMask, 6, kNoId},
                     {kOther, 0, kNoId}})),
            0);
  EXPECT_EQ(nobody(O_RDWR), 0) << "granted by name";
}

TEST_F(MountedAttr, SpaceIsShown) {
  struct statvfs space = {};
  ASSERT_EQ(::statvfs(directory_.path().c_str(), &space), 0);
  EXPECT_EQ(space.f_bsize, 4096u);
  EXPECT_EQ(space.f_blocks, 1'000'000u);
  EXPECT_EQ(space.f_bavail, 500'000u);
  EXPECT_EQ(space.f_ffree, 90'000u);
  EXPECT_EQ(space.f_namemax, 255u);
}

}  // namespace
}  // namespace nacre::mount
