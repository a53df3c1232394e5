#include "os/tcp.h"

#include <gtest/gtest.h>

#include "os/memory_stream.h"
#include "os/thread.h"

namespace nacre::os {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

TEST(Address, ComesBackAsItWasGiven) {
  for (const char* text : {"localhost:7000", "10.0.0.1:0", "[::1]:65535", "a-b.example:1"}) {
    const auto address = parse_address(text);
    ASSERT_TRUE(address.ok()) << text;
    EXPECT_EQ(address->to_string(), text);
  }
}

TEST(Address, ThatIsNoneIsRefused) {
  for (const char* text : {"", "host", ":1", "host:", "host:65536", "host:-1", "host:1x", "::1:7",
                           "[::1]", "[]:1", "host: 1"}) {
    EXPECT_EQ(parse_address(text).code(), Code::kInvalid) << text;
  }
}

TEST(Address, OfLoopbackIsKnown) {
  for (const char* host : {"127.0.0.1", "127.9.9.9", "::1", "localhost"}) {
    EXPECT_TRUE(is_loopback({host, 1})) << host;
  }
  for (const char* host : {"10.0.0.1", "0.0.0.0", "::", "no-such-host.invalid"}) {
    EXPECT_FALSE(is_loopback({host, 1})) << host;
  }
}

struct Ends {
  std::unique_ptr<ByteStream> one;
  std::unique_ptr<ByteStream> other;
};

Ends tcp_ends() {
  const auto listener = TcpListener::listen({"127.0.0.1", 0}).take();
  auto one = connect_tcp({"127.0.0.1", listener->port()}, 5 * kSecond).take();
  return {std::move(one), listener->accept().take()};
}

Ends memory_ends() {
  auto [one, other] = make_memory_streams();
  return {std::move(one), std::move(other)};
}

class ByteStreamTest : public testing::TestWithParam<Ends (*)()> {};

TEST_P(ByteStreamTest, CarriesEveryByteInOrder) {
  Ends ends = GetParam()();
  std::string text;
  for (int i = 0; text.size() < 5'000'000; ++i) text += std::to_string(i) + " ";
  const Thread writer("writer", [&] {
    std::vector<ByteView> parts;
    const ByteView all = as_bytes(text);
    for (size_t at = 0; at < all.size(); at += 33'333) {
      parts.push_back(all.subspan(at, std::min<size_t>(33'333, all.size() - at)));
      parts.emplace_back();
    }
    EXPECT_TRUE(ends.one->write_all(parts).ok());
    ends.one->shutdown();
  });
  std::string heard;
  std::string some(10'000, '\0');
  for (;;) {
    const auto count = ends.other->read_some(as_writable_bytes(some));
    ASSERT_TRUE(count.ok());
    if (*count == 0) break;
    heard.append(some, 0, *count);
  }
  EXPECT_TRUE(heard == text);
}

TEST_P(ByteStreamTest, ReadingGivesUpAfterItsTimeout) {
  Ends ends = GetParam()();
  ends.one->set_read_timeout(kSecond / 100);
  std::string some(1, '\0');
  EXPECT_EQ(ends.one->read_some(as_writable_bytes(some)).code(), Code::kTimeout);
  const ByteView byte = as_bytes("b");
  ASSERT_TRUE(ends.other->write_all({&byte, 1}).ok());
  EXPECT_EQ(*ends.one->read_some(as_writable_bytes(some)), 1u);
}

TEST_P(ByteStreamTest, ShutdownWakesTheReader) {
  Ends ends = GetParam()();
  const Thread stopper("stopper", [&] { ends.one->shutdown(); });
  std::string some(1, '\0');
  EXPECT_EQ(*ends.one->read_some(as_writable_bytes(some)), 0u);
}

TEST_P(ByteStreamTest, KnowsWhenThePeerTakesNothing) {
  Ends ends = GetParam()();
  EXPECT_TRUE(ends.one->can_write());
  const std::string much(1 << 20, 'm');
  const Thread writer("writer", [&] {
    const ByteView bytes = as_bytes(much);
    while (ends.one->write_all({&bytes, 1}).ok()) continue;
  });
  while (ends.one->can_write()) continue;
  ends.one->shutdown();
  ends.other->shutdown();
}

INSTANTIATE_TEST_SUITE_P(All, ByteStreamTest, testing::Values(&tcp_ends, &memory_ends));

TEST(TcpListener, CloseEndsAccept) {
  const auto listener = TcpListener::listen({"127.0.0.1", 0}).take();
  const Thread closer("closer", [&] { listener->close(); });
  const auto stream = listener->accept();
  ASSERT_TRUE(stream.ok());
  EXPECT_EQ(*stream, nullptr);
}

TEST(TcpListener, OnAnAddressOfAnotherMachineSaysSo) {
  EXPECT_EQ(TcpListener::listen({"192.0.2.1", 0}).code(), Code::kInvalid);
}

TEST(TcpConnect, ToAHostThatDoesNotExistIsUnavailable) {
  EXPECT_EQ(connect_tcp({"no-such-host.invalid", 1}, kSecond).code(), Code::kUnavailable);
}

}  // namespace
}  // namespace nacre::os
