// The cluster that tests of its layouts write down.
#pragma once

#include "wire/cluster_layout.h"

namespace nacre::wire {

inline ClusterMap example_map() {
  return {
      .features = {.compat = 1, .ro_compat = 2, .incompat = 0},
      .cluster = {0x1011121314151617, 0x18191a1b1c1d1e1f},
      .epoch = 7,
      .next_device = {301},
      .nodes = {{.id = {1, 2}, .zone = "a", .name = "n1", .addresses = {"h:1", "[::1]:22"}},
                {.id = {1, 3}, .zone = "", .name = "n2", .addresses = {}}},
      .devices = {{.number = {1},
                   .id = {4, 5},
                   .node = {1, 3},
                   .weight_bytes = 1000,
                   .state = DeviceState::kIn},
                  {.number = {300},
                   .id = {4, 6},
                   .node = {1, 2},
                   .weight_bytes = 0,
                   .state = DeviceState::kLeaving}},
      .pools = {
          {.id = 1, .code = {4, 2}, .first_placement = 0, .span_bits = 19, .pg_count = 1024},
          {.id = 2, .code = {1, 2}, .first_placement = 1u << 19, .span_bits = 14, .pg_count = 3}}};
}

}  // namespace nacre::wire
