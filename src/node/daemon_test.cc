#include "node/daemon.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "node/control_client.h"
#include "node/create_volume.h"
#include "node/test_mounter.h"
#include "node/volume_paths.h"
#include "os/temp_directory.h"

namespace nacre::node {
namespace {

class SilentEvents final : public Events {
 public:
  bool progress(const Progress&) override { return true; }
  bool item(Json) override { return true; }
};

class DaemonTest : public testing::Test {
 protected:
  void SetUp() override {
    CreateOptions options;
    options.block_size = 64 * kKiB;
    options.capacity_bytes = 64 * kMiB;
    const auto created = create_volume(host(), directory_, options);
    ASSERT_TRUE(created.ok()) << created.error().to_string();
  }
  static device::Host host() {
    return {os::real_file_system(), os::real_clock(), os::real_random()};
  }
  void start(int64_t patience_ns = 10'000'000'000) {
    auto daemon = Daemon::start(host(), mounter_, directory_,
                                {.write_back_interval_ns = 0, .patience_ns = patience_ns});
    ASSERT_TRUE(daemon.ok()) << daemon.error().to_string();
    daemon_ = daemon.take();
    mount("/present");
  }
  void mount(const std::string& mountpoint) {
    const auto mounted = daemon_->mount({{"mountpoint", mountpoint}});
    ASSERT_TRUE(mounted.ok()) << mounted.error().to_string();
  }
  // Runs the daemon while `meanwhile` runs beside it.
  void run(const std::function<void()>& meanwhile) {
    os::Thread other("other", meanwhile);
    const Status closed = daemon_->run();
    EXPECT_TRUE(closed.ok()) << closed.error().to_string();
    other.join();
  }
  // To the thread that runs the daemon: other tests' threads would take it otherwise.
  void signal(int number) const { ::pthread_kill(main_, number); }
  Result<Json> ask(const std::string& command, const Json& arguments = Json::object()) {
    SilentEvents events;
    auto client = TRY(ControlClient::connect(socket_path(directory_)));
    auto answer = TRY(client->call({command, arguments}, events));
    if (is_closing(answer)) TRY(client->wait_for_close());
    return answer;
  }

  const os::TempDirectory temp_;
  const std::string directory_ = temp_ / "volume";
  const pthread_t main_ = ::pthread_self();
  TestMounter mounter_;
  std::unique_ptr<Daemon> daemon_;
};

TEST_F(DaemonTest, AnswersCommandsAndEndsWithItsLastMount) {
  start();
  run([&] {
    EXPECT_EQ((*ask("status"))["mounts"].size(), 1u);
    EXPECT_TRUE(ask("mount", {{"mountpoint", "/past"}, {"at", "now"}}).ok());
    EXPECT_TRUE(ask("unmount", {{"mountpoint", "/present"}}).ok());
    EXPECT_EQ((*ask("status"))["mounts"].size(), 1u);
    EXPECT_TRUE(ask("unmount", {{"mountpoint", "/past"}}).ok());
    // Told only when everything is closed.
    EXPECT_TRUE(VolumeDirectory::open(host(), directory_, {}).ok());
  });
}

TEST_F(DaemonTest, EndsWhenSomebodyElseUnmounts) {
  start();
  run([&] { mounter_.unmount("/present"); });
  EXPECT_EQ(ControlClient::connect(socket_path(directory_)).code(), Code::kNotFound);
}

TEST_F(DaemonTest, ASignalUnmountsAndCloses) {
  start();
  run([&] { signal(SIGTERM); });
  EXPECT_FALSE(daemon_->stuck());
  EXPECT_FALSE(mounter_.at("/present").mounted);
}

TEST_F(DaemonTest, AfterASignalAMountInUseIsWaitedFor) {
  start();
  mounter_.use("/present", true);
  run([&] {
    signal(SIGTERM);
    ::usleep(50'000);
    mounter_.unmount("/present");
  });
  EXPECT_FALSE(daemon_->stuck());
}

TEST_F(DaemonTest, AfterPatienceOrASecondSignalAMountInUseIsLeft) {
  for (const bool second_signal : {false, true}) {
    start(second_signal ? int64_t{3600} * 1'000'000'000 : 50'000'000);
    mounter_.use("/present", true);
    run([&] {
      signal(SIGTERM);
      ::usleep(20'000);
      if (second_signal) signal(SIGINT);
    });
    EXPECT_TRUE(daemon_->stuck());
    mounter_.use("/present", false);
    daemon_.reset();
  }
}

TEST_F(DaemonTest, OneThatStaysServesMountsThatComeAndGo) {
  auto daemon =
      Daemon::start(host(), mounter_, directory_, {.stays = true, .write_back_interval_ns = 0});
  ASSERT_TRUE(daemon.ok()) << daemon.error().to_string();
  daemon_ = daemon.take();
  run([&] {
    EXPECT_TRUE((*ask("status"))["mounts"].empty());
    for (int i = 0; i < 2; ++i) {
      EXPECT_TRUE(ask("mount", {{"mountpoint", "/present"}}).ok());
      const auto unmounted = ask("unmount", {{"mountpoint", "/present"}});
      ASSERT_TRUE(unmounted.ok()) << unmounted.error().to_string();
      EXPECT_FALSE(is_closing(*unmounted));
    }
    EXPECT_TRUE(ask("mount", {{"mountpoint", "/present"}}).ok());
    mounter_.unmount("/present");
    while (!(*ask("status"))["mounts"].empty()) ::usleep(1000);
    EXPECT_TRUE(ask("mount", {{"mountpoint", "/present"}}).ok());
    signal(SIGTERM);
  });
  EXPECT_FALSE(daemon_->stuck());
  EXPECT_FALSE(mounter_.at("/present").mounted);
}

TEST_F(DaemonTest, OneVolumeHasOneDaemon) {
  start();
  EXPECT_EQ(Daemon::start(host(), mounter_, directory_, {}).code(), Code::kBusy);
  run([&] { signal(SIGTERM); });
}

TEST_F(DaemonTest, AVolumeOpenReadOnlyIsMountedReadOnly) {
  auto daemon = Daemon::start(host(), mounter_, directory_, {.read_only = true});
  ASSERT_TRUE(daemon.ok()) << daemon.error().to_string();
  daemon_ = daemon.take();
  EXPECT_EQ(daemon_->mount({{"mountpoint", "/present"}}).code(), Code::kReadOnly);
  ASSERT_TRUE(daemon_->mount({{"mountpoint", "/present"}, {"read_only", true}}).ok());
  EXPECT_TRUE(mounter_.at("/present").plan.read_only);
  run([&] { signal(SIGTERM); });
}

}  // namespace
}  // namespace nacre::node
