#include "node/line_stream.h"

#include <gtest/gtest.h>

#include "os/temp_directory.h"
#include "os/thread.h"

namespace nacre::node {
namespace {

// Two ends of one connection.
class LineStreamTest : public testing::Test {
 protected:
  void SetUp() override {
    auto listener = os::Listener::listen(temp_ / "socket");
    ASSERT_TRUE(listener.ok());
    auto client = os::connect(temp_ / "socket");
    ASSERT_TRUE(client.ok());
    client_ = client.take();
    auto accepted = (*listener)->accept();
    ASSERT_TRUE(accepted.ok());
    server_ = std::make_unique<LineStream>(accepted.take());
  }
  void send(std::string_view text) { ASSERT_TRUE(client_->write_all(as_bytes(text)).ok()); }

  const os::TempDirectory temp_;
  std::unique_ptr<os::Stream> client_;
  std::unique_ptr<LineStream> server_;
};

TEST_F(LineStreamTest, LinesComeOneByOneHoweverTheyWereSent) {
  send("one\ntw");
  EXPECT_EQ(*server_->read(10).take(), "one");
  os::Thread later("later", [this] {
    send("o\n\nthree");
    send("\n");
    client_->close();
  });
  EXPECT_EQ(*server_->read(10).take(), "two");
  EXPECT_EQ(*server_->read(10).take(), "");
  EXPECT_EQ(*server_->read(10).take(), "three");
  const auto end = server_->read(10);
  ASSERT_TRUE(end.ok());
  EXPECT_FALSE(end->has_value());
}

TEST_F(LineStreamTest, ALineOfTheLargestLengthIsTakenAndALongerOneIsNot) {
  send("0123456789\n");
  EXPECT_EQ(*server_->read(10).take(), "0123456789");
  send("0123456789x\n");
  EXPECT_EQ(server_->read(10).code(), Code::kTooBig);
}

TEST_F(LineStreamTest, AnEndlessLineIsRefusedBeforeItsEnd) {
  os::Thread sender("sender", [this] {
    const std::string part(4096, 'x');
    for (int i = 0; i < 100 && client_->write_all(as_bytes(part)).ok(); ++i) continue;
  });
  EXPECT_EQ(server_->read(8192).code(), Code::kTooBig);
  server_.reset();
}

TEST_F(LineStreamTest, ALineCutOffIsAnError) {
  send("half a li");
  client_->close();
  EXPECT_EQ(server_->read(100).code(), Code::kIo);
}

TEST_F(LineStreamTest, WritingToAPeerThatIsGoneFails) {
  client_->close();
  Status status;
  for (int i = 0; i < 100 && status.ok(); ++i) status = server_->write(std::string(1000, 'x'));
  EXPECT_FALSE(status.ok());
}

}  // namespace
}  // namespace nacre::node
