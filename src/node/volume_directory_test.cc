#include "node/volume_directory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "fs/live_tree.h"
#include "node/create_volume.h"
#include "os/sim_disk.h"

namespace nacre::node {
namespace {

const std::string kDirectory = "/srv/volume";
constexpr uint64_t kDiskBytes = 2 * kGiB;

// A machine with one simulated disk, and the words to use a volume on it.
class VolumeDirectoryTest : public testing::Test {
 protected:
  device::Host host() { return {disk_, clock_, random_}; }

  static CreateOptions small() {
    CreateOptions options;
    options.block_size = 64 * kKiB;
    options.capacity_bytes = 64 * kMiB;
    return options;
  }
  void create(const CreateOptions& options = small()) {
    const auto created = create_volume(host(), kDirectory, options);
    ASSERT_TRUE(created.ok()) << created.error().to_string();
  }
  Result<std::unique_ptr<VolumeDirectory>> try_open(bool read_only = false) {
    return VolumeDirectory::open(host(), kDirectory, {.read_only = read_only, .background = false});
  }
  std::unique_ptr<VolumeDirectory> open(bool read_only = false) {
    auto opened = try_open(read_only);
    EXPECT_TRUE(opened.ok()) << opened.error().to_string();
    return opened.ok() ? opened.take() : nullptr;
  }
  static void write_file(VolumeDirectory& directory, const std::string& name,
                         const std::string& text) {
    fs::LiveTree tree(directory.volume());
    const auto made = tree.make_node({}, kRootInode, name, {.mode = 0644, .target = {}});
    ASSERT_TRUE(made.ok()) << made.error().to_string();
    ASSERT_TRUE(tree.write(made->attr.ino, 0, as_bytes(text), {}).ok());
  }
  static std::string read_file(VolumeDirectory& directory, const std::string& name) {
    fs::LiveTree tree(directory.volume());
    const auto found = tree.lookup(kRootInode, name);
    if (!found.ok()) return found.error().to_string();
    std::string text(found->attr.size, '\0');
    const auto count = tree.read(found->attr.ino, 0, as_writable_bytes(text));
    return count.ok() ? text : count.error().to_string();
  }

  os::SimDisk disk_{7, kDiskBytes};
  os::ManualClock clock_;
  os::SeededRandom random_{7};
};

TEST_F(VolumeDirectoryTest, WhatIsWrittenIsThereWhenOpenedAgain) {
  create();
  auto directory = open();
  write_file(*directory, "a.txt", "hello");
  ASSERT_TRUE(directory->close().ok());
  directory.reset();
  EXPECT_EQ(read_file(*open(), "a.txt"), "hello");
}

TEST_F(VolumeDirectoryTest, ANewVolumeIsDurableAndItsRootBelongsToWhoMadeIt) {
  CreateOptions options = small();
  options.root_uid = 1000;
  options.root_gid = 100;
  create(options);
  disk_.crash();
  const auto directory = open();
  ASSERT_NE(directory, nullptr);
  const auto root = directory->volume().get_attr(kRootInode);
  ASSERT_TRUE(root.ok());
  EXPECT_EQ(root->uid, 1000u);
  EXPECT_EQ(root->gid, 100u);
  EXPECT_EQ(directory->superblock().block_size, 64 * kKiB);
}

TEST_F(VolumeDirectoryTest, OneProcessHasItAndIsNamedToTheOthers) {
  create();
  const auto first = open();
  const auto second = try_open();
  EXPECT_EQ(second.code(), Code::kBusy);
  EXPECT_EQ(second.error().context(),
            "/srv/volume is in use by process " + std::to_string(::getpid()));
  EXPECT_EQ(try_open(true).code(), Code::kBusy);
}

TEST_F(VolumeDirectoryTest, WhereThereIsNoVolumeItSaysHowToMakeOne) {
  EXPECT_EQ(try_open().code(), Code::kNotFound);
  EXPECT_EQ(try_open().error().context(),
            "/srv/volume holds no volume: make one with `nacre volume create /srv/volume`");
}

TEST_F(VolumeDirectoryTest, OpenedReadOnlyItServesReadsAndChangesNothing) {
  create();
  auto directory = open();
  write_file(*directory, "a.txt", "hello");
  ASSERT_TRUE(directory->close().ok());
  directory.reset();
  const uint64_t operations = disk_.operations();
  const auto reader = open(true);
  ASSERT_NE(reader, nullptr);
  EXPECT_EQ(read_file(*reader, "a.txt"), "hello");
  EXPECT_EQ(disk_.operations(), operations);
}

TEST_F(VolumeDirectoryTest, ADamagedCopyOfTheSuperblockIsReportedAndMended) {
  create();
  ASSERT_TRUE(disk_.rot(kDirectory + "/nacre.volume", 50).ok());
  auto directory = open();
  ASSERT_NE(directory, nullptr);
  EXPECT_EQ(directory->superblock_problems().size(), 1u);
  ASSERT_TRUE(directory->mend_superblock().ok());
  EXPECT_TRUE(directory->superblock_problems().empty());
  directory.reset();
  EXPECT_TRUE(open()->superblock_problems().empty());
}

TEST_F(VolumeDirectoryTest, ALaterVersionsVolumeMayBeReadWhereItAllowsThat) {
  create();
  wire::VolumeSuperblock later = read_superblock(disk_, kDirectory)->superblock;
  later.features.ro_compat = 0x40;
  ASSERT_TRUE(write_superblock(disk_, kDirectory, later).ok());
  EXPECT_EQ(try_open().code(), Code::kReadOnly);
  EXPECT_NE(open(true), nullptr);
  later.features.incompat = 0x40;
  ASSERT_TRUE(write_superblock(disk_, kDirectory, later).ok());
  EXPECT_EQ(try_open(true).code(), Code::kNewerFormat);
}

TEST_F(VolumeDirectoryTest, AMissingDeviceIsNamed) {
  CreateOptions options = small();
  options.capacity_bytes = 0;
  options.devices = {"/disks/one", "/disks/two"};
  ASSERT_TRUE(disk_.create_directories("/disks").ok());
  create(options);
  ASSERT_TRUE(disk_.rename("/disks/two", "/disks/away").ok());
  const auto refused = try_open();
  EXPECT_EQ(refused.code(), Code::kNotFound);
  EXPECT_NE(refused.error().context().find("/disks/two"), std::string::npos)
      << refused.error().context();
}

TEST_F(VolumeDirectoryTest, DevicesThatChangedPlacesAreNoticed) {
  CreateOptions options = small();
  options.capacity_bytes = 0;
  options.devices = {"/disks/one", "/disks/two"};
  ASSERT_TRUE(disk_.create_directories("/disks").ok());
  create(options);
  ASSERT_TRUE(disk_.rename("/disks/two", "/disks/three").ok());
  ASSERT_TRUE(disk_.rename("/disks/one", "/disks/two").ok());
  ASSERT_TRUE(disk_.rename("/disks/three", "/disks/one").ok());
  EXPECT_EQ(try_open().code(), Code::kInvalid);
}

TEST_F(VolumeDirectoryTest, TheDefaultCapacityLeavesTheHostAReserve) {
  CreateOptions options = small();
  options.capacity_bytes = 0;
  create(options);
  const auto directory = open();
  const auto space = disk_.space(kDirectory);
  const uint64_t capacity = directory->volume().settings().capacity_bytes;
  EXPECT_LE(capacity, space->total_bytes - space->total_bytes / 20);
  EXPECT_GE(capacity, space->free_bytes - space->total_bytes / 20);
}

class CreateVolumeTest : public VolumeDirectoryTest {
 protected:
  Error refusal(const CreateOptions& options) {
    const auto created = create_volume(host(), kDirectory, options);
    EXPECT_FALSE(created.ok());
    return created.ok() ? Error(Code::kIo) : created.error();
  }
  void put_file(const std::string& path) {
    ASSERT_TRUE(disk_.open(path, os::OpenMode::kCreate).ok());
  }
};

TEST_F(CreateVolumeTest, APlaceWithOtherThingsInItIsRefusedByName) {
  ASSERT_TRUE(disk_.create_directories(kDirectory).ok());
  put_file(kDirectory + "/letters");
  put_file(kDirectory + "/photos");
  EXPECT_EQ(refusal(small()).code(), Code::kNotEmpty);
  EXPECT_EQ(refusal(small()).context(),
            "/srv/volume is no volume and not empty: it holds 'letters' and 1 more; take an empty "
            "directory, or --force to put the volume beside that");
  CreateOptions options = small();
  options.force = true;
  create(options);
  EXPECT_EQ(*disk_.kind(kDirectory + "/letters"), os::PathKind::kFile);
}

TEST_F(CreateVolumeTest, AVolumeIsDestroyedOnlyByForceAndNotWhileInUse) {
  create();
  EXPECT_EQ(refusal(small()).code(), Code::kExists);
  CreateOptions options = small();
  options.force = true;
  {
    const auto in_use = open();
    write_file(*in_use, "a.txt", "hello");
    EXPECT_EQ(refusal(options).code(), Code::kBusy);
    ASSERT_TRUE(in_use->close().ok());
  }
  EXPECT_EQ(read_file(*open(), "a.txt"), "hello");
  create(options);
  EXPECT_EQ(read_file(*open(), "a.txt"), "not found");
}

TEST_F(CreateVolumeTest, ImpossibleOptionsAreRefusedAndLeaveNothingBehind) {
  CreateOptions options = small();
  options.block_size = 100'000;
  EXPECT_EQ(refusal(options).code(), Code::kInvalid);
  options.block_size = 128 * kMiB;
  EXPECT_EQ(refusal(options).code(), Code::kInvalid);
  options = small();
  options.devices = {"/disk", "/disk"};
  EXPECT_EQ(refusal(options).code(), Code::kInvalid);
  options.devices = {"/dev/sdz"};
  EXPECT_EQ(refusal(options).code(), Code::kNotFound);
  EXPECT_EQ(*disk_.kind("/dev"), os::PathKind::kMissing);
  EXPECT_EQ(*disk_.kind(kDirectory), os::PathKind::kMissing);
}

TEST_F(CreateVolumeTest, ASmallVolumeHasSmallBlocksAndTakesLittleOfItsHost) {
  CreateOptions options;
  options.capacity_bytes = 64 * kMiB;
  const uint64_t before = disk_.space("/")->free_bytes;
  create(options);
  EXPECT_LT(before - disk_.space("/")->free_bytes, 24 * kMiB);
  const auto directory = open();
  EXPECT_EQ(directory->superblock().block_size, 128 * kKiB);
  EXPECT_EQ(directory->volume().usage().capacity, 64 * kMiB);
}

TEST_F(CreateVolumeTest, BlocksFollowTheSmallestDevice) {
  const auto disk = disk_.open("/small.img", os::OpenMode::kCreate);
  ASSERT_TRUE((*disk)->truncate(256 * kMiB).ok());
  ASSERT_TRUE(disk_.create_directories("/large").ok());
  CreateOptions options;
  options.devices = {"/large", "/small.img"};
  create(options);
  EXPECT_EQ(open()->superblock().block_size, 512 * kKiB);
}

TEST_F(CreateVolumeTest, ADeviceThatHoldsSomethingIsRefusedAndNothingIsLeftBehind) {
  ASSERT_TRUE(disk_.create_directories("/disk").ok());
  put_file("/disk/letters");
  CreateOptions options = small();
  options.capacity_bytes = 0;
  options.devices = {"/disk"};
  const Error refused = refusal(options);
  EXPECT_EQ(refused.code(), Code::kExists);
  EXPECT_NE(refused.context().find("--force destroys that"), std::string::npos)
      << refused.context();
  EXPECT_EQ(*disk_.kind(kDirectory), os::PathKind::kMissing);
}

TEST_F(CreateVolumeTest, AFileInTheWayIsNoPlace) {
  ASSERT_TRUE(disk_.create_directories("/srv").ok());
  put_file(kDirectory);
  EXPECT_EQ(refusal(small()).code(), Code::kNotDirectory);
}

TEST_F(CreateVolumeTest, APowerCutLeavesEitherNoVolumeOrAWholeOne) {
  CreateOptions options = small();
  options.force = true;  // past what an interrupted try left behind
  bool finished = false;
  for (uint64_t step = 1; !finished; step += 11) {
    ASSERT_LT(step, 10'000u);
    disk_.crash_after(step);
    finished = create_volume(host(), kDirectory, options).ok();
    disk_.crash();
    auto opened = try_open();
    if (opened.ok()) {
      EXPECT_TRUE((*opened)->volume().get_attr(kRootInode).ok());
    } else {
      EXPECT_EQ(opened.code(), Code::kNotFound) << step << ": " << opened.error().to_string();
      EXPECT_FALSE(finished);
    }
  }
}

}  // namespace
}  // namespace nacre::node
