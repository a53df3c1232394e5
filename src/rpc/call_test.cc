// Client and server together, over real sockets.
#include <gmock/gmock.h>

#include <algorithm>

#include "os/thread.h"
#include "rpc/call_group.h"
#include "rpc/rig.h"

namespace nacre::rpc {
namespace {

using testing::HasSubstr;

Result<Reply> echo(Client& client, const std::string& header, std::string payload = {}) {
  return client.call({.method = kEcho,
                      .header = header,
                      .payload = payload_of(std::move(payload)),
                      .deadline_ns = in_ms(20'000)});
}

TEST(Call, BringsBackHeaderAndPayload) {
  Rig rig;
  Client client(os::real_clock(), rig.address(), {});
  for (const size_t size : {0uz, 1uz, 4095uz, 65'536uz, 1'000'003uz, 5'000'000uz}) {
    const std::string payload(size, static_cast<char>('a' + size % 26));
    const auto reply = echo(client, "some words", payload);
    ASSERT_TRUE(reply.ok()) << reply.error().to_string();
    EXPECT_EQ(reply->header, "some words");
    EXPECT_EQ(as_text(reply->payload.view()), payload);
  }
}

TEST(Call, SendsAPayloadOfManyPartsAsOne) {
  Rig rig;
  Client client(os::real_clock(), rig.address(), {});
  const std::string text(300'000, 'x');
  Payload payload;
  for (size_t at = 0; at < text.size(); at += 1000) {
    payload.parts.push_back(as_bytes(text).subspan(at, 1000));
  }
  const auto reply = client.call({.method = kEcho, .payload = payload});
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(as_text(reply->payload.view()), text);
}

TEST(Call, BringsBackTheErrorOfTheServer) {
  Rig rig;
  Client client(os::real_clock(), rig.address(), {});
  const auto reply = client.call({.method = kFail, .header = "device 7 is full"});
  EXPECT_EQ(reply.code(), Code::kNoSpace);
  EXPECT_EQ(reply.error().context(), "device 7 is full");
}

TEST(Call, IsObservedWithItsAnswer) {
  Rig rig;
  Client client(os::real_clock(), rig.address(), {});
  ASSERT_TRUE(echo(client, "abc", std::string(1000, 'x')).ok());
  EXPECT_EQ(client.call({.method = kFail, .header = "full"}).code(), Code::kNoSpace);
  EXPECT_THAT(rig.observed(), testing::ElementsAre("1 1003 1000", "2 4 no space"));
}

TEST(Call, OfManyThreadsOnOneConnectionKeepApart) {
  Rig rig;
  Client client(os::real_clock(), rig.address(), {});
  std::atomic<int> wrong = 0;
  {
    std::vector<os::Thread> threads;
    for (int thread = 0; thread < 8; ++thread) {
      threads.emplace_back("caller", [&, thread] {
        for (int i = 0; i < 200; ++i) {
          const std::string words = std::to_string(thread) + "/" + std::to_string(i);
          const std::string payload(static_cast<size_t>(i * 700), words.back());
          const auto reply = echo(client, words, payload);
          const bool right =
              reply.ok() && reply->header == words && as_text(reply->payload.view()) == payload;
          if (!right) ++wrong;
        }
      });
    }
  }
  EXPECT_EQ(wrong, 0);
}

TEST(Call, ThatTakesTooLongEndsAtItsDeadlineAndTellsTheServer) {
  Rig rig;
  Client client(os::real_clock(), rig.address(), {});
  const auto reply = client.call({.method = kWait, .deadline_ns = in_ms(50)});
  EXPECT_EQ(reply.code(), Code::kTimeout);
  rig.wait_for_cancelled(1);
  EXPECT_TRUE(echo(client, "still of use").ok());
}

TEST(Call, ToNobodyIsUnavailableAtOnceAndAgainForAWhile) {
  uint16_t port = 0;
  {
    const Rig gone;
    port = gone.address().port;
  }
  Client client(os::real_clock(), {"127.0.0.1", port}, {});
  EXPECT_EQ(echo(client, "").code(), Code::kUnavailable);
  EXPECT_EQ(echo(client, "").code(), Code::kUnavailable);
}

TEST(Call, WorksAgainWhenTheServerIsBack) {
  Rig rig;
  Client client(os::real_clock(), rig.address(), {}, {.retry_after_ns = 1'000'000});
  ASSERT_TRUE(echo(client, "").ok());
  const uint16_t port = rig.address().port;
  rig.stop();
  EXPECT_FALSE(echo(client, "").ok());
  rig.restart(port);
  Result<Reply> reply = echo(client, "");
  const int64_t until_ns = in_ms(10'000);
  while (!reply.ok() && os::real_clock().monotonic_ns() < until_ns) reply = echo(client, "");
  EXPECT_TRUE(reply.ok());
}

TEST(Call, UnderWayWhenTheConnectionBreaksHasAnUnknownOutcome) {
  Rig rig({}, {.farewell_limit_ns = 1});
  Client client(os::real_clock(), rig.address(), {});
  os::Thread breaker("breaker", [&] {
    rig.wait_for_waiters(1);
    const os::Thread opener("opener", [&] { rig.open_gate(); });
    rig.stop();
  });
  const auto reply = client.call({.method = kWait, .deadline_ns = in_ms(20'000)});
  EXPECT_TRUE(reply.ok() || reply.code() == Code::kTimeout);
}

TEST(Call, BeyondWhatTheServerTakesIsRefusedAsOverloaded) {
  Rig rig({}, {.threads_max = 1, .queued_calls_max = 2});
  Client client(os::real_clock(), rig.address(), {});
  CallGroup calls(os::real_clock());
  calls.start(client, {.method = kWait}, 0);
  rig.wait_for_waiters(1);
  for (size_t i = 1; i <= 5; ++i) calls.start(client, {.method = kWait}, i);
  for (int refused = 0; refused < 3; ++refused) {
    const auto finished = calls.next(in_ms(20'000));
    ASSERT_TRUE(finished);
    EXPECT_EQ(finished->result.code(), Code::kOverloaded);
  }
  rig.open_gate();
  for (int done = 0; done < 3; ++done) EXPECT_TRUE(calls.next(in_ms(20'000))->result.ok());
  EXPECT_EQ(rig.server().counters().overloaded, 3u);
}

TEST(Call, IsNotReadWhileTheConnectionHasTooManyUnderWay) {
  Rig rig({}, {.calls_per_connection_max = 2});
  Client client(os::real_clock(), rig.address(), {});
  CallGroup calls(os::real_clock());
  for (size_t i = 0; i < 10; ++i) calls.start(client, {.method = kWait}, i);
  rig.wait_for_waiters(2);
  EXPECT_LE(rig.server().counters().calls, 3u);
  rig.open_gate();
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(calls.next(in_ms(20'000))->result.ok());
}

TEST(CallGroup, GivesAnswersAsTheyCome) {
  Rig slow;
  Rig fast;
  Client to_slow(os::real_clock(), slow.address(), {});
  Client to_fast(os::real_clock(), fast.address(), {});
  CallGroup calls(os::real_clock());
  calls.start(to_slow, {.method = kWait}, 1);
  calls.start(to_fast, {.method = kEcho}, 2);
  EXPECT_EQ(calls.next(in_ms(20'000))->tag, 2u);
  EXPECT_FALSE(calls.next(in_ms(20)));
  slow.open_gate();
  EXPECT_EQ(calls.next(0)->tag, 1u);
  EXPECT_EQ(calls.outstanding(), 0u);
  EXPECT_FALSE(calls.next(0));
}

TEST(CallGroup, CancelsWhatNobodyWaitsForAnyMore) {
  Rig rig;
  Client client(os::real_clock(), rig.address(), {});
  {
    CallGroup calls(os::real_clock());
    calls.start(client, {.method = kWait}, 1);
    rig.wait_for_waiters(1);
  }
  rig.wait_for_cancelled(1);
}

TEST(Server, LetsCallsUnderWayFinishWhenItStops) {
  Rig rig;
  Client client(os::real_clock(), rig.address(), {});
  CallGroup calls(os::real_clock());
  calls.start(client, {.method = kWait}, 1);
  rig.wait_for_waiters(1);
  const os::Thread stopper("stopper", [&] { rig.stop(); });
  rig.open_gate();
  const auto finished = calls.next(in_ms(20'000));
  ASSERT_TRUE(finished);
  EXPECT_TRUE(finished->result.ok()) << finished->result.error().to_string();
}

TEST(Server, OnAPortThatIsTakenSaysSo) {
  const Rig rig;
  const auto second = Server::start(os::real_clock(), rig.address(), {}, {});
  EXPECT_EQ(second.code(), Code::kBusy);
  EXPECT_THAT(second.error().context(), HasSubstr("another program has that port"));
}

}  // namespace
}  // namespace nacre::rpc
