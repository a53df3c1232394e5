// Golden bytes: what etcd's own protocol says, field by field.
#include "etcd/messages.h"

#include <gtest/gtest.h>

namespace nacre::etcd {
namespace {

using namespace std::string_literals;

TEST(Messages, PrefixRangesEndBehindTheLastKey) {
  EXPECT_EQ(KeyRange::prefix("ab").upper, "ac");
  EXPECT_EQ(KeyRange::prefix("a\xff\xff"s).upper, "b");
  EXPECT_EQ(KeyRange::prefix("\xff"s).upper, "\0"s);
  EXPECT_EQ(KeyRange::prefix("").lower, "\0"s);
}

TEST(Messages, RangeHasItsGoldenBytes) {
  const RpcRequest request = encode_range({"a", "b"}, {.rows_max = 3, .at = {300}});
  EXPECT_EQ(request.method, "/etcdserverpb.KV/Range");
  EXPECT_EQ(request.message, "\x0a\x01"s + "a" + "\x12\x01"s + "b" + "\x18\x03\x20\xac\x02"s);
}

TEST(Messages, TransactionHasItsGoldenBytes) {
  const Txn txn{
      .compares = {modified_is("k", Relation::kEqual, {7}), value_is("k", Relation::kGreater, "v")},
      .then = {Put{"k", "w", {5}}},
      .otherwise = {Erase{{"k"}}, Get{{"k"}, 1}}};
  const std::string compare_revision = "\x10\x02\x1a\x01k\x30\x07"s;
  const std::string compare_value = "\x08\x01\x10\x03\x1a\x01k\x3a\x01v"s;
  const std::string put = "\x0a\x01k\x12\x01w\x18\x05"s;
  const std::string erase = "\x0a\x01k"s;
  const std::string get = "\x0a\x01k\x18\x01"s;
  EXPECT_EQ(encode_txn(txn).message, "\x0a\x07"s + compare_revision + "\x0a\x0a" + compare_value +
                                         "\x12\x0a\x12\x08" + put + "\x1a\x05\x1a\x03" + erase +
                                         "\x1a\x07\x0a\x05" + get);
}

TEST(Messages, WatchAsksForProgressAndFragments) {
  const RpcRequest request = encode_watch({"a", "b"}, {9});
  EXPECT_EQ(request.message,
            "\x0a\x0c\x0a\x01"s + "a" + "\x12\x01"s + "b" + "\x18\x09\x20\x01\x40\x01"s);
  EXPECT_EQ(encode_watch_ping(), "\x1a\x00"s);
}

TEST(Messages, WatchRepliesAreToldApart) {
  const auto kind = [](const std::string& bytes) { return decode_watch(bytes)->kind; };
  const std::string header = "\x0a\x02\x18\x09"s;  // revision 9
  EXPECT_EQ(kind(header + "\x18\x01"s), WatchReply::Kind::kCreated);
  EXPECT_EQ(kind(header), WatchReply::Kind::kProgress);
  EXPECT_EQ(kind(header + "\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s),
            WatchReply::Kind::kAlive);
  EXPECT_EQ(kind(header + "\x20\x01\x28\x05"s), WatchReply::Kind::kCompacted);
  EXPECT_EQ(kind(header + "\x20\x01\x32\x03why"s), WatchReply::Kind::kCancelled);
  EXPECT_EQ(decode_watch(header)->revision, Revision{9});

  const std::string put = "\x5a\x0b\x12\x09\x0a\x01k\x10\x03\x18\x04\x20\x02"s;
  const auto events = decode_watch(header + put + "\x5a\x09\x08\x01\x12\x05\x0a\x01k\x18\x05"s);
  ASSERT_TRUE(events.ok());
  EXPECT_EQ(events->kind, WatchReply::Kind::kEvents);
  ASSERT_EQ(events->events.size(), 2u);
  EXPECT_EQ(events->events[0].row.created, Revision{3});
  EXPECT_EQ(events->events[0].row.modified, Revision{4});
  EXPECT_EQ(events->events[0].row.version, 2u);
  EXPECT_EQ(events->events[1].kind, Event::Kind::kErase);
  EXPECT_EQ(events->events[1].row.modified, Revision{5});
}

TEST(Messages, WhatDoesNotDecodeIsCorrupt) {
  EXPECT_EQ(decode_range("\x0a\xff").code(), Code::kCorrupt);
  EXPECT_EQ(decode_watch("\x0a\xff").code(), Code::kCorrupt);
  EXPECT_EQ(decode_status("\x0a\xff").code(), Code::kCorrupt);
}

}  // namespace
}  // namespace nacre::etcd
