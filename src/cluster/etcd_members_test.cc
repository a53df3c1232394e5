#include <gtest/gtest.h>

#include "cluster/config_store.h"
#include "cluster/etcd_coordinator.h"
#include "cluster/etcd_rows.h"
#include "os/temp_directory.h"

namespace nacre::cluster {
namespace {

TEST(Members, AreOfTheNodeTheyAreNamedAfter) {
  const auto views =
      members_by_node({{.id = {1}, .name = "a", .peer_urls = {"https://h:2"}},
                       {.id = {2}, .name = "b", .peer_urls = {"https://h:3"}, .learner = true}},
                      {{"c", {.peer = "h:2", .client = "h:9"}}});
  ASSERT_EQ(views.size(), 2u);
  EXPECT_EQ(views[0].node, "a");
  EXPECT_FALSE(views[0].learner);
  EXPECT_EQ(views[1].node, "b");
  EXPECT_TRUE(views[1].learner);
}

TEST(Members, ThatHaveNotStartedAreKnownByTheirAddress) {
  const MemberOffers offers = {{"a", {.peer = "h:1", .client = "h:8"}},
                               {"b", {.peer = "[::1]:2", .client = "[::1]:9"}}};
  const auto views = members_by_node({{.id = {1}, .peer_urls = {"http://[::1]:2"}},
                                      {.id = {2}, .peer_urls = {"https://h:7"}},
                                      {.id = {3}}},
                                     offers);
  ASSERT_EQ(views.size(), 3u);
  EXPECT_EQ(views[0].node, "b");
  // Of nobody who offers: they are removed again.
  EXPECT_EQ(views[1].node, "");
  EXPECT_EQ(views[2].node, "");
}

TEST(MemberOffers, ComeBackAsTheyWere) {
  const MemberOffer offer{.peer = "10.0.0.1:7001", .client = "node.example:7002"};
  EXPECT_EQ(*decode_member_offer(encode(offer)), offer);
}

TEST(MemberOffers, ThatMakeNoSenseAreRefused) {
  for (const char* const text : {"", "[]", "{}", R"({"peer":"h:1"})", R"({"peer":1,"client":2})",
                                 R"({"peer":"h","client":"h:1"})"}) {
    EXPECT_EQ(decode_member_offer(text).code(), Code::kInvalid) << text;
  }
}

class ConfigStoreTest : public testing::Test {
 protected:
  os::TempDirectory directory_;
  NodeFiles files_{os::real_file_system(), directory_.path()};
  ConfigStore store_{files_, {.node = {1, 2}, .cluster = {3, 4}, .name = "n"}};
};

TEST_F(ConfigStoreTest, KeepsWhatEachHasChanged) {
  ASSERT_TRUE(store_.change([](NodeConfig& config) { config.devices = {"/d"}; }).ok());
  ASSERT_TRUE(store_.change([](NodeConfig& config) { config.etcd = {"h:1", "h:2"}; }).ok());
  EXPECT_EQ(store_.get().devices, std::vector<std::string>{"/d"});
  EXPECT_EQ(**files_.config(), store_.get());
}

TEST_F(ConfigStoreTest, WritesNothingWhereNothingChanges) {
  ASSERT_TRUE(store_.change([](NodeConfig&) {}).ok());
  EXPECT_FALSE(files_.config()->has_value());
}

TEST_F(ConfigStoreTest, KeepsTheOldWhenTheNewCannotBeSaved) {
  NodeFiles nowhere(os::real_file_system(), "/dev/null");
  ConfigStore store(nowhere, {.name = "old"});
  EXPECT_FALSE(store.change([](NodeConfig& config) { config.name = "new"; }).ok());
  EXPECT_EQ(store.get().name, "old");
}

TEST_F(ConfigStoreTest, WipesWhatAMemberHasLeft) {
  ASSERT_TRUE(files_.wipe("etcd").ok());  // there is nothing
  const std::string below = files_.path("etcd") + "/member";
  ASSERT_TRUE(os::real_file_system().create_directories(below).ok());
  ASSERT_TRUE(os::real_file_system().open(below + "/wal", os::OpenMode::kCreate).ok());
  ASSERT_TRUE(files_.wipe("etcd").ok());
  EXPECT_EQ(*os::real_file_system().kind(files_.path("etcd")), os::PathKind::kMissing);
}

}  // namespace
}  // namespace nacre::cluster
