#include "cluster/node_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "node/json.h"
#include "os/temp_directory.h"

namespace nacre::cluster {
namespace {

class NodeFilesTest : public testing::Test {
 protected:
  std::string read(const std::string& name) {
    const auto file = disk_.open(files_.path(name), os::OpenMode::kRead);
    if (!file.ok()) return "(none)";
    std::string text((*file)->size().take(), '\0');
    EXPECT_EQ((*file)->read_at(0, as_writable_bytes(text)).take(), text.size());
    return text;
  }
  void write(const std::string& name, const std::string& text) {
    const auto file = disk_.open(files_.path(name), os::OpenMode::kCreate).take();
    EXPECT_TRUE(file->truncate(0).ok());
    EXPECT_TRUE(file->write_at(0, as_bytes(text)).ok());
  }

  os::TempDirectory directory_;
  os::FileSystem& disk_ = os::real_file_system();
  NodeFiles files_{disk_, directory_.path()};
};

NodeConfig some_config() {
  return {.node = {1, 2},
          .cluster = {3, 4},
          .name = "one",
          .zone = "a",
          .listen = "127.0.0.1:7000",
          .advertise = "127.0.0.1:7000",
          .metrics = "127.0.0.1:7080",
          .etcd = {"127.0.0.1:2379"},
          .devices = {"/dev/sdb"},
          .log = {.level = "warn", .file_bytes = 1 * kMiB, .files = 2}};
}

TEST_F(NodeFilesTest, AConfigurationComesBackAsItWasSaved) {
  EXPECT_FALSE(files_.config().take().has_value());
  ASSERT_TRUE(files_.save(some_config()).ok());
  EXPECT_EQ(files_.config().take(), some_config());
}

TEST_F(NodeFilesTest, ItsTextsMayBeAnyBytes) {
  NodeConfig config = some_config();
  config.name = "caf\xe9";
  config.zone = "\xff";
  config.devices = {"/srv/\xfe\xff", "/srv/é"};
  ASSERT_TRUE(files_.save(config).ok());
  EXPECT_EQ(files_.config().take(), config);
}

TEST_F(NodeFilesTest, WhatAnEarlierVersionDidNotSayIsAsUsual) {
  ASSERT_TRUE(files_.save(some_config()).ok());
  node::Json json = node::parse_object(read("node.json")).take();
  for (const char* field : {"metrics", "log_level", "log_bytes", "log_files"}) {
    EXPECT_EQ(json.erase(field), 1u) << field;
  }
  write("node.json", json.dump());
  const auto found = files_.config();
  ASSERT_TRUE(found.ok()) << found.error().to_string();
  const NodeConfig& config = **found;
  EXPECT_EQ(config.metrics, "");
  EXPECT_EQ(config.log, node::LogOptions());
  EXPECT_EQ(config.listen, some_config().listen);
}

TEST_F(NodeFilesTest, SettingsOfTheLogThatAreNoneAreDamage) {
  NodeConfig config = some_config();
  config.log.level = "loud";
  ASSERT_TRUE(files_.save(config).ok());
  EXPECT_EQ(files_.config().code(), Code::kCorrupt);
}

TEST_F(NodeFilesTest, ALongFileIsCutAndItsContentKept) {
  EXPECT_TRUE(files_.cut("etcd.log", 10).ok());
  write("etcd.log", "0123456789");
  EXPECT_TRUE(files_.cut("etcd.log", 10).ok());
  EXPECT_EQ(read("etcd.log"), "0123456789");
  EXPECT_EQ(read("etcd.log.1"), "(none)");
  const std::string lengthy(3'000'000, 'x');
  for (const std::string& text : {lengthy, std::string("0123456789a")}) {
    write("etcd.log", text);
    EXPECT_TRUE(files_.cut("etcd.log", 10).ok());
    EXPECT_EQ(read("etcd.log"), "");
    EXPECT_TRUE(read("etcd.log.1") == text);
  }
  struct stat status = {};
  ASSERT_EQ(::stat(files_.path("etcd.log.1").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0600u);
}

}  // namespace
}  // namespace nacre::cluster
