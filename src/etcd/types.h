// What etcd's key-value store speaks of: rows, revisions, conditional transactions. Plain values.
//
// A revision numbers the states of the whole store: every transaction that changes something makes
// the next one. A row carries the revision that created it, the one that last changed it, and its
// version: 1 at creation, one more with each put, 0 for a row that does not exist.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/ids.h"

namespace nacre::etcd {

using Revision = Id64<struct RevisionTag>;  // 0: none
using LeaseId = Id64<struct LeaseTag>;      // 0: none
using MemberId = Id64<struct MemberTag>;

struct Row {
  std::string key;
  std::string value = {};
  Revision created = {};
  Revision modified = {};
  uint64_t version = 0;
  LeaseId lease = {};
};

// Keys from `lower` on and below `upper`; as in etcd, `lower` alone if `upper` is empty, and
// without a bound if it is one zero byte.
struct KeyRange {
  std::string lower;
  std::string upper = {};
  // All keys that begin with `prefix`; all there are if it is empty.
  static KeyRange prefix(std::string_view prefix);
};

enum class Relation { kEqual, kLess, kGreater };

// A condition on one row. Those of a transaction must all hold.
struct Compare {
  enum class Target { kVersion, kCreated, kModified, kValue };
  std::string key;
  Target target = Target::kVersion;
  Relation relation = Relation::kEqual;
  uint64_t number = 0;     // for all targets but the value
  std::string value = {};  // for the value
};

Compare absent(std::string key);
Compare present(std::string key);
Compare version_is(std::string key, Relation relation, uint64_t version);
Compare created_is(std::string key, Relation relation, Revision revision);
// With revision 0 and kEqual it holds for rows that do not exist.
Compare modified_is(std::string key, Relation relation, Revision revision);
// Never holds for rows that do not exist.
Compare value_is(std::string key, Relation relation, std::string value);

struct Put {
  std::string key;
  std::string value = {};
  LeaseId lease = {};  // the row goes when this lease does
};
struct Erase {
  KeyRange range;
};
struct Get {
  KeyRange range;
  uint64_t rows_max = 0;  // 0: all
};
using Op = std::variant<Put, Erase, Get>;

// `then` is done if all comparisons hold, else `otherwise`; all or nothing, at one revision. A key
// may be put only once. etcd takes up to 128 operations and 1.5 MiB.
struct Txn {
  std::vector<Compare> compares = {};
  std::vector<Op> then = {};
  std::vector<Op> otherwise = {};
};

// Of one operation: rows of a Get, count of an Erase.
struct OpResult {
  std::vector<Row> rows = {};
  bool more = false;  // the range has rows beyond rows_max
  uint64_t erased = 0;
};
struct TxnResult {
  bool succeeded = false;  // the comparisons held
  Revision revision = {};  // of the store afterwards; of this change, if it changed anything
  std::vector<OpResult> results = {};  // of what was done, in order
};

struct Page {
  Revision revision = {};  // all rows are as of this one
  std::vector<Row> rows = {};
  bool more = false;
};

struct Event {
  enum class Kind { kPut, kErase };
  Kind kind = Kind::kPut;
  Row row;  // of an erased row only the key, and the revision of its end as `modified`
};

}  // namespace nacre::etcd
