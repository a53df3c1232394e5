#include "real_cluster.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "etcd/admin.h"
#include "os/clock.h"
#include "os/fd.h"

namespace nacre::etcd {

std::string free_address() {
  const os::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  CHECK(::bind(fd.get(), generic, length) == 0);
  CHECK(::getsockname(fd.get(), generic, &length) == 0);
  return fmt::format("127.0.0.1:{}", ntohs(address.sin_port));
}

bool eventually(const std::function<bool()>& condition, milliseconds limit) {
  for (milliseconds waited{}; waited < limit; waited += milliseconds(20)) {
    if (condition()) return true;
    ::usleep(20'000);
  }
  return condition();
}

int64_t now_ns() { return os::real_clock().monotonic_ns(); }

void expect_error(const Error& error, Code code, const std::string& words) {
  EXPECT_EQ(error.code(), code) << error.to_string();
  EXPECT_NE(error.context().find(words), std::string::npos) << error.to_string();
}

RealCluster::RealCluster(size_t size, std::optional<TlsFiles> tls) : tls_(std::move(tls)) {
  for (size_t i = 0; i < size; ++i) add_options();
  for (MemberOptions& each : options_) {
    each.joins = false;
    each.initial_cluster = options_.back().initial_cluster;
  }
  start_all();
}

size_t RealCluster::add_options() {
  const std::string name = fmt::format("m{}", options_.size());
  MemberOptions options{.cluster = "test",
                        .name = name,
                        .data_dir = directory_ / name,
                        .client_address = free_address(),
                        .peer_address = free_address(),
                        .joins = true,
                        .tls = tls_,
                        .log_path = directory_ / (name + ".log")};
  if (!options_.empty()) options.initial_cluster = options_.back().initial_cluster;
  options.initial_cluster.push_back({name, options.peer_address});
  options_.push_back(std::move(options));
  members_.emplace_back();
  return options_.size() - 1;
}

std::vector<std::string> RealCluster::endpoints() const {
  std::vector<std::string> all;
  for (const MemberOptions& each : options_) all.push_back(each.client_address);
  return all;
}

std::unique_ptr<Client> RealCluster::client(nanoseconds deadline) const {
  return ok(Client::open({.endpoints = endpoints(), .tls = tls_, .deadline = deadline}));
}

std::unique_ptr<Client> RealCluster::client_of(size_t i, nanoseconds deadline) const {
  return ok(
      Client::open({.endpoints = {options_[i].client_address}, .tls = tls_, .deadline = deadline}));
}

size_t RealCluster::leader() const {
  const auto client = this->client();
  size_t found = size();
  eventually([&] {
    const auto health = client->admin().health();
    for (size_t i = 0; i < health.size(); ++i) {
      if (health[i].status.ok() && health[i].status->leader == health[i].status->member) found = i;
    }
    return found < size();
  });
  return found;
}

void RealCluster::kill(size_t i) {
  members_[i]->kill();
  members_[i] = nullptr;
}

void RealCluster::start(size_t i) {
  auto member = Member::start(options_[i], seconds(30));
  ASSERT_TRUE(member.ok()) << member.error().to_string();
  members_[i] = member.take();
}

void RealCluster::start_all() {
  for (size_t i = 0; i < size(); ++i) {
    if (!members_[i]) members_[i] = ok(Member::launch(options_[i]));
  }
  for (const auto& each : members_) ok(each->wait_ready(seconds(30)));
}

void ThreeMembers::SetUp() {
  running->start_all();
  EXPECT_TRUE(eventually([] { return running->client()->erase(KeyRange::prefix("")).ok(); }));
}

}  // namespace nacre::etcd
