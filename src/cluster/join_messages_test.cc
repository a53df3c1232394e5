#include <gtest/gtest.h>

#include "cluster/founding.h"

namespace nacre::cluster {
namespace {

TEST(JoinMessages, ComeBackAsTheyWereSent) {
  const JoinRequest request{
      .token = "t", .request = "r", .node = {1, 2}, .name = "n", .zone = "z", .advertise = "h:1"};
  EXPECT_EQ(decode_join_request(encode(request)).take(), request);
  const JoinGrant grant{.role = rpc::Role::kNode,
                        .cluster = {3, 4},
                        .ca = "c",
                        .certificate = "d",
                        .secrets = {.authority = {.certificate = "c", .key = "k"},
                                    .token_key = std::string("\0\xff", 2)},
                        .etcd = {"h:2", "h:3"},
                        .runs_etcd = true};
  EXPECT_EQ(decode_join_grant(encode(grant)).take(), grant);
}

// Names are as people gave them: who joins is not to be known by another one.
TEST(JoinMessages, CarryTextsThatAreNoUtf8) {
  const JoinRequest request{.token = "t", .request = "r", .name = "caf\xe9", .zone = "\xff"};
  EXPECT_EQ(decode_join_request(encode(request)).take(), request);
}

}  // namespace
}  // namespace nacre::cluster
