// What a server and a client do with peers that send garbage, stop, or spoil bytes on their way.
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>

#include "os/thread.h"
#include "rpc/rig.h"

namespace nacre::rpc {
namespace {

using testing::HasSubstr;

std::unique_ptr<os::ByteStream> dial(const os::Address& address) {
  auto stream = os::connect_tcp(address, 5'000'000'000);
  EXPECT_TRUE(stream.ok());
  return stream.take();
}

void say(os::ByteStream& stream, ByteView bytes) {
  // It may have hung up already.
  (void)stream.write_all({&bytes, 1});
}

// Reads until the peer hangs up.
std::string hear_all(os::ByteStream& stream) {
  std::string heard;
  std::string some(4096, '\0');
  for (;;) {
    const auto count = stream.read_some(as_writable_bytes(some));
    if (!count.ok() || *count == 0) return heard;
    heard.append(some, 0, *count);
  }
}

void expect_of_use(Rig& rig) {
  Client client(os::real_clock(), rig.address(), {});
  EXPECT_TRUE(client.call({.method = kEcho, .deadline_ns = in_ms(20'000)}).ok());
}

TEST(Server, HangsUpOnGarbageAndServesOthers) {
  Rig rig;
  const auto stream = dial(rig.address());
  say(*stream, as_bytes("GET / HTTP/1.1\r\nHost: nacre.invalid\r\n\r\n" + std::string(100, '\n')));
  hear_all(*stream);
  expect_of_use(rig);
  EXPECT_EQ(rig.server().counters().refused_connections, 1u);
}

TEST(Server, HangsUpOnAFrameThatIsDamagedOrTooLong) {
  // A length that is damaged but allowed shows only when the rest does not come.
  Rig rig({}, {.silence_limit_ns = 50'000'000});
  const auto greeting = wire::encode_greeting({.tls = false});
  const wire::Frame frame{.kind = wire::FrameKind::kRequest, .method = kEcho, .call = 1};
  for (const size_t damaged : {0uz, 5uz, 17uz, 19uz, 23uz, 30uz, 41uz}) {
    const auto stream = dial(rig.address());
    say(*stream, greeting);
    auto bytes = wire::encode_frame(frame, {});
    bytes[damaged] ^= std::byte{0xFF};
    say(*stream, bytes);
    EXPECT_EQ(hear_all(*stream).size(), wire::kGreetingBytes) << damaged;
  }
  expect_of_use(rig);
}

TEST(Server, AnswersACallWhosePayloadWasDamagedAndGoesOn) {
  Rig rig;
  Client client(os::real_clock(), rig.address(), {});
  const auto ask = [&](uint64_t sum) {
    return client.call({.method = kEcho,
                        .payload = payload_of("some bytes"),
                        .payload_xxh64 = sum,
                        .deadline_ns = in_ms(20'000)});
  };
  ASSERT_TRUE(ask(0).ok());
  EXPECT_EQ(ask(4711).code(), Code::kUnavailable);
  EXPECT_TRUE(client.is_connected());
  EXPECT_TRUE(ask(0).ok());
  EXPECT_THAT(rig.observed(), testing::ElementsAre("1 10 10", "1 10 unavailable", "1 10 10"));
}

TEST(Client, FailsTheCallAloneWhoseAnswerWasDamaged) {
  Rig rig;
  Client client(os::real_clock(), rig.address(), {});
  const auto ask = [&](bool takes_damaged) {
    return client.call({.method = kLie,
                        .payload = payload_of("some bytes"),
                        .deadline_ns = in_ms(20'000),
                        .takes_damaged = takes_damaged});
  };
  EXPECT_EQ(ask(false).code(), Code::kTimeout);
  EXPECT_TRUE(client.is_connected());
  const auto damaged = ask(true);
  ASSERT_TRUE(damaged.ok());
  EXPECT_FALSE(damaged->is_intact);
  EXPECT_EQ(as_text(damaged->payload.view()), "some bytes");
  const auto sound = client.call({.method = kEcho, .payload = payload_of("p")});
  ASSERT_TRUE(sound.ok());
  EXPECT_TRUE(sound->is_intact);
}

TEST(Server, AnswersNothingToAFrameCutOff) {
  Rig rig;
  const auto greeting = wire::encode_greeting({.tls = false});
  const wire::Frame frame{
      .kind = wire::FrameKind::kRequest, .method = kEcho, .call = 1, .payload_bytes = 1000};
  const auto bytes = wire::encode_frame(frame, {});
  for (const size_t cut : {1uz, 40uz, 48uz}) {
    const auto stream = dial(rig.address());
    say(*stream, greeting);
    say(*stream, ByteView(bytes).first(cut));
    stream->shutdown();
  }
  expect_of_use(rig);
}

TEST(Server, HangsUpOnASilentClient) {
  Rig rig({}, {.silence_limit_ns = 20'000'000});
  const auto stream = dial(rig.address());
  say(*stream, wire::encode_greeting({.tls = false}));
  EXPECT_EQ(hear_all(*stream).size(), wire::kGreetingBytes);
}

TEST(Client, ClosesWithoutWaitingForAServerThatDoesNotGreet) {
  const auto stopped = os::TcpListener::listen({"127.0.0.1", 0});
  ASSERT_TRUE(stopped.ok());
  const int64_t began_ns = os::real_clock().monotonic_ns();
  std::atomic<bool> ended = false;
  Result<std::unique_ptr<os::ByteStream>> silent = Error(Code::kUnavailable);
  {
    Client client(os::real_clock(), {"127.0.0.1", (*stopped)->port()}, {});
    client.start({.method = kEcho, .deadline_ns = in_ms(60'000)},
                 [&](const Result<Reply>&) { ended = true; });
    // The client has connected, and waits to be greeted.
    silent = (*stopped)->accept();
    ASSERT_TRUE(silent.ok());
  }
  EXPECT_TRUE(ended);
  EXPECT_LT(os::real_clock().monotonic_ns() - began_ns, kHandshakeLimitNs / 2);
}

TEST(Client, KeepsAnIdleConnectionAlive) {
  Rig rig({}, {.silence_limit_ns = 200'000'000});
  Client client(os::real_clock(), rig.address(), {}, {.ping_after_ns = 20'000'000});
  ASSERT_TRUE(client.call({.method = kEcho}).ok());
  os::Mutex mutex;
  os::CondVar never;
  const os::Lock lock(mutex);
  never.wait_for(mutex, std::chrono::milliseconds(500));
  EXPECT_TRUE(client.is_connected());
}

// Passes bytes between a client and a server, and flips one bit of what comes from the server.
class SpoilingProxy {
 public:
  SpoilingProxy(os::Address to, size_t spoiled_at)
      : to_(std::move(to)),
        spoiled_at_(spoiled_at),
        listener_(os::TcpListener::listen({"127.0.0.1", 0}).take()),
        acceptor_("proxy", [this] { run(); }) {}
  ~SpoilingProxy() {
    listener_->close();
    acceptor_.join();
  }
  os::Address address() const { return {"127.0.0.1", listener_->port()}; }

 private:
  void run() {
    for (;;) {
      const auto client = listener_->accept();
      if (!client.ok() || *client == nullptr) return;
      const auto server = dial(to_);
      const os::Thread up("proxy-up", [&] { pass(**client, *server, SIZE_MAX); });
      pass(*server, **client, spoiled_ ? SIZE_MAX : spoiled_at_);
      spoiled_ = true;
    }
  }

  static void pass(os::ByteStream& from, os::ByteStream& to, size_t spoiled_at) {
    std::vector<std::byte> some(4096);
    size_t passed = 0;
    for (;;) {
      const auto count = from.read_some(some);
      if (!count.ok() || *count == 0) break;
      if (passed <= spoiled_at && spoiled_at - passed < *count) {
        some[spoiled_at - passed] ^= std::byte{0x10};
      }
      passed += *count;
      say(to, ByteView(some).first(*count));
    }
    from.shutdown();
    to.shutdown();
  }

  const os::Address to_;
  const size_t spoiled_at_;
  bool spoiled_ = false;
  const std::unique_ptr<os::TcpListener> listener_;
  os::Thread acceptor_;
};

TEST(Client, NeverGivesOutAnAnswerWithAFlippedBitAndConnectsAnew) {
  const std::string payload(20'000, 'p');
  for (const bool secure : {false, true}) {
    const Authority authority = make_authority("test").take();
    const Security security = secure ? security_of(authority, Role::kNode) : Security{};
    Rig rig(security);
    // In the frame's fixed part, in its header, and in its payload.
    for (const size_t at : {60uz, 100uz, 5000uz, 15'000uz}) {
      const SpoilingProxy proxy(rig.address(), at);
      Client client(os::real_clock(), proxy.address(), security, {.retry_after_ns = 1});
      const auto ask = [&] {
        return client.call({.method = kEcho,
                            .header = std::string(100, 'h'),
                            .payload = payload_of(payload),
                            .deadline_ns = in_ms(20'000)});
      };
      EXPECT_FALSE(ask().ok()) << at;
      Result<Reply> reply = ask();
      for (int i = 0; i < 100 && !reply.ok(); ++i) reply = ask();
      ASSERT_TRUE(reply.ok()) << at << reply.error().to_string();
      EXPECT_EQ(as_text(reply->payload.view()), payload);
    }
  }
}

}  // namespace
}  // namespace nacre::rpc
