// The members of a real etcd, through its endpoints.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "etcd/admin.h"
#include "etcd/endpoints.h"

namespace nacre::etcd {

class EndpointsAdmin final : public Admin {
 public:
  // `endpoints` outlives it.
  EndpointsAdmin(Endpoints& endpoints, std::chrono::nanoseconds deadline)
      : endpoints_(endpoints), deadline_(deadline) {}

  Result<EndpointStatus> status() override;
  Result<EndpointStatus> status_of(const std::string& endpoint) override;
  std::vector<EndpointHealth> health() override;
  Result<std::vector<MemberInfo>> members() override;
  Result<MemberInfo> add_member(const std::string& peer_url, bool learner) override;
  Status promote_member(MemberId id) override;
  Status remove_member(MemberId id) override;
  Status update_member(MemberId id, const std::string& peer_url) override;
  Status defragment(const std::string& endpoint) override;
  Result<std::vector<Alarm>> alarms() override;
  Status disarm(const Alarm& alarm) override;

 private:
  Result<std::string> read(const RpcRequest& request);
  Result<std::string> write(const RpcRequest& request);

  Endpoints& endpoints_;
  const std::chrono::nanoseconds deadline_;
};

}  // namespace nacre::etcd
