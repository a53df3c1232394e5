#include "etcd/member_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nacre::etcd {
namespace {

using testing::Contains;
using testing::HasSubstr;

MemberOptions options() {
  return {.cluster = "c",
          .name = "m1",
          .data_dir = "/data",
          .client_address = "127.0.0.1:1",
          .peer_address = "127.0.0.1:2",
          .peer_advertised = "host:2",
          .initial_cluster = {{"m0", "other:2"}, {"m1", "host:2"}},
          .joins = true,
          .log_path = "/log"};
}

Error explained(const std::string& log) { return explain_exit(options(), log, {256}); }

TEST(MemberCommand, ListensOnlyWhereItIsToldAndAdvertisesWhereItIsFound) {
  const auto arguments = member_process(options()).arguments;
  EXPECT_THAT(arguments, Contains("--listen-client-urls=http://127.0.0.1:1"));
  EXPECT_THAT(arguments, Contains("--advertise-client-urls=http://127.0.0.1:1"));
  EXPECT_THAT(arguments, Contains("--listen-peer-urls=http://127.0.0.1:2"));
  EXPECT_THAT(arguments, Contains("--initial-advertise-peer-urls=http://host:2"));
  EXPECT_THAT(arguments, Contains("--initial-cluster=m0=http://other:2,m1=http://host:2"));
  EXPECT_THAT(arguments, Contains("--initial-cluster-state=existing"));
}

TEST(MemberCommand, JoinsThoseThatEtcdLists) {
  const auto peers = peers_to_join({{.id = {1}, .name = "m0", .peer_urls = {"http://other:2"}},
                                    {.id = {2}, .peer_urls = {"http://host:2"}}},
                                   options());
  ASSERT_EQ(peers.size(), 2u);
  EXPECT_EQ(peers[0].name + "=" + peers[0].address, "m0=other:2");
  EXPECT_EQ(peers[1].name + "=" + peers[1].address, "m1=host:2");
}

TEST(MemberCommand, WantsCertificatesFromClientsAndPeers) {
  MemberOptions secure = options();
  secure.tls = TlsFiles{"ca", "cert", "key"};
  const auto arguments = member_process(secure).arguments;
  EXPECT_THAT(arguments, Contains("--listen-client-urls=https://127.0.0.1:1"));
  for (const char* each : {"--client-cert-auth=true", "--peer-client-cert-auth=true",
                           "--trusted-ca-file=ca", "--peer-key-file=key", "--cert-file=cert"}) {
    EXPECT_THAT(arguments, Contains(each));
  }
}

TEST(MemberCommand, KeepsVariablesForEtcdOut) {
  EXPECT_THAT(member_process(options()).hidden_prefixes, Contains("ETCD_"));
}

TEST(MemberCommand, SaysWhyItEnded) {
  const Error port = explained(
      R"({"level":"fatal","error":"listen tcp 127.0.0.1:1: bind: address already in use"})");
  EXPECT_EQ(port.code(), Code::kBusy);
  EXPECT_THAT(port.context(), HasSubstr("m1 (exit code 1): listen tcp 127.0.0.1:1: bind"));
  EXPECT_EQ(explained("the member has been permanently removed from the cluster").code(),
            Code::kNotFound);
  EXPECT_EQ(explained("member 8e has already been bootstrapped").code(), Code::kInvalid);
  EXPECT_EQ(explained("write: no space left on device").code(), Code::kNoSpace);
  const Error other = explained("first\nlast words\n");
  EXPECT_EQ(other.code(), Code::kIo);
  EXPECT_THAT(other.context(), HasSubstr("last words: see /log"));
  const Error killed = explain_exit(options(), R"({"level":"warn","msg":"slow"})", {9});
  EXPECT_THAT(killed.context(), HasSubstr("killed by signal 9 (Killed)): it did not say why"));
}

}  // namespace
}  // namespace nacre::etcd
