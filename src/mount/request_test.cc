#include "mount/request.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <deque>
#include <optional>
#include <string>
#include <utility>

namespace nacre::mount {
namespace {

std::string from_hex(std::string_view hex) {
  std::string bytes;
  int high = -1;
  for (const char c : hex) {
    if (c == ' ') continue;
    const int digit = c <= '9' ? c - '0' : c - 'a' + 10;
    if (high < 0) {
      high = digit;
    } else {
      bytes += static_cast<char>(high * 16 + digit);
      high = -1;
    }
  }
  return bytes;
}

constexpr Dialect kNewDialect = {.setxattr_ext = true};
constexpr Dialect kOldDialect = {.setxattr_ext = false};

// What decode() makes of some arguments; nothing if it refuses them. The bytes are kept for the
// views.
template <class Args>
std::optional<Args> decode(std::string bytes, const Dialect& dialect = kNewDialect) {
  static std::deque<std::string> kept;
  Arguments in(as_bytes(kept.emplace_back(std::move(bytes))));
  const Args args = Args::decode(in, dialect);
  if (!in.ok()) return std::nullopt;
  return args;
}

TEST(Request, AHeaderIsReadFieldByField) {
  const std::string bytes = from_hex(
      "2d000000 01000000 0807060504030201 1817161514131211"
      "e8030000 e9030000 2a000000 0000 0000 66696c6500");
  const Result<Request> request = parse_request(as_bytes(bytes));
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->opcode, uint32_t{FUSE_LOOKUP});
  EXPECT_EQ(request->unique, 0x0102030405060708u);
  EXPECT_EQ(request->node.value, 0x1112131415161718u);
  EXPECT_EQ(request->caller.uid, 1000u);
  EXPECT_EQ(request->caller.gid, 1001u);
  EXPECT_EQ(request->caller.pid, 42u);
  EXPECT_EQ(as_text(request->arguments), std::string_view("file\0", 5));
}

TEST(Request, AMessageThatDisagreesWithItsLengthIsRefused) {
  const std::string header = from_hex(
      "28000000 03000000 0200000000000000 0100000000000000 00000000 00000000 00000000 00000000");
  EXPECT_TRUE(parse_request(as_bytes(header)).ok());
  EXPECT_FALSE(parse_request(as_bytes(header + "x")).ok());
  EXPECT_FALSE(parse_request(as_bytes(header.substr(0, 39))).ok());
  EXPECT_FALSE(parse_request(ByteView()).ok());
}

TEST(Request, NamesEndWithinTheMessageAndNameOneEntry) {
  EXPECT_EQ(decode<NameArgs>(std::string("file\0", 5))->name, "file");
  for (const std::string& bad : {std::string("file"), std::string("\0", 1), std::string(".\0", 2),
                                 std::string("..\0", 3), std::string("a/b\0", 4), std::string()}) {
    EXPECT_FALSE(decode<NameArgs>(bad)) << bad;
  }
}

TEST(Request, SetattrTakesWhatItsBitsSay) {
  const std::string wire = from_hex(
      "fb040000 00000000 0000000000000000 0010000000000000 0000000000000000"
      "0a00000000000000 ffffffffffffffff 0c00000000000000 01000000 02000000 03000000"
      "ed890000 00000000 e8030000 e9030000 00000000");
  const auto args = decode<SetattrArgs>(wire);
  ASSERT_TRUE(args);
  // MODE, UID, SIZE, ATIME, MTIME, ATIME_NOW and CTIME; "now" goes before a time, GID was not asked
  // for.
  EXPECT_EQ(args->change.mode, 04755u);
  EXPECT_EQ(args->change.uid, 1000u);
  EXPECT_FALSE(args->change.gid);
  EXPECT_EQ(args->change.size, 4096u);
  EXPECT_TRUE(args->change.atime_now);
  EXPECT_FALSE(args->change.atime);
  EXPECT_EQ(args->change.mtime, Timestamp{-1'000'000'000 + 2});
  EXPECT_EQ(args->change.ctime, Timestamp{12'000'000'003});
  EXPECT_FALSE(args->change.kill_suid_sgid);
  EXPECT_FALSE(decode<SetattrArgs>(wire.substr(1)));
}

TEST(Request, SetattrWithImpossibleNumbersIsRefused) {
  fuse_setattr_in wire = {};
  const auto refused = [&wire] {
    return !decode<SetattrArgs>(std::string(as_text(std::as_bytes(std::span(&wire, 1)))));
  };
  wire.valid = FATTR_SIZE;
  wire.size = uint64_t{1} << 63;
  EXPECT_TRUE(refused());
  wire = {};
  wire.valid = FATTR_MTIME;
  wire.mtimensec = 1'000'000'000;
  EXPECT_TRUE(refused());
  wire.mtimensec = 0;
  wire.mtime = uint64_t{INT64_MAX};  // beyond what we can hold: stops at the end
  EXPECT_FALSE(refused());
}

TEST(Request, MknodKnowsEveryTypeOfNode) {
  const std::string tail = from_hex("03010000 12000000 00000000") + std::string("n\0", 2);
  EXPECT_EQ(decode<MknodArgs>(from_hex("b4210000") + tail)->node.type, meta::FileType::kCharDevice);
  EXPECT_EQ(decode<MknodArgs>(from_hex("b4110000") + tail)->node.type, meta::FileType::kFifo);
  EXPECT_EQ(decode<MknodArgs>(from_hex("b4c10000") + tail)->node.type, meta::FileType::kSocket);
  const auto device = decode<MknodArgs>(from_hex("b4610000") + tail);
  EXPECT_EQ(device->node.type, meta::FileType::kBlockDevice);
  EXPECT_EQ(device->node.mode, 0664u);
  EXPECT_EQ(device->node.rdev, 0x103u);
  EXPECT_EQ(device->umask, 022u);
  EXPECT_EQ(device->name, "n");
  EXPECT_FALSE(decode<MknodArgs>(from_hex("b4410000") + tail)) << "directories come by MKDIR";
}

TEST(Request, RenameCarriesTwoNamesAndAKnownMode) {
  const std::string names("from\0to\0", 8);
  const auto plain = decode<RenameArgs>(from_hex("0700000000000000") + names);
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->new_parent, InodeId{7});
  EXPECT_EQ(plain->name, "from");
  EXPECT_EQ(plain->new_name, "to");
  const std::string parent = from_hex("0700000000000000");
  const auto exchange = decode<Rename2Args>(parent + from_hex("02000000 00000000") + names);
  EXPECT_EQ(exchange->mode, fs::RenameMode::kExchange);
  EXPECT_FALSE(decode<Rename2Args>(parent + from_hex("03000000 00000000") + names));
  EXPECT_FALSE(decode<Rename2Args>(parent + from_hex("04000000 00000000") + names));
  EXPECT_FALSE(decode<RenameArgs>(parent + names.substr(0, 7)));
}

TEST(Request, AWriteHoldsAsManyBytesAsItSays) {
  fuse_write_in wire = {.fh = 0,
                        .offset = 100,
                        .size = 3,
                        .write_flags = FUSE_WRITE_CACHE | FUSE_WRITE_KILL_SUIDGID,
                        .lock_owner = 0,
                        .flags = O_DSYNC,
                        .padding = 0};
  const auto bytes = [&wire](std::string_view data) {
    return std::string(as_text(std::as_bytes(std::span(&wire, 1)))).append(data);
  };
  const std::string whole = bytes("abc");
  const auto args = decode<WriteArgs>(whole);
  ASSERT_TRUE(args);
  EXPECT_EQ(args->offset, 100u);
  EXPECT_EQ(as_text(args->data), "abc");
  EXPECT_TRUE(args->options.from_cache);
  EXPECT_TRUE(args->options.kill_suid_sgid);
  EXPECT_FALSE(args->options.durable) << "the flags of a cached write are somebody else's";
  EXPECT_FALSE(decode<WriteArgs>(bytes("ab")));
  wire.write_flags = 0;
  EXPECT_TRUE(decode<WriteArgs>(bytes("abc"))->options.durable);
  wire.offset = uint64_t{INT64_MAX} - 1;
  EXPECT_FALSE(decode<WriteArgs>(bytes("abc")));
}

TEST(Request, SetxattrHasTwoLayouts) {
  const std::string old_layout = from_hex("03000000 01000000") + std::string("user.a\0xyz", 10);
  const auto old_args = decode<SetxattrArgs>(old_layout, kOldDialect);
  ASSERT_TRUE(old_args);
  EXPECT_EQ(old_args->name, "user.a");
  EXPECT_EQ(old_args->value, "xyz");
  EXPECT_EQ(old_args->mode, fs::XattrMode::kCreate);
  EXPECT_FALSE(old_args->kill_sgid);

  const std::string new_layout =
      from_hex("03000000 02000000 01000000 00000000") + std::string("user.a\0xyz", 10);
  const auto new_args = decode<SetxattrArgs>(new_layout, kNewDialect);
  ASSERT_TRUE(new_args);
  EXPECT_EQ(new_args->value, "xyz");
  EXPECT_EQ(new_args->mode, fs::XattrMode::kReplace);
  EXPECT_TRUE(new_args->kill_sgid);

  EXPECT_FALSE(decode<SetxattrArgs>(from_hex("04000000 00000000") + std::string("user.a\0xyz", 10),
                                    kOldDialect));
  EXPECT_FALSE(decode<SetxattrArgs>(from_hex("03000000 03000000") + std::string("user.a\0xyz", 10),
                                    kOldDialect));
}

TEST(Request, BatchForgetHoldsAsManyItemsAsItSays) {
  const std::string items = from_hex(
      "0500000000000000 0100000000000000"
      "0600000000000000 0200000000000000");
  const std::string two = from_hex("02000000 00000000") + items;
  const auto args = decode<BatchForgetArgs>(two);
  ASSERT_TRUE(args);
  ASSERT_EQ(args->size(), 2u);
  EXPECT_EQ((*args)[1].nodeid, 6u);
  EXPECT_EQ((*args)[1].nlookup, 2u);
  EXPECT_FALSE(decode<BatchForgetArgs>(from_hex("03000000 00000000") + items));
  EXPECT_FALSE(decode<BatchForgetArgs>(from_hex("ffffffff 00000000") + items));
}

TEST(Request, RangesStayWithinTheLargestFile) {
  const auto fallocate = [](uint64_t offset, uint64_t length) {
    const fuse_fallocate_in wire = {
        .fh = 0, .offset = offset, .length = length, .mode = 0, .padding = 0};
    return decode<FallocateArgs>(std::string(as_text(std::as_bytes(std::span(&wire, 1)))));
  };
  EXPECT_TRUE(fallocate(0, 1));
  EXPECT_FALSE(fallocate(0, 0));
  EXPECT_FALSE(fallocate(INT64_MAX, 1));
  EXPECT_FALSE(fallocate(UINT64_MAX, UINT64_MAX));

  const fuse_copy_file_range_in copy = {.fh_in = 0,
                                        .off_in = 5,
                                        .nodeid_out = 9,
                                        .fh_out = 0,
                                        .off_out = 7,
                                        .len = UINT64_MAX,
                                        .flags = 0};
  const auto args = decode<CopyArgs>(std::string(as_text(std::as_bytes(std::span(&copy, 1)))));
  ASSERT_TRUE(args);
  EXPECT_EQ(args->length, uint64_t{INT64_MAX} - 7);
}

}  // namespace
}  // namespace nacre::mount
