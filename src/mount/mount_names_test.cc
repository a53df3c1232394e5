// The namespace through a real mount.
#include <gtest/gtest.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/sysmacros.h>

#include "mount/mounted.h"

namespace nacre::mount {
namespace {

class MountedNames : public Mounted {
 protected:
  void SetUp() override { mount({}); }

  // What the kernel tells on its own time: forgotten inodes arrive a little later.
  bool becomes_nodes(size_t count) {
    for (int i = 0; i < 1000; ++i) {
      if (tree_.node_count() == count) return true;
      ::usleep(1000);
    }
    return false;
  }
};

TEST_F(MountedNames, FilesAreMadeRenamedAndRemoved) {
  make_file("a", "content");
  EXPECT_EQ(::rename(at("a").c_str(), at("b").c_str()), 0);
  EXPECT_FALSE(exists("a"));
  EXPECT_EQ(content_of("b"), "content");
  EXPECT_EQ(::unlink(at("b").c_str()), 0);
  EXPECT_FALSE(exists("b"));
  EXPECT_EQ(names_in("."), (std::multiset<std::string>{".", ".."}));
}

TEST_F(MountedNames, ExclusiveCreationFailsOnWhatExists) {
  make_file("a", "content");
  EXPECT_EQ(error_of_open("a", O_CREAT | O_EXCL | O_WRONLY), EEXIST);
  EXPECT_EQ(error_of_open("a", O_CREAT | O_WRONLY), 0);
  EXPECT_EQ(content_of("a"), "content");
}

TEST_F(MountedNames, RenameKnowsToReplaceToRefuseAndToExchange) {
  make_file("a", "A");
  make_file("b", "B");
  const auto rename2 = [this](const char* from, const char* to, unsigned flags) {
    return ::renameat2(AT_FDCWD, at(from).c_str(), AT_FDCWD, at(to).c_str(), flags) == 0 ? 0
                                                                                         : errno;
  };
  EXPECT_EQ(rename2("a", "b", RENAME_NOREPLACE), EEXIST);
  EXPECT_EQ(rename2("a", "b", RENAME_EXCHANGE), 0);
  EXPECT_EQ(content_of("a"), "B");
  EXPECT_EQ(content_of("b"), "A");
  EXPECT_EQ(rename2("a", "c", RENAME_EXCHANGE), ENOENT);
  EXPECT_EQ(rename2("a", "b", RENAME_WHITEOUT), EINVAL);
  EXPECT_EQ(rename2("a", "b", 0), 0);
  EXPECT_EQ(content_of("b"), "B");
}

TEST_F(MountedNames, DirectoriesNestAndAreRemovedWhenEmpty) {
  ASSERT_EQ(::mkdir(at("d").c_str(), 0750), 0);
  ASSERT_EQ(::mkdir(at("d/e").c_str(), 0750), 0);
  EXPECT_EQ(status_of("d").st_nlink, 3u);
  EXPECT_EQ(::rmdir(at("d").c_str()), -1);
  EXPECT_EQ(errno, ENOTEMPTY);
  EXPECT_EQ(::rmdir(at("d/e").c_str()), 0);
  EXPECT_EQ(status_of("d").st_nlink, 2u);
  EXPECT_EQ(::rmdir(at("d").c_str()), 0);
}

TEST_F(MountedNames, LinksCountAndSymlinksAreRead) {
  make_file("a", "A");
  ASSERT_EQ(::link(at("a").c_str(), at("b").c_str()), 0);
  EXPECT_EQ(status_of("a").st_nlink, 2u);
  EXPECT_EQ(status_of("a").st_ino, status_of("b").st_ino);
  ASSERT_EQ(::symlink("a", at("s").c_str()), 0);
  EXPECT_EQ(content_of("s"), "A");
  EXPECT_EQ(status_of("s").st_size, 1);
  EXPECT_TRUE(S_ISLNK(status_of("s").st_mode));
  ASSERT_EQ(::unlink(at("a").c_str()), 0);
  EXPECT_EQ(status_of("b").st_nlink, 1u);
}

TEST_F(MountedNames, NodesOfEveryTypeAreMade) {
  ASSERT_EQ(::mknod(at("fifo").c_str(), S_IFIFO | 0600, 0), 0);
  ASSERT_EQ(::mknod(at("socket").c_str(), S_IFSOCK | 0600, 0), 0);
  ASSERT_EQ(::mknod(at("device").c_str(), S_IFCHR | 0600, makedev(259, 70000)), 0);
  EXPECT_TRUE(S_ISFIFO(status_of("fifo").st_mode));
  EXPECT_TRUE(S_ISSOCK(status_of("socket").st_mode));
  EXPECT_TRUE(S_ISCHR(status_of("device").st_mode));
  EXPECT_EQ(status_of("device").st_rdev, makedev(259, 70000));
}

TEST_F(MountedNames, TheUmaskIsTheTreesToApply) {
  const mode_t before = ::umask(027);
  make_file("file");
  ASSERT_EQ(::mkdir(at("dir").c_str(), 0777), 0);
  ::umask(before);
  EXPECT_EQ(status_of("file").st_mode & 07777, 0640u);
  EXPECT_EQ(status_of("dir").st_mode & 07777, 0750u);
}

TEST_F(MountedNames, ADirectoryOfTenThousandIsReadOnceEach) {
  ASSERT_EQ(::mkdir(at("d").c_str(), 0755), 0);
  std::multiset<std::string> expected = {".", ".."};
  for (int i = 0; i < 10'000; ++i) {
    const std::string name = "entry-" + std::to_string(i);
    make_file("d/" + name);
    expected.insert(name);
  }
  EXPECT_EQ(names_in("d"), expected);
  EXPECT_EQ(names_in("d"), expected) << "from the kernel's cache";
  for (int i = 0; i < 10'000; i += 2) {
    const std::string name = "entry-" + std::to_string(i);
    ASSERT_EQ(::unlink(at("d/" + name).c_str()), 0);
    expected.erase(name);
  }
  EXPECT_EQ(names_in("d"), expected);
}

TEST_F(MountedNames, WhatIsReadWhileEntriesGoIsSeenOnce) {
  for (int i = 0; i < 3000; ++i) make_file(std::to_string(i));
  std::set<std::string> seen;
  DIR* dir = ::opendir(at(".").c_str());
  while (const dirent* entry = ::readdir(dir)) {
    EXPECT_TRUE(seen.insert(entry->d_name).second) << entry->d_name;
    if (entry->d_name[0] != '.') ::unlink(at(entry->d_name).c_str());
  }
  ::closedir(dir);
  EXPECT_EQ(seen.size(), 3002u);
  EXPECT_EQ(names_in(".").size(), 2u);
}

TEST_F(MountedNames, AnUnlinkedFileLivesWhileItIsOpen) {
  os::Fd fd = open("a", O_CREAT | O_RDWR);
  write_at(fd, 0, "still here");
  ASSERT_EQ(::unlink(at("a").c_str()), 0);
  write_at(fd, 10, "!");
  EXPECT_EQ(read_at(fd, 0, 100), "still here!");
  struct stat status = {};
  ASSERT_EQ(::fstat(fd.get(), &status), 0);
  EXPECT_EQ(status.st_nlink, 0u);
  EXPECT_EQ(tree_.node_count(), 2u);
  fd.reset();
  EXPECT_TRUE(becomes_nodes(1)) << "and no longer";
}

TEST_F(MountedNames, EveryReferenceIsGivenBack) {
  for (int i = 0; i < 500; ++i) make_file(std::to_string(i));
  names_in(".");
  for (int i = 0; i < 500; ++i) ASSERT_EQ(::unlink(at(std::to_string(i)).c_str()), 0);
  EXPECT_TRUE(becomes_nodes(1));
}

TEST_F(MountedNames, TemporaryFilesWithoutANameAreNotOffered) {
  EXPECT_EQ(error_of_open(".", O_TMPFILE | O_RDWR), EOPNOTSUPP);
}

TEST_F(MountedNames, NamesOf255BytesFitAndLongerDoNot) {
  make_file(std::string(255, 'x'));
  EXPECT_EQ(error_of_open(std::string(256, 'x'), O_CREAT | O_RDWR), ENAMETOOLONG);
}

TEST_F(MountedNames, ANameThatWasMissingAppearsWhenTheKernelIsTold) {
  EXPECT_FALSE(exists("a"));
  make_behind("a", 0644);
  mount_->notify_inval_entry(kRootInode, "a");
  bool found = false;
  for (int i = 0; i < 1000 && !found; ++i) {
    found = exists("a");
    ::usleep(1000);
  }
  EXPECT_TRUE(found);
  EXPECT_EQ(names_in(".").count("a"), 1u);
}

TEST_F(MountedNames, FilesMadeBehindTheKernelsBackAreOpenedNotMade) {
  EXPECT_FALSE(exists("a"));
  const InodeId ino = make_behind("a", 0600);
  ASSERT_TRUE(tree_.write(ino, 0, as_bytes("theirs"), {}).ok());
  // The kernel believes there is none, asks to make it, and is sent to look again.
  EXPECT_EQ(read_at(open("a", O_CREAT | O_RDWR), 0, 100), "theirs");
  EXPECT_EQ(::unlink(at("a").c_str()), 0);

  EXPECT_FALSE(exists("b"));
  make_behind("b", 0600);
  ASSERT_EQ(::chmod(at(".").c_str(), 0777), 0);
  const int error = as_nobody([this] { return error_of_open("b", O_CREAT | O_RDWR); });
  EXPECT_EQ(error, EACCES) << "creating must not go around permissions";
}

TEST_F(MountedNames, FleetingEntriesAreAskedForEachTime) {
  const InodeId ino = make_behind("fleeting", 0644);
  for (const uint64_t size : {1, 2, 3}) {
    meta::SetAttr change;
    change.size = size;
    ASSERT_TRUE(tree_.set_attr({}, ino, change).ok());
    names_in(".");
    const uint64_t before = mount_->stats()["LOOKUP"];
    status_of("fleeting");
    EXPECT_GT(mount_->stats()["LOOKUP"], before);
  }
}

}  // namespace
}  // namespace nacre::mount
