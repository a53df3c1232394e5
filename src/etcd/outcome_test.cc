#include "etcd/outcome.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nacre::etcd {
namespace {

using testing::HasSubstr;

Outcome judged(RpcCode code, const std::string& message, bool connected = true) {
  return judge({code, message, connected}, false, true);
}

TEST(Outcome, KnowsWhatEtcdSurelyDidNotDo) {
  for (const char* words :
       {"etcdserver: no leader", "etcdserver: rpc not supported for learner",
        "etcdserver: too many requests", "etcdserver: mvcc: database space exceeded",
        "etcdserver: request is too large",
        "etcdserver: re-configuration failed due to not enough started members"}) {
    EXPECT_TRUE(judged(RpcCode::kUnavailable, words).not_done) << words;
  }
}

TEST(Outcome, DoubtsWhatMayHaveBeenDone) {
  for (const char* words :
       {"etcdserver: request timed out", "etcdserver: leader changed", "etcdserver: server stopped",
        "etcdserver: request timed out, possibly due to previous leader failure", "Socket closed",
        "words that nobody knows"}) {
    EXPECT_FALSE(judged(RpcCode::kUnavailable, words).not_done) << words;
  }
  EXPECT_FALSE(judged(RpcCode::kDeadlineExceeded, "Deadline Exceeded").not_done);
  EXPECT_TRUE(judged(RpcCode::kUnavailable, "failed to connect", false).not_done);
}

TEST(Outcome, GivesTheCodesThatCallersActOn) {
  using enum Code;
  EXPECT_EQ(judged(RpcCode::kResourceExhausted, "etcdserver: mvcc: database space exceeded").code,
            kNoSpace);
  EXPECT_EQ(judged(RpcCode::kResourceExhausted, "etcdserver: too many requests").code, kOverloaded);
  EXPECT_EQ(judged(RpcCode::kResourceExhausted, "Received message larger than max").code, kTooBig);
  EXPECT_EQ(judged(RpcCode::kFailedPrecondition, "etcdserver: unhealthy cluster").code, kBusy);
  EXPECT_EQ(judged(RpcCode::kFailedPrecondition,
                   "etcdserver: can only promote a learner member which is in sync with leader")
                .code,
            kBusy);
  EXPECT_EQ(
      judged(RpcCode::kFailedPrecondition, "etcdserver: can only promote a learner member").code,
      kInvalid);
  EXPECT_EQ(judged(RpcCode::kPermissionDenied, "etcdserver: permission denied").code, kAccess);
}

TEST(Outcome, TellsARefusedCertificateFromAnEndpointThatIsAway) {
  const auto first = [](const std::string& message, bool tls) {
    return judge({RpcCode::kUnavailable, message, false}, tls, false);
  };
  const std::string begin = "failed to connect to all addresses; last error: UNAVAILABLE: ";
  EXPECT_EQ(first(begin + "Endpoint read failed", true).code, Code::kAccess);
  EXPECT_EQ(first(begin + "CERTIFICATE_VERIFY_FAILED", true).code, Code::kAccess);
  EXPECT_EQ(first(begin + "Connection refused", true).code, Code::kUnavailable);
  EXPECT_EQ(first(begin + "Socket closed", false).code, Code::kUnavailable);
  EXPECT_THAT(first(begin + "Socket closed", false).what_to_do, HasSubstr("TLS"));
}

TEST(Outcome, CallsOnlyWritesUnknown) {
  const RpcStatus status{RpcCode::kDeadlineExceeded, "Deadline Exceeded"};
  const Outcome outcome = judge(status, false, true);
  EXPECT_EQ(describe(outcome, status, "a", "/x/Txn", true).code(), Code::kTimeout);
  EXPECT_EQ(describe(outcome, status, "a", "/x/Range", false).code(), Code::kUnavailable);
  EXPECT_THAT(describe(outcome, status, "a:1", "/x/Txn", true).context(),
              HasSubstr("etcd at a:1: Txn: Deadline Exceeded; it may or may not have been done"));
}

}  // namespace
}  // namespace nacre::etcd
