// Endpoints that do as they are told, for tests without gRPC.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "etcd/channel.h"
#include "os/mutex.h"

namespace nacre::etcd {

inline RpcReply refused_connection() {
  return {{RpcCode::kUnavailable, "failed to connect to all addresses", false}};
}
inline RpcReply broken_connection() { return {{RpcCode::kUnavailable, "Socket closed"}}; }
inline RpcReply no_leader() { return {{RpcCode::kUnavailable, "etcdserver: no leader"}}; }
inline RpcReply no_answer() { return {{RpcCode::kDeadlineExceeded, "Deadline Exceeded"}}; }
inline RpcReply good(std::string message) { return {{}, std::move(message)}; }

// What the endpoints answer, and which calls they got. Safe from any thread.
class FakeEtcd {
 public:
  using Answer = std::function<RpcReply(const RpcRequest&)>;

  void answers(const std::string& endpoint, Answer answer) {
    const os::Lock lock(mutex_);
    answers_[endpoint] = std::move(answer);
  }
  void answers(const std::string& endpoint, const RpcReply& reply) {
    answers(endpoint, [reply](const RpcRequest&) { return reply; });
  }
  // "ENDPOINT METHOD" of each call, and forgets them.
  std::vector<std::string> take_calls() {
    const os::Lock lock(mutex_);
    return std::exchange(calls_, {});
  }

  RpcReply call(const std::string& endpoint, const RpcRequest& request) {
    Answer answer;
    {
      const os::Lock lock(mutex_);
      calls_.push_back(endpoint + " " + request.method);
      answer = answers_[endpoint];
    }
    return answer ? answer(request) : refused_connection();
  }

 private:
  os::Mutex mutex_;  // a leaf
  std::map<std::string, Answer> answers_ GUARDED_BY(mutex_);
  std::vector<std::string> calls_ GUARDED_BY(mutex_);
};

class FakeChannel final : public Channel {
 public:
  FakeChannel(FakeEtcd& etcd, std::string endpoint) : etcd_(etcd), endpoint_(std::move(endpoint)) {}
  RpcReply call(const RpcRequest& request, std::chrono::nanoseconds,
                std::chrono::nanoseconds) override {
    return etcd_.call(endpoint_, request);
  }
  std::unique_ptr<RpcStream> stream(const RpcRequest&) override { return nullptr; }

 private:
  FakeEtcd& etcd_;
  const std::string endpoint_;
};

class FakeDialer final : public Dialer {
 public:
  explicit FakeDialer(FakeEtcd& etcd) : etcd_(etcd) {}
  std::shared_ptr<Channel> dial(const std::string& endpoint) override {
    return std::make_shared<FakeChannel>(etcd_, endpoint);
  }

 private:
  FakeEtcd& etcd_;
};

}  // namespace nacre::etcd
