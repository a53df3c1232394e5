// Which nodes run etcd members: the next step towards one, three or five voters, as nodes join, go
// and come back. A pure function: whoever calls it does the step, looks again, and asks again.
//
// What it promises, given a true picture:
//   - It never lowers how many failures the members survive (those on nodes that left do not
//   count), and
//     acts only while a majority is healthy.
//   - One change at a time: at most one member is a learner, and nothing else changes while one is.
//   - A new member first learns, then votes.
//   - An even number of voters is a passage: it goes on to the next odd one if there is a node for
//   it,
//     and else back. Growth begins only when there are nodes for both steps.
//   - A member is replaced when its node has been gone, or unable to run it, for longer than the
//   grace
//     time. The dead one is removed first: etcd refuses to add members while one is dead. It is
//     kept when there is no node to replace it, unless an odd number of at least three remains
//     without it. A node that leaves while all are well is replaced first, if there is another.
//   - It comes to rest once nodes do.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "etcd/types.h"

namespace nacre::etcd {

// A node of the cluster, as the others see it.
struct NodeView {
  std::string id;
  bool alive = false;
  bool able = true;      // could run a member: has the program, room and a steady address
  int64_t since_ns = 0;  // when `alive` or `able` last changed
};

// A member of etcd, as etcd lists it.
struct MemberView {
  MemberId id;
  std::string node;
  bool learner = false;
  // Its endpoint answers and knows a leader; of a learner: it has started and answers.
  bool healthy = false;
};

struct MembershipRules {
  int64_t grace_ns = 300'000'000'000;  // how long a node may be gone until it is replaced
  int64_t settle_ns = 10'000'000'000;  // how long a node must be there until it is counted on
  size_t voters_max = 5;               // odd
};

struct MembershipStep {
  enum class Kind {
    kNothing,
    kAddLearner,  // on `node`; it is to start its member then, as one that joins
    kPromote,     // the learner `member`; etcd refuses with kBusy while it lags behind: ask again
                  // later
    kRemove,      // `member`; its node, if there, is to stop it and drop its data
  };
  Kind kind = Kind::kNothing;
  std::string node = {};
  MemberId member = {};
  std::string why = {};  // for the log and for status
};

// Nodes and members in any order. A member whose node is not among `nodes` belongs to one that
// left.
MembershipStep next_step(const std::vector<NodeView>& nodes, const std::vector<MemberView>& members,
                         int64_t now_ns, const MembershipRules& rules = {});

}  // namespace nacre::etcd
