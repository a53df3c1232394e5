// Where the namespace reads its rows: the present (row_table.h) or a past moment (past_rows.h).
// Keys are those of the live family.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "kv/store.h"

namespace nacre::meta {

class RowSource {
 public:
  virtual ~RowSource() = default;
  // The row's value; none if there is no such row.
  virtual Result<std::optional<std::string>> get(std::string_view key) const = 0;
  // Calls `visit` for each row of the range, ascending, until it returns false.
  using Visitor = std::function<bool(std::string_view key, std::string_view value)>;
  virtual Status scan(const kv::Range& range, const Visitor& visit) const = 0;
};

}  // namespace nacre::meta
