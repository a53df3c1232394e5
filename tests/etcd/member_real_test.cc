// A supervised member: how it starts, why it does not, and that it comes back.
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>

#include "etcd/admin.h"
#include "etcd/member.h"
#include "real_cluster.h"

namespace nacre::etcd {
namespace {

MemberOptions fresh(const os::TempDirectory& directory, const std::string& name = "solo") {
  MemberOptions options{.cluster = "test",
                        .name = name,
                        .data_dir = directory / name,
                        .client_address = free_address(),
                        .peer_address = free_address(),
                        .log_path = directory / (name + ".log")};
  options.initial_cluster = {{name, options.peer_address}};
  return options;
}

void expect_start_fails(const MemberOptions& options, Code code, const std::string& words) {
  const auto member = Member::start(options, seconds(20));
  ASSERT_FALSE(member.ok());
  expect_error(member.error(), code, words);
}

TEST(RealMember, IsStartedAgainWhenItIsKilled) {
  RealCluster cluster(1);
  const auto client = cluster.client();
  ok(client->put("k", "1"));
  Member& member = cluster.member(0);
  const pid_t first = member.pid();
  ::kill(first, SIGKILL);
  EXPECT_TRUE(eventually([&] { return member.pid() != 0 && member.pid() != first; }));
  ok(member.wait_ready(seconds(20)));
  EXPECT_EQ(member.starts(), 2);
  expect_error(*member.failure(), Code::kIo, "killed by signal 9");
  EXPECT_EQ(ok(client->get("k"))->value, "1");
}

TEST(RealMember, SaysThatAPortIsInUse) {
  const os::TempDirectory directory;
  const MemberOptions first = fresh(directory);
  const auto member = ok(Member::start(first, seconds(20)));
  MemberOptions second = fresh(directory, "other");
  second.client_address = first.client_address;
  expect_start_fails(second, Code::kBusy, first.client_address);
  second = fresh(directory, "third");
  second.peer_address = first.peer_address;
  second.initial_cluster = {{"third", second.peer_address}};
  expect_start_fails(second, Code::kBusy, first.peer_address);
}

TEST(RealMember, SaysThatItIsNotInstalled) {
  const os::TempDirectory directory;
  MemberOptions options = fresh(directory);
  options.program = "no-such-etcd";
  expect_start_fails(options, Code::kNotFound, "apt install etcd-server");
}

TEST(RealMember, RefusesTheDataOfAnother) {
  const os::TempDirectory directory;
  MemberOptions options = fresh(directory);
  ok(Member::start(options, seconds(20)))->stop();
  options.cluster = "another";
  expect_start_fails(options, Code::kInvalid, options.data_dir);
  options.cluster = "test";
  options.name = "another";
  expect_start_fails(options, Code::kInvalid, options.data_dir);
}

TEST(RealMember, SaysThatOthersAreMissing) {
  const os::TempDirectory directory;
  MemberOptions options = fresh(directory);
  options.initial_cluster.push_back({"absent", free_address()});
  const auto member = Member::start(options, seconds(2));
  ASSERT_FALSE(member.ok());
  expect_error(member.error(), Code::kTimeout, "majority");
}

TEST(RealMember, IsGoneWhenItIsStopped) {
  const os::TempDirectory directory;
  const MemberOptions options = fresh(directory);
  const auto member = ok(Member::start(options, seconds(20)));
  const pid_t pid = member->pid();
  member->stop();
  member->stop();
  EXPECT_EQ(member->pid(), 0);
  EXPECT_FALSE(std::filesystem::exists("/proc/" + std::to_string(pid)));
}

TEST(RealMember, TakesNothingFromVariablesForEtcd) {
  const os::TempDirectory directory;
  ::setenv("ETCD_LISTEN_METRICS_URLS", "http://not an address", 1);
  ::setenv("ETCD_NO_SUCH_OPTION", "x", 1);
  const auto member = Member::start(fresh(directory), seconds(20));
  ::unsetenv("ETCD_LISTEN_METRICS_URLS");
  ::unsetenv("ETCD_NO_SUCH_OPTION");
  EXPECT_TRUE(member.ok());
}

}  // namespace
}  // namespace nacre::etcd
