// What a failed call to etcd means: which error it is, whether anything was done, and whether
// another endpoint may do better. Pure.
#pragma once

#include <string>

#include "base/result.h"
#include "etcd/channel.h"

namespace nacre::etcd {

struct Outcome {
  Code code = Code::kUnavailable;
  // True: etcd surely did nothing. False: it may have.
  bool not_done = false;
  // Another endpoint, or the same one a little later, may do better.
  bool transient = false;
  std::string what_to_do = {};
};

// `answered`: the endpoint has answered a call before. One with TLS that closes the connection
// instead does not like our certificate. Writes go only to endpoints that have answered.
Outcome judge(const RpcStatus& status, bool tls, bool answered);

// For the caller: what was tried, where, and what to do. A write with an unknown outcome is
// kTimeout; what only reads, or was not done, is kUnavailable.
Error describe(const Outcome& outcome, const RpcStatus& status, const std::string& endpoint,
               const std::string& method, bool writes);

}  // namespace nacre::etcd
