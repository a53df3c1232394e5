// Ids as people type them.
#pragma once

#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "os/random.h"

namespace nacre::cluster {

// 32 hexadecimal digits. kInvalid for anything else, and for zero.
Result<Id128<struct AnyTag>> parse_hex_id(std::string_view text);

template <class Id>
Result<Id> parse_id(std::string_view text) {
  const auto id = TRY(parse_hex_id(text));
  return Id{id.high, id.low};
}

// Of random bits; never zero.
template <class Id>
Id make_id(os::Random& random) {
  return Id{random.next() | 1, random.next()};
}

}  // namespace nacre::cluster
