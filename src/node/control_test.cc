// The two ends of the control socket together.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>

#include "node/control_client.h"
#include "node/control_server.h"
#include "os/temp_directory.h"

namespace nacre::node {
namespace {

class RecordedEvents final : public Events {
 public:
  bool progress(const Progress& progress) override {
    done = progress.done;
    return listening;
  }
  bool item(Json item) override {
    items.push_back(std::move(item));
    return listening;
  }
  uint64_t done = 0;
  std::vector<Json> items;
  bool listening = true;
};

Result<Json> example(const Request& request, Events& events) {
  if (request.command == "echo") return request.arguments;
  if (request.command == "fail") return Error(Code::kNoSpace, "no room");
  if (request.command == "count") {
    for (uint64_t i = 1; i <= 3; ++i) {
      events.progress({"counting", i, 3, ""});
      events.item({{"number", i}});
    }
    return Json{{"numbers", 3}};
  }
  if (request.command == "forever") {
    while (events.progress({"turning", 0, 0, ""})) continue;
    return Error(Code::kBusy, "nobody listened");
  }
  if (request.command == "end") return Json{{kClosingField, true}};
  return Error(Code::kInvalid, "unknown command `" + request.command + "`");
}

class ControlTest : public testing::Test {
 protected:
  void start(ControlServer::Options options = {::geteuid(), 16}) {
    auto server = ControlServer::start(path_, example, options);
    ASSERT_TRUE(server.ok()) << server.error().to_string();
    server_ = server.take();
  }
  std::unique_ptr<ControlClient> client() {
    auto client = ControlClient::connect(path_);
    EXPECT_TRUE(client.ok()) << client.error().to_string();
    return client.take();
  }

  const os::TempDirectory temp_;
  const std::string path_ = temp_ / "control.sock";
  std::unique_ptr<ControlServer> server_;
  RecordedEvents events_;
};

TEST_F(ControlTest, AnAnswerComesBackAndTheNextRequestMayFollow) {
  start();
  const auto client = this->client();
  for (int i = 0; i < 3; ++i) {
    const auto answer = client->call({"echo", {{"x", i}}}, events_);
    ASSERT_TRUE(answer.ok());
    EXPECT_EQ((*answer)["x"], i);
  }
  const auto failed = client->call({"fail"}, events_);
  EXPECT_EQ(failed.code(), Code::kNoSpace);
  EXPECT_EQ(failed.error().context(), "no room");
}

TEST_F(ControlTest, ProgressAndItemsComeBeforeTheAnswer) {
  start();
  const auto answer = client()->call({"count"}, events_);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(events_.done, 3u);
  EXPECT_EQ(events_.items.size(), 3u);
}

TEST_F(ControlTest, WhatIsNoRequestIsToldSoAndTheConnectionGoesOn) {
  start();
  auto stream = os::connect(path_);
  ASSERT_TRUE(stream.ok());
  LineStream lines(stream.take());
  ASSERT_TRUE(lines.write("nonsense").ok());
  EXPECT_EQ(*lines.read(1000).take(),
            R"({"ok":false,"error":{"code":"invalid argument","message":"this is no JSON"}})");
  ASSERT_TRUE(lines.write(R"({"command":"echo"})").ok());
  EXPECT_EQ(*lines.read(1000).take(), R"({"ok":true,"result":{}})");
}

TEST_F(ControlTest, ARequestThatIsTooLongIsToldSoAndEndsTheConnection) {
  start();
  const auto answer =
      client()->call({"echo", {{"x", std::string(kMaxRequestBytes, 'x')}}}, events_);
  EXPECT_EQ(answer.code(), Code::kTooBig);
  EXPECT_TRUE(client()->call({"echo"}, events_).ok());
}

TEST_F(ControlTest, OnlySoManyAreServedAtOnce) {
  start({::geteuid(), 2});
  const auto first = client();
  ASSERT_TRUE(first->call({"echo"}, events_).ok());
  auto second = client();
  ASSERT_TRUE(second->call({"echo"}, events_).ok());
  EXPECT_EQ(client()->call({"echo"}, events_).code(), Code::kBusy);
  second.reset();
  for (int i = 0; i < 1000; ++i) {
    if (client()->call({"echo"}, events_).ok()) return;
    ::usleep(1000);
  }
  ADD_FAILURE() << "the place of a client that left was not given away";
}

TEST_F(ControlTest, AStrangerIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can be somebody else for a moment";
  constexpr uid_t kStranger = 65534;
  start();
  // Past what the modes of the files refuse already.
  ASSERT_EQ(::chmod(temp_.path().c_str(), 0711), 0);
  ASSERT_EQ(::chmod(path_.c_str(), 0666), 0);
  ASSERT_EQ(::seteuid(kStranger), 0);
  const auto stranger = client();
  ASSERT_EQ(::seteuid(0), 0);
  EXPECT_EQ(stranger->call({"echo"}, events_).code(), Code::kAccess);
}

TEST_F(ControlTest, AnotherUsersProcessServesRootToo) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  start({65534, 16});
  EXPECT_TRUE(client()->call({"echo"}, events_).ok());
}

TEST_F(ControlTest, WithoutAServerNobodyIsFound) {
  EXPECT_EQ(ControlClient::connect(path_).code(), Code::kNotFound);
  start();
  server_.reset();
  EXPECT_EQ(ControlClient::connect(path_).code(), Code::kNotFound);
}

TEST_F(ControlTest, ACommandStopsWhenItsClientLeaves) {
  start();
  events_.listening = false;
  EXPECT_EQ(client()->call({"forever"}, events_).code(), Code::kBusy);
  server_->stop();
}

TEST_F(ControlTest, StoppingEndsCommandsAndIdleConnections) {
  start();
  const auto idle = client();
  ASSERT_TRUE(idle->call({"echo"}, events_).ok());
  std::atomic<bool> answered = false;
  os::Thread busy("busy", [&] {
    RecordedEvents events;
    EXPECT_EQ(client()->call({"forever"}, events).error().context(), "nobody listened");
    answered = true;
  });
  ::usleep(20'000);
  server_->stop();
  busy.join();
  EXPECT_TRUE(answered);
  EXPECT_EQ(idle->call({"echo"}, events_).code(), Code::kUnavailable);
}

TEST_F(ControlTest, AClientThatDoesNotReadCannotKeepTheServerFromStopping) {
  start();
  auto deaf = os::connect(path_);
  ASSERT_TRUE(deaf.ok());
  ASSERT_TRUE((*deaf)->write_all(as_bytes("{\"command\":\"forever\"}\n")).ok());
  ::usleep(50'000);
  server_->stop();
}

TEST_F(ControlTest, WhoEndsTheProcessIsToldHowItWent) {
  for (const Status& closed : {Status(), Status(Error(Code::kIo, "the disk is gone"))}) {
    start();
    const auto client = this->client();
    const auto answer = client->call({"end"}, events_);
    ASSERT_TRUE(answer.ok());
    EXPECT_TRUE(is_closing(*answer));
    server_->stop();
    server_->farewell(closed);
    const Status told = client->wait_for_close();
    EXPECT_EQ(told.ok(), closed.ok());
    if (!told.ok()) {
      EXPECT_EQ(told.error().context(), "the disk is gone");
    }
    server_.reset();
  }
}

TEST_F(ControlTest, AProcessThatDiesWhileClosingIsNoticed) {
  start();
  const auto client = this->client();
  ASSERT_TRUE(client->call({"end"}, events_).ok());
  server_.reset();
  EXPECT_EQ(client->wait_for_close().code(), Code::kUnavailable);
}

}  // namespace
}  // namespace nacre::node
