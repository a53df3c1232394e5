#include "wire/bucket_names.h"

#include <gtest/gtest.h>

#include <string>

namespace nacre::wire {
namespace {

constexpr PackId kPack{0x1011121314151617, 0x18191a1b1c1d1e1f};

TEST(BucketNames, AreThoseOfTheFormatPage) {
  EXPECT_EQ(volume_object_name(1), "volume/00000001");
  EXPECT_EQ(pack_object_name(kPack), "packs/101112131415161718191a1b1c1d1e1f");
  EXPECT_EQ(segment_object_name(2, 300), "rows/00000002/000000000000012c");
  EXPECT_EQ(checkpoint_part_name(2, 300, 10), "checkpoints/00000002/000000000000012c/00000a");
  EXPECT_EQ(checkpoint_manifest_name(2, 300), "checkpoints/00000002/000000000000012c/manifest");
  EXPECT_EQ(epoch_object_name(UINT32_MAX), "epochs/ffffffff");
}

TEST(BucketNames, SayWhatTheyName) {
  EXPECT_EQ(parse_object_name(volume_object_name(7)),
            (ObjectName{.kind = ObjectKind::kVolume, .number = 7}));
  EXPECT_EQ(parse_object_name(pack_object_name(kPack)),
            (ObjectName{.kind = ObjectKind::kPack, .pack = kPack}));
  EXPECT_EQ(parse_object_name(segment_object_name(UINT32_MAX, UINT64_MAX)),
            (ObjectName{.kind = ObjectKind::kSegment, .epoch = UINT32_MAX, .number = UINT64_MAX}));
  EXPECT_EQ(
      parse_object_name(checkpoint_part_name(2, 3, 65535)),
      (ObjectName{.kind = ObjectKind::kCheckpointPart, .epoch = 2, .number = 3, .part = 65535}));
  EXPECT_EQ(parse_object_name(checkpoint_manifest_name(2, 3)),
            (ObjectName{.kind = ObjectKind::kCheckpointManifest, .epoch = 2, .number = 3}));
  EXPECT_EQ(parse_object_name(epoch_object_name(9)),
            (ObjectName{.kind = ObjectKind::kEpoch, .epoch = 9}));
}

TEST(BucketNames, OfSomebodyElseAreNotTaken) {
  for (const char* name : {"",
                           "volume/",
                           "volume/0000001",
                           "volume/000000001",
                           "volume/0000000A",
                           "volume/0000000g",
                           "volume/+0000001",
                           "volume/-0000001",
                           "volume/ 0000001",
                           "volume/0x000001",
                           "Volume/00000001",
                           "/volume/00000001",
                           "volume/00000001/",
                           "volume/00000001 ",
                           "packs/101112131415161718191a1b1c1d1e1",
                           "packs/101112131415161718191a1b1c1d1e1ff",
                           "packs/101112131415161718191A1b1c1d1e1f",
                           "rows/00000002",
                           "rows/00000002/12c",
                           "rows/00000002000000000000012c",
                           "rows/00000002/000000000000012c/x",
                           "checkpoints/00000002/000000000000012c",
                           "checkpoints/00000002/000000000000012c/",
                           "checkpoints/00000002/000000000000012c/010000",
                           "checkpoints/00000002/000000000000012c/00000a/",
                           "checkpoints/00000002/000000000000012c/manifest2",
                           "checkpoints/00000002/000000000000012c/Manifest",
                           "epochs/1",
                           "epochs/../volume/00000001",
                           "other"}) {
    EXPECT_FALSE(parse_object_name(name).has_value()) << name;
  }
  EXPECT_FALSE(parse_object_name(std::string("volume/0000000\0", 15)).has_value());
}

TEST(BucketNames, SortAsTheirNumbersDo) {
  EXPECT_LT(segment_object_name(1, 15), segment_object_name(1, 16));
  EXPECT_LT(segment_object_name(1, UINT64_MAX), segment_object_name(2, 0));
  EXPECT_LT(volume_object_name(9), volume_object_name(10));
}

}  // namespace
}  // namespace nacre::wire
