// The endpoints of one etcd cluster, and at which of them a call is tried: the one that last was
// good first, the others when that fails and nothing can have been done. See client.h for the
// promise.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "etcd/channel.h"
#include "etcd/outcome.h"
#include "os/mutex.h"

namespace nacre::etcd {

enum class Effect { kReads, kWrites };

// Safe from any thread.
class Endpoints {
 public:
  struct Options {
    std::vector<std::string> endpoints;
    bool tls = false;
    RpcRequest probe;  // what reads next to nothing, and needs no leader
  };
  // At least one endpoint.
  Endpoints(std::unique_ptr<Dialer> dialer, Options options);

  // The reply's message. Errors as in client.h.
  Result<std::string> call(const RpcRequest& request, Effect effect,
                           std::chrono::nanoseconds limit);
  // At this endpoint alone, once; it need not be one of ours.
  Result<std::string> call_at(const std::string& endpoint, const RpcRequest& request, Effect effect,
                              std::chrono::nanoseconds limit);

  // A stream to the endpoint that last was good, and which one that is.
  std::pair<std::unique_ptr<RpcStream>, std::string> stream(const RpcRequest& request);
  // Another one shall be first from now on.
  void avoid(const std::string& endpoint);
  // The error for a stream's end.
  Error stream_error(const std::string& endpoint, const RpcRequest& request,
                     const RpcStatus& status);

  void set(const std::vector<std::string>& endpoints);
  std::vector<std::string> names() const;

 private:
  struct Endpoint {
    std::string name;
    std::shared_ptr<Channel> channel;
    std::atomic<bool> answered = false;
  };
  using List = std::vector<std::shared_ptr<Endpoint>>;

  struct Attempt {
    RpcReply reply;
    Outcome outcome;
    Error error;
    bool ok() const { return reply.status.code == RpcCode::kOk; }
  };

  List make_list(const std::vector<std::string>& names);
  List from_good_on() const;
  std::shared_ptr<Endpoint> find_or_dial(const std::string& name);
  void prefer(const std::string& endpoint);
  Attempt attempt(Endpoint& endpoint, const RpcRequest& request, Effect effect,
                  std::chrono::nanoseconds left, std::chrono::nanoseconds share);

  const std::unique_ptr<Dialer> dialer_;
  const bool tls_;
  const RpcRequest probe_;

  mutable os::Mutex mutex_;  // a leaf
  List list_ GUARDED_BY(mutex_);
  size_t good_ GUARDED_BY(mutex_) = 0;  // index into list_
};

}  // namespace nacre::etcd
