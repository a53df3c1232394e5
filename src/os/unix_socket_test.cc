#include "os/unix_socket.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "os/temp_directory.h"
#include "os/thread.h"

namespace nacre::os {
namespace {

std::unique_ptr<Listener> listen_at(const std::string& path) {
  auto listener = Listener::listen(path);
  EXPECT_TRUE(listener.ok()) << listener.error().to_string();
  return listener.ok() ? listener.take() : nullptr;
}

// Reads until the peer ends the stream.
std::string read_all(Stream& stream) {
  std::string all;
  for (;;) {
    std::string part(4096, '\0');
    const auto count = stream.read_some(as_writable_bytes(part));
    EXPECT_TRUE(count.ok()) << count.error().to_string();
    if (!count.ok() || *count == 0) return all;
    all.append(part, 0, *count);
  }
}

// Sends `text` through a socket at `path` and gives what came out.
std::string send_through(const std::string& path, const std::string& text) {
  const auto listener = listen_at(path);
  std::string received;
  Thread server("server", [&] { received = read_all(*listener->accept().take()); });
  auto client = connect(path);
  EXPECT_TRUE(client.ok()) << client.error().to_string();
  if (client.ok()) {
    EXPECT_TRUE((*client)->write_all(as_bytes(text)).ok());
    (*client)->close();
  }
  server.join();
  return received;
}

TEST(UnixSocket, WhatIsWrittenComesOutWhole) {
  const TempDirectory temp;
  const std::string text = std::string(8 << 20, 'x') + "end";
  EXPECT_TRUE(send_through(temp / "socket", text) == text);
}

TEST(UnixSocket, APathLongerThanAnAddressWorks) {
  const TempDirectory temp;
  std::string directory = temp.path();
  for (int depth = 0; depth < 6; ++depth) directory += "/" + std::string(100, 'd');
  std::filesystem::create_directories(directory);
  EXPECT_EQ(send_through(directory + "/control", "hello"), "hello");
  EXPECT_FALSE(std::filesystem::exists(directory + "/control"));
}

TEST(UnixSocket, ANameLongerThanAnAddressIsRefused) {
  const TempDirectory temp;
  EXPECT_EQ(Listener::listen(temp / std::string(200, 'n')).code(), Code::kNameTooLong);
}

TEST(UnixSocket, NobodyListeningIsNotFound) {
  const TempDirectory temp;
  EXPECT_EQ(connect(temp / "socket").code(), Code::kNotFound);
  EXPECT_EQ(connect(temp / "missing/socket").code(), Code::kNotFound);
}

TEST(UnixSocket, AStaleSocketIsReplaced) {
  const TempDirectory temp;
  const std::string path = temp / "socket";
  auto live = listen_at(path);
  std::filesystem::create_hard_link(path, temp / "kept");
  live.reset();
  std::filesystem::rename(temp / "kept", path);  // as a killed process leaves it
  EXPECT_EQ(connect(path).code(), Code::kNotFound);
  EXPECT_EQ(send_through(path, "hello"), "hello");
}

TEST(UnixSocket, AFileThatIsNoSocketIsLeftAlone) {
  const TempDirectory temp;
  std::ofstream(temp / "file") << "precious";
  EXPECT_EQ(Listener::listen(temp / "file").code(), Code::kExists);
  EXPECT_EQ(std::filesystem::file_size(temp / "file"), 8u);
}

TEST(UnixSocket, TheFileHasTheModeAskedForWhateverTheUmask) {
  const TempDirectory temp;
  const auto mode_of = [](const std::string& path) {
    struct stat info = {};
    EXPECT_EQ(::stat(path.c_str(), &info), 0);
    return info.st_mode & 07777;
  };
  const auto private_one = listen_at(temp / "private");
  EXPECT_EQ(mode_of(temp / "private"), 0600u);
  const auto open_one = Listener::listen(temp / "open", 0666).take();
  EXPECT_EQ(mode_of(temp / "open"), 0666u);
}

TEST(UnixSocket, TheFileGoesWithItsListenerButNotASuccessors) {
  const TempDirectory temp;
  const std::string path = temp / "socket";
  auto first = listen_at(path);
  auto second = listen_at(path);
  first->close();
  EXPECT_TRUE(connect(path).ok());
  second->close();
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(UnixSocket, CloseWakesAccept) {
  const TempDirectory temp;
  const auto listener = listen_at(temp / "socket");
  bool ended = false;
  {
    const Thread waiter("waiter", [&] {
      auto stream = listener->accept();
      ended = stream.ok() && stream.take() == nullptr;
    });
    ::usleep(20'000);
    listener->close();
  }
  EXPECT_TRUE(ended);
  EXPECT_EQ(listener->accept().take(), nullptr);
}

TEST(UnixSocket, ShutdownWakesAReader) {
  const TempDirectory temp;
  const auto listener = listen_at(temp / "socket");
  const auto client = connect(temp / "socket").take();
  const auto server = listener->accept().take();
  std::string received = "unset";
  {
    const Thread reader("reader", [&] { received = read_all(*server); });
    ::usleep(20'000);
    server->shutdown();
  }
  EXPECT_EQ(received, "");
}

TEST(UnixSocket, WritingToAPeerThatIsGoneFailsWithoutASignal) {
  const TempDirectory temp;
  const auto listener = listen_at(temp / "socket");
  const auto client = connect(temp / "socket").take();
  listener->accept().take().reset();
  const std::string text(1 << 20, 'x');
  EXPECT_EQ(client->write_all(as_bytes(text)).code(), Code::kUnavailable);
}

TEST(UnixSocket, BothEndsKnowTheUserOfTheOther) {
  const TempDirectory temp;
  const auto listener = listen_at(temp / "socket");
  const auto client = connect(temp / "socket").take();
  const auto server = listener->accept().take();
  EXPECT_EQ(*client->peer_uid(), ::getuid());
  EXPECT_EQ(*server->peer_uid(), ::getuid());
}

}  // namespace
}  // namespace nacre::os
