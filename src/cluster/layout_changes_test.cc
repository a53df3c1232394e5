#include "cluster/layout_changes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "cluster/founding.h"
#include "cluster/ids.h"
#include "os/temp_directory.h"

namespace nacre::cluster {
namespace {

// So many nodes with one device each, and a pool.
ClusterState state_of(unsigned nodes, codec::ErasureCode code) {
  ClusterState state;
  state.map.cluster = {9, 9};
  state.map.epoch = 1;
  for (unsigned i = 1; i <= nodes; ++i) {
    EXPECT_TRUE(put_node(state, {.id = {1, i}, .name = "n", .addresses = {"a:1"}}).ok());
    EXPECT_TRUE(add_device(state, {2, i}, {1, i}, 1 << 30).ok());
  }
  EXPECT_TRUE(ensure_pool(state, code).ok());
  return state;
}

uint64_t groups_of(const ClusterState& state, wire::DeviceNumber device) {
  uint64_t sum = 0;
  const wire::PgTable& table = state.tables.at(1);
  for (uint32_t pg = 0; pg < table.size(); ++pg) {
    sum += static_cast<uint64_t>(std::ranges::count(table.devices(pg), device));
  }
  return sum;
}

TEST(LayoutChanges, APoolIsMadeOnce) {
  ClusterState state = state_of(6, {4, 2});
  EXPECT_TRUE(ensure_pool(state, {4, 2}).ok());
  EXPECT_EQ(state.map.pools.size(), 1u);
  EXPECT_TRUE(ensure_pool(state, {1, 2}).ok());
  EXPECT_EQ(state.map.pools.size(), 2u);
  EXPECT_EQ(state.tables.size(), 2u);
}

TEST(LayoutChanges, APoolThatHasTooFewDevicesIsRefused) {
  ClusterState state = state_of(5, {4, 1});
  EXPECT_EQ(ensure_pool(state, {4, 2}).code(), Code::kInvalid);
  EXPECT_EQ(state.map.pools.size(), 1u);
}

TEST(LayoutChanges, ANewDeviceGetsItsShareFromTheOthers) {
  ClusterState state = state_of(6, {4, 2});
  ASSERT_TRUE(put_node(state, {.id = {1, 7}, .name = "n", .addresses = {"a:1"}}).ok());
  ASSERT_TRUE(add_device(state, {2, 7}, {1, 7}, 1 << 30).ok());
  const uint64_t all = uint64_t{state.tables.at(1).size()} * 6;
  EXPECT_NEAR(static_cast<double>(groups_of(state, {7})), static_cast<double>(all) / 7, 2);
}

place::IsUp without(std::set<uint32_t> down) {
  return
      [down = std::move(down)](wire::DeviceNumber device) { return !down.contains(device.value); };
}

TEST(LayoutChanges, ANodeThatIsOutCountsAsGoneUntilItIsBack) {
  ClusterState state = state_of(7, {4, 2});
  const uint64_t before = groups_of(state, {3});
  EXPECT_TRUE(can_do_without(state, {1, 3}, without({3})));
  ASSERT_TRUE(set_node_out(state, {1, 3}, true).ok());
  ASSERT_TRUE(forget_empty_devices(state).ok());
  EXPECT_EQ(groups_of(state, {3}), 0u);
  ASSERT_NE(state.map.find_device({3}), nullptr);
  EXPECT_EQ(wire::fault_of(state.map), "");
  ASSERT_TRUE(set_node_out(state, {1, 3}, false).ok());
  EXPECT_NEAR(static_cast<double>(groups_of(state, {3})), static_cast<double>(before), 2);
}

TEST(LayoutChanges, WhatCannotBeMadeElsewhereIsNotGivenUp) {
  // Nobody else could take its fragments.
  EXPECT_FALSE(can_do_without(state_of(6, {4, 2}), {1, 3}, without({3})));
  // Three more are away, and their fragments may be all that is left of some blocks.
  EXPECT_TRUE(can_do_without(state_of(10, {4, 2}), {1, 3}, without({3, 4})));
  EXPECT_FALSE(can_do_without(state_of(10, {4, 2}), {1, 3}, without({3, 4, 5})));
  // Half of the nodes cannot tell that they are not the ones cut off.
  EXPECT_FALSE(can_do_without(state_of(4, {1, 1}), {1, 3}, without({3, 4})));
}

TEST(LayoutChanges, ANodeWithoutDevicesCanBeForgotten) {
  ClusterState state = state_of(6, {4, 2});
  EXPECT_EQ(forget_node(state, {1, 3}).code(), Code::kBusy);
  EXPECT_EQ(forget_node(state, {1, 9}).code(), Code::kNotFound);
  ASSERT_TRUE(put_node(state, {.id = {1, 9}, .name = "n", .addresses = {"a:1"}}).ok());
  EXPECT_TRUE(forget_node(state, {1, 9}).ok());
  EXPECT_EQ(state.map.nodes.size(), 6u);
}

TEST(LayoutChanges, ADeviceOfAnotherNodeIsRefused) {
  ClusterState state = state_of(6, {4, 2});
  EXPECT_EQ(add_device(state, {2, 1}, {1, 2}, 1).code(), Code::kExists);
  EXPECT_EQ(set_device_state(state, {2, 9}, wire::DeviceState::kLeaving).code(), Code::kNotFound);
}

TEST(LayoutChanges, ADeviceThatLeavesIsForgottenWhenAllHasMoved) {
  ClusterState state = state_of(7, {4, 2});
  ASSERT_TRUE(set_device_state(state, {2, 3}, wire::DeviceState::kLeaving).ok());
  EXPECT_EQ(groups_of(state, {3}), 0u);
  ASSERT_TRUE(forget_empty_devices(state).ok());
  EXPECT_EQ(state.map.devices.size(), 7u);  // its data is still there
  const wire::PgTable table = state.tables.at(1);
  for (uint32_t pg = 0; pg < table.size(); ++pg) {
    for (unsigned i = 0; i < 6; ++i) {
      if (table.sources(pg)[i] == wire::kNoDevice) continue;
      ASSERT_TRUE(finish_move(state, 1, pg, i, table.devices(pg)[i]).ok());
    }
  }
  ASSERT_TRUE(forget_empty_devices(state).ok());
  EXPECT_EQ(state.map.devices.size(), 6u);
}

TEST(LayoutChanges, AMoveThatWentElsewhereIsNotFinished) {
  ClusterState state = state_of(7, {4, 2});
  ASSERT_TRUE(set_device_state(state, {2, 3}, wire::DeviceState::kLeaving).ok());
  const ClusterState before = state;
  const wire::PgTable& table = before.tables.at(1);
  for (uint32_t pg = 0; pg < table.size(); ++pg) {
    ASSERT_TRUE(finish_move(state, 1, pg, 0, {999}).ok());
  }
  EXPECT_EQ(state.tables, before.tables);
}

TEST(Ids, AreOfThirtyTwoHexadecimalDigits) {
  EXPECT_EQ(*parse_id<BlockId>("0123456789abcdef00000000000000ff"),
            (BlockId{0x0123456789abcdef, 0xff}));
  for (const char* bad :
       {"", "1", "0123456789abcdef0000000000000fg", "00000000000000000000000000000000",
        "+123456789abcdef00000000000000ff", "0123456789abcdef00000000000000ff0"}) {
    EXPECT_EQ(parse_id<BlockId>(bad).code(), Code::kInvalid) << bad;
  }
}

TEST(NodeFiles, KeepWhatANodeIs) {
  const os::TempDirectory temp;
  NodeFiles files(os::real_file_system(), temp / "node");
  const auto lock = files.lock();
  ASSERT_TRUE(lock.ok());
  EXPECT_EQ(NodeFiles(os::real_file_system(), temp / "node").lock().code(), Code::kBusy);
  EXPECT_FALSE(*files.config());
  const NodeConfig config{.node = {1, 2},
                          .cluster = {3, 4},
                          .name = "n",
                          .listen = "127.0.0.1:1",
                          .advertise = "127.0.0.1:1",
                          .insecure = true,
                          .etcd = {"a:1"},
                          .devices = {"/dev/x"}};
  ASSERT_TRUE(files.save(config).ok());
  const auto read = files.config();
  ASSERT_TRUE(read.ok()) << read.error().to_string();
  EXPECT_EQ((*read)->node, config.node);
  EXPECT_EQ((*read)->cluster, config.cluster);
  EXPECT_EQ((*read)->devices, config.devices);
  EXPECT_TRUE((*read)->insecure);
}

TEST(NodeFiles, ThatAreDamagedAreNamed) {
  const os::TempDirectory temp;
  NodeFiles files(os::real_file_system(), temp.path());
  const auto with = [&](std::string_view text) {
    const auto file = os::real_file_system().open(temp / "node.json", os::OpenMode::kCreate);
    EXPECT_TRUE((*file)->truncate(0).ok());
    EXPECT_TRUE((*file)->write_at(0, as_bytes(text)).ok());
    return files.config();
  };
  EXPECT_EQ(with("").code(), Code::kCorrupt);
  EXPECT_EQ(with("{}").code(), Code::kCorrupt);
  EXPECT_EQ(with("{\"format\": 99}").code(), Code::kNewerFormat);
  EXPECT_NE(with("{\"node\": 5}").error().context().find("node.json"), std::string::npos);
}

TEST(Join, MessagesComeBackAsTheyWere) {
  const JoinRequest request{
      .token = "t", .request = "r", .node = {1, 2}, .name = "n", .zone = "z", .advertise = "a:1"};
  const auto asked = decode_join_request(encode(request));
  ASSERT_TRUE(asked.ok()) << asked.error().to_string();
  EXPECT_EQ(asked->node, request.node);
  EXPECT_EQ(asked->advertise, request.advertise);
  JoinGrant grant{.role = rpc::Role::kNode, .cluster = {3, 4}, .ca = "ca", .certificate = "cert"};
  grant.secrets = {.authority = {"ca", "key"}, .token_key = std::string("\0\xff\x10", 3)};
  grant.etcd = {"e:1"};
  const auto granted = decode_join_grant(encode(grant));
  ASSERT_TRUE(granted.ok()) << granted.error().to_string();
  EXPECT_EQ(granted->secrets.token_key, grant.secrets.token_key);
  EXPECT_EQ(granted->etcd, grant.etcd);
  EXPECT_EQ(decode_join_request("[]").code(), Code::kInvalid);
  EXPECT_EQ(decode_join_grant("{}").code(), Code::kInvalid);
  const JoinRequest long_name{.name = std::string(300, 'n')};
  EXPECT_EQ(decode_join_request(encode(long_name)).code(), Code::kInvalid);
}

}  // namespace
}  // namespace nacre::cluster
