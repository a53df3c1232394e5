// The namespace as of a sequence: the first past row of a key that ended after it, if it had begun
// by then; with no such past row, the live row, if it had begun by then.
//
// Each object reads one snapshot of the store, so points and scans agree. Not thread-safe; cheap to
// make.
#pragma once

#include <memory>

#include "base/ids.h"
#include "kv/store.h"
#include "meta/row_source.h"

namespace nacre::meta {

class PastRows final : public RowSource {
 public:
  PastRows(kv::Store& store, Sequence at) : store_(store), at_(at), snapshot_(store.snapshot()) {}

  Result<std::optional<std::string>> get(std::string_view key) const override;
  Status scan(const kv::Range& range, const Visitor& visit) const override;
  Sequence at() const { return at_; }

 private:
  kv::Store& store_;
  Sequence at_;
  std::unique_ptr<kv::Snapshot> snapshot_;
};

}  // namespace nacre::meta
