// The members of an etcd cluster: who they are, how they are, and changes to them. Errors and
// retries as in client.h. Safe from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "etcd/types.h"

namespace nacre::etcd {

struct MemberInfo {
  MemberId id;
  std::string name = {};  // empty until it has started for the first time
  std::vector<std::string> peer_urls = {};
  std::vector<std::string> client_urls = {};  // none until it has started for the first time
  bool learner = false;                       // receives the log, has no vote
};

struct EndpointStatus {
  MemberId member;
  MemberId leader = {};  // 0: it knows of none
  uint64_t cluster = 0;
  Revision revision = {};
  std::string version = {};
  uint64_t database_bytes = 0;
  uint64_t database_used_bytes = 0;  // the rest is given back by defragment()
  bool learner = false;
  std::vector<std::string> problems = {};  // in etcd's words
};

// Each endpoint's own word, or why there is none.
struct EndpointHealth {
  std::string endpoint;
  Result<EndpointStatus> status;
  bool healthy() const { return status.ok() && status->leader != MemberId{}; }
};

struct Alarm {
  enum class Kind { kNoSpace, kCorrupt };
  MemberId member;
  Kind kind;
};

class Admin {
 public:
  virtual ~Admin() = default;

  // Of the first endpoint that answers, with a leader or without.
  virtual Result<EndpointStatus> status() = 0;
  // Of one endpoint, which need not be among the client's.
  virtual Result<EndpointStatus> status_of(const std::string& endpoint) = 0;
  // Of all endpoints of the client, one after another, each up to a second.
  virtual std::vector<EndpointHealth> health() = 0;

  virtual Result<std::vector<MemberInfo>> members() = 0;
  // The changes of members are refused with kBusy as long as they would risk the majority, and
  // within seconds of the change before: try later.
  // kExists if there is one with that URL.
  virtual Result<MemberInfo> add_member(const std::string& peer_url, bool learner) = 0;
  // kBusy while the learner lags behind, kInvalid if it is none.
  virtual Status promote_member(MemberId id) = 0;
  virtual Status remove_member(MemberId id) = 0;
  virtual Status update_member(MemberId id, const std::string& peer_url) = 0;

  // Gives the endpoint's unused space back to its file system. It answers nobody meanwhile.
  virtual Status defragment(const std::string& endpoint) = 0;
  virtual Result<std::vector<Alarm>> alarms() = 0;
  virtual Status disarm(const Alarm& alarm) = 0;
};

}  // namespace nacre::etcd
