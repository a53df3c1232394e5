// Real etcd members on loopback, for tests. All they have is in a directory below /tmp that goes
// with them.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "etcd/client.h"
#include "etcd/member.h"
#include "os/temp_directory.h"

namespace nacre::etcd {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

// 127.0.0.1:PORT that nobody listens at.
std::string free_address();

// Waits up to half a minute for something to become true.
bool eventually(const std::function<bool()>& condition, milliseconds limit = seconds(30));

int64_t now_ns();

template <class T>
T ok(Result<T> result) {
  EXPECT_TRUE(result.ok()) << result.error().to_string();
  return result.ok() ? result.take() : T{};
}
inline void ok(const Status& status) { EXPECT_TRUE(status.ok()) << status.error().to_string(); }
// The code, and the words that the user needs.
void expect_error(const Error& error, Code code, const std::string& words);

class RealCluster {
 public:
  // `size` members, 0 to size - 1, that answer.
  explicit RealCluster(size_t size, std::optional<TlsFiles> tls = {});

  size_t size() const { return options_.size(); }
  MemberOptions& options(size_t i) { return options_[i]; }
  Member& member(size_t i) { return *members_[i]; }
  std::vector<std::string> endpoints() const;
  std::unique_ptr<Client> client(nanoseconds deadline = seconds(5)) const;
  // At that member alone.
  std::unique_ptr<Client> client_of(size_t i, nanoseconds deadline = seconds(5)) const;
  size_t leader() const;

  // kill -9, and nothing starts it again.
  void kill(size_t i);
  void start(size_t i);
  // Those that were killed, all at once.
  void start_all();

  // Options for one more member, which joins a running cluster. It is not started.
  size_t add_options();
  const os::TempDirectory& directory() const { return directory_; }

 private:
  os::TempDirectory directory_;
  std::optional<TlsFiles> tls_;
  std::vector<MemberOptions> options_;
  std::vector<std::unique_ptr<Member>> members_;
};

// Tests that share three members. Each finds all of them up, and no rows.
class ThreeMembers : public testing::Test {
 protected:
  static void SetUpTestSuite() { running = std::make_unique<RealCluster>(3); }
  static void TearDownTestSuite() { running.reset(); }
  void SetUp() override;
  static RealCluster& cluster() { return *running; }

 private:
  static inline std::unique_ptr<RealCluster> running;
};

}  // namespace nacre::etcd
