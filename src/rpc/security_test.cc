#include <gmock/gmock.h>

#include "rpc/join_token.h"
#include "rpc/rig.h"

namespace nacre::rpc {
namespace {

using testing::HasSubstr;

constexpr wire::ClusterId kCluster{1, 2};
constexpr wire::ClusterId kOther{3, 4};
constexpr Timestamp kNow{1'700'000'000'000'000'000};

Authority authority() { return make_authority("nacre cluster").take(); }

Result<Reply> call(const Rig& rig, const Security& security, uint16_t method = kEcho) {
  Client client(os::real_clock(), rig.address(), security);
  return client.call({.method = method, .deadline_ns = in_ms(20'000)});
}

TEST(Certificate, SaysWhoItIsOf) {
  const Authority ca = authority();
  const auto node = issue(ca, {.role = Role::kNode, .name = "n1", .hosts = {"10.0.0.1", "a.b"}});
  ASSERT_TRUE(node.ok()) << node.error().to_string();
  EXPECT_EQ(subject_of(node->certificate)->role, Role::kNode);
  EXPECT_EQ(subject_of(node->certificate)->name, "n1");
  EXPECT_EQ(subject_of(ca.certificate).code(), Code::kCorrupt);
  EXPECT_EQ(subject_of("no PEM").code(), Code::kCorrupt);
}

TEST(Certificate, IsSignedForAKeyThatStaysElsewhere) {
  const Authority ca = authority();
  const SigningRequest request = make_request().take();
  const auto signed_one = sign(ca, request.request, {.role = Role::kClient, .name = "c"});
  ASSERT_TRUE(signed_one.ok());
  EXPECT_TRUE(TlsContext::make({ca.certificate, *signed_one, request.key}).ok());
  EXPECT_EQ(TlsContext::make({ca.certificate, *signed_one, make_request()->key}).code(),
            Code::kInvalid);
  EXPECT_EQ(sign(ca, "no request", {.name = "c"}).code(), Code::kInvalid);
}

TEST(Certificate, TakesNoHostThatIsNone) {
  EXPECT_EQ(issue(authority(), {.name = "n", .hosts = {"a,email:x"}}).code(), Code::kInvalid);
}

TEST(JoinToken, OpensUntilItExpires) {
  const std::string key = make_token_key();
  const std::string ca(32, 'f');
  const std::string token = seal_token({kCluster, Role::kNode, kNow, ca}, key);
  const auto opened = open_token(token, key, kCluster, kNow);
  ASSERT_TRUE(opened.ok()) << opened.error().to_string();
  EXPECT_EQ(opened->role, Role::kNode);
  EXPECT_EQ(opened->ca_fingerprint, ca);
  const auto late = open_token(token, key, kCluster, {kNow.ns + 1'000'000'000});
  EXPECT_EQ(late.code(), Code::kAccess);
  EXPECT_THAT(late.error().context(), HasSubstr("expired"));
}

TEST(JoinToken, OfAnotherClusterOrChangedIsRefused) {
  const std::string key = make_token_key();
  const std::string token = seal_token({kCluster, Role::kClient, kNow, std::string(32, 'f')}, key);
  EXPECT_THAT(open_token(token, key, kOther, kNow).error().context(), HasSubstr("another cluster"));
  EXPECT_EQ(open_token(token, make_token_key(), kCluster, kNow).code(), Code::kAccess);
  for (size_t at = 7; at < token.size(); ++at) {
    std::string bad = token;
    bad[at] = bad[at] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(open_token(bad, key, kCluster, kNow).ok()) << at;
  }
  for (const char* none : {"", "nacre1.", "hello", "nacre1.####"}) {
    EXPECT_EQ(read_token(none).code(), Code::kInvalid);
  }
}

TEST(Tls, NodesAndClientsOfTheClusterAreServed) {
  const Authority ca = authority();
  const Rig rig(security_of(ca, Role::kNode, kCluster));
  EXPECT_TRUE(call(rig, security_of(ca, Role::kNode, kCluster)).ok());
  EXPECT_TRUE(call(rig, security_of(ca, Role::kClient)).ok());
}

TEST(Tls, ACertificateOfAnotherAuthorityIsRefusedOnEitherSide) {
  const Authority ours = authority();
  const Authority theirs = authority();
  const Rig rig(security_of(ours, Role::kNode));
  const auto foreign = call(rig, security_of(theirs, Role::kNode));
  EXPECT_EQ(foreign.code(), Code::kAccess) << foreign.error().to_string();
  // One that takes the server for right, but shows a certificate of another authority.
  const Credentials stolen = issue(theirs, {.role = Role::kNode, .name = "n"}).take();
  const auto mixed = TlsContext::make({ours.certificate, stolen.certificate, stolen.key});
  ASSERT_TRUE(mixed.ok());
  const auto refused = call(rig, {.tls = *mixed});
  EXPECT_EQ(refused.code(), Code::kAccess) << refused.error().to_string();
}

TEST(Tls, AGuestMayOnlyJoinAndOnlyTheClusterOfItsToken) {
  const Authority ca = authority();
  const Rig rig(security_of(ca, Role::kNode));
  const auto guest = TlsContext::make_guest(fingerprint(ca.certificate).take()).take();
  EXPECT_TRUE(call(rig, {.tls = guest}, kJoin).ok());
  EXPECT_EQ(call(rig, {.tls = guest}, kEcho).code(), Code::kAccess);
  const auto lost = TlsContext::make_guest(std::string(32, 'x')).take();
  EXPECT_EQ(call(rig, {.tls = lost}, kJoin).code(), Code::kAccess);
}

TEST(Tls, AClientDoesNotTakeAClientForANode) {
  const Authority ca = authority();
  const Rig imposter(security_of(ca, Role::kClient));
  EXPECT_EQ(call(imposter, security_of(ca, Role::kClient)).code(), Code::kAccess);
}

TEST(Tls, IsNeitherDroppedNorForcedUpon) {
  const Authority ca = authority();
  const Rig secure(security_of(ca, Role::kNode));
  const auto bare = call(secure, {});
  EXPECT_EQ(bare.code(), Code::kUnsupported);
  EXPECT_THAT(bare.error().context(), HasSubstr("leave --insecure out"));
  const Rig insecure;
  EXPECT_EQ(call(insecure, security_of(ca, Role::kNode)).code(), Code::kUnsupported);
}

TEST(Greeting, OfAnotherClusterIsRefusedByName) {
  const Rig rig({.cluster = kCluster});
  const auto refused = call(rig, {.cluster = kOther});
  EXPECT_EQ(refused.code(), Code::kInvalid);
  EXPECT_THAT(refused.error().context(), HasSubstr(to_hex(kOther)));
}

TEST(Greeting, TellsTheClusterBeforeAnythingElse) {
  const Rig rig(security_of(authority(), Role::kNode, kCluster));
  const auto stream = os::connect_tcp(rig.address(), 5'000'000'000).take();
  EXPECT_EQ(ask_greeting(*stream, true)->cluster, kCluster);
}

}  // namespace
}  // namespace nacre::rpc
