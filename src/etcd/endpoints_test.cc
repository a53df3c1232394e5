#include "etcd/endpoints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "etcd/fake_channel.h"
#include "os/clock.h"

namespace nacre::etcd {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

const RpcRequest kProbe{"probe", {}, false};
const RpcRequest kGet{"get", {}};
const RpcRequest kPut{"put", {}};

class EndpointsTest : public testing::Test {
 protected:
  Endpoints endpoints(std::vector<std::string> names, bool tls = false) {
    return Endpoints(std::make_unique<FakeDialer>(etcd_), {std::move(names), tls, kProbe});
  }
  FakeEtcd etcd_;
};

TEST_F(EndpointsTest, GoesOnToTheNextWhenNothingWasDoneAndStaysThere) {
  Endpoints endpoints = this->endpoints({"a", "b", "c"});
  etcd_.answers("b", good("value"));
  EXPECT_EQ(*endpoints.call(kGet, Effect::kReads, seconds(5)), "value");
  EXPECT_THAT(etcd_.take_calls(), ElementsAre("a get", "b get"));
  EXPECT_EQ(*endpoints.call(kPut, Effect::kWrites, seconds(5)), "value");
  EXPECT_THAT(etcd_.take_calls(), ElementsAre("b put"));
}

TEST_F(EndpointsTest, ProbesBeforeTheFirstWrite) {
  Endpoints endpoints = this->endpoints({"a"});
  etcd_.answers("a", good(""));
  EXPECT_TRUE(endpoints.call(kPut, Effect::kWrites, seconds(5)).ok());
  EXPECT_TRUE(endpoints.call(kPut, Effect::kWrites, seconds(5)).ok());
  EXPECT_THAT(etcd_.take_calls(), ElementsAre("a probe", "a put", "a put"));
}

TEST_F(EndpointsTest, NeverRepeatsAWriteThatMayHaveBeenDone) {
  for (const RpcReply& reply : {broken_connection(), no_answer()}) {
    Endpoints endpoints = this->endpoints({"a", "b"});
    etcd_.answers("a", [&](const RpcRequest& r) { return r.method == "put" ? reply : good(""); });
    etcd_.answers("b", good(""));
    const auto result = endpoints.call(kPut, Effect::kWrites, seconds(5));
    EXPECT_EQ(result.code(), Code::kTimeout);
    EXPECT_THAT(result.error().context(), HasSubstr("etcd at a: put: "));
    EXPECT_THAT(result.error().context(), HasSubstr("may or may not have been done"));
    EXPECT_THAT(etcd_.take_calls(), ElementsAre("a probe", "a put"));
  }
}

TEST_F(EndpointsTest, RepeatsReadsWhateverHappened) {
  for (const RpcReply& reply : {broken_connection(), no_answer(), no_leader()}) {
    Endpoints endpoints = this->endpoints({"a", "b"});
    etcd_.answers("a", reply);
    etcd_.answers("b", good("value"));
    EXPECT_EQ(*endpoints.call(kGet, Effect::kReads, seconds(5)), "value");
  }
}

TEST_F(EndpointsTest, WritesElsewhereWhenThereIsNoLeader) {
  Endpoints endpoints = this->endpoints({"a", "b"});
  etcd_.answers("a",
                [](const RpcRequest& r) { return r.method == "put" ? no_leader() : good(""); });
  etcd_.answers("b", good("done"));
  EXPECT_EQ(*endpoints.call(kPut, Effect::kWrites, seconds(5)), "done");
}

TEST_F(EndpointsTest, WaitsForAnEndpointToComeBack) {
  Endpoints endpoints = this->endpoints({"a"});
  int calls = 0;
  etcd_.answers("a",
                [&](const RpcRequest&) { return ++calls < 4 ? refused_connection() : good("up"); });
  EXPECT_EQ(*endpoints.call(kGet, Effect::kReads, seconds(5)), "up");
}

TEST_F(EndpointsTest, GivesUpAtTheDeadlineAndSaysWhichWereTried) {
  Endpoints endpoints = this->endpoints({"a", "b"});
  const int64_t began_ns = os::real_clock().monotonic_ns();
  const auto result = endpoints.call(kPut, Effect::kWrites, milliseconds(100));
  EXPECT_LT(os::real_clock().monotonic_ns() - began_ns, 5'000'000'000);
  EXPECT_EQ(result.code(), Code::kUnavailable);
  EXPECT_THAT(result.error().context(), HasSubstr("all of a, b were tried"));
  EXPECT_THAT(result.error().context(), HasSubstr("check that etcd runs there"));
}

TEST_F(EndpointsTest, StopsEarlyWhereOnlyTheCallerCanHelp) {
  Endpoints endpoints = this->endpoints({"a", "b"});
  const std::string compacted = "etcdserver: mvcc: required revision has been compacted";
  etcd_.answers("a", RpcReply{{RpcCode::kOutOfRange, compacted}});
  EXPECT_EQ(endpoints.call(kGet, Effect::kReads, seconds(5)).code(), Code::kBelowFloor);
  EXPECT_THAT(etcd_.take_calls(), ElementsAre("a get"));
}

TEST_F(EndpointsTest, TakesAConnectionClosedBeforeAnyAnswerForARefusedCertificate) {
  Endpoints endpoints = this->endpoints({"a", "b"}, true);
  etcd_.answers("a", broken_connection());
  etcd_.answers("b", broken_connection());
  const auto result = endpoints.call(kPut, Effect::kWrites, seconds(60));
  EXPECT_EQ(result.code(), Code::kAccess);
  EXPECT_THAT(result.error().context(), HasSubstr("certificates"));
  EXPECT_THAT(etcd_.take_calls(), Each(HasSubstr(" probe")));
}

TEST_F(EndpointsTest, CanBeReplacedAndKeepsTheGoodOne) {
  Endpoints endpoints = this->endpoints({"a", "b"});
  etcd_.answers("b", good(""));
  etcd_.answers("c", good(""));
  EXPECT_TRUE(endpoints.call(kGet, Effect::kReads, seconds(5)).ok());
  endpoints.set({"c", "b"});
  EXPECT_THAT(endpoints.names(), ElementsAre("c", "b"));
  etcd_.take_calls();
  EXPECT_TRUE(endpoints.call(kGet, Effect::kReads, seconds(5)).ok());
  EXPECT_THAT(etcd_.take_calls(), ElementsAre("b get"));
  endpoints.set({"c"});
  EXPECT_TRUE(endpoints.call(kGet, Effect::kReads, seconds(5)).ok());
  EXPECT_THAT(etcd_.take_calls(), ElementsAre("c get"));
}

TEST_F(EndpointsTest, TakesAnotherFirstWhenToldToAvoidOne) {
  Endpoints endpoints = this->endpoints({"a", "b"});
  etcd_.answers("a", good(""));
  etcd_.answers("b", good(""));
  endpoints.avoid("b");  // is not first anyway
  EXPECT_TRUE(endpoints.call(kGet, Effect::kReads, seconds(5)).ok());
  endpoints.avoid("a");
  EXPECT_TRUE(endpoints.call(kGet, Effect::kReads, seconds(5)).ok());
  EXPECT_THAT(etcd_.take_calls(), ElementsAre("a get", "b get"));
}

TEST_F(EndpointsTest, CallsOneEndpointAloneOnce) {
  Endpoints endpoints = this->endpoints({"a"});
  etcd_.answers("a", good(""));
  EXPECT_EQ(endpoints.call_at("z", kGet, Effect::kReads, seconds(5)).code(), Code::kUnavailable);
  EXPECT_THAT(etcd_.take_calls(), ElementsAre("z get"));
}

}  // namespace
}  // namespace nacre::etcd
