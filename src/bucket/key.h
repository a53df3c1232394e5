// What may be the key of an object. Pure functions, safe from any thread.
#pragma once

#include <string_view>

#include "base/result.h"

namespace nacre::bucket {

// kInvalid unless `key` is one, as bucket.h says.
Status check_key(std::string_view key);
// The same for the beginning of keys, which may be empty.
Status check_prefix(std::string_view prefix);

}  // namespace nacre::bucket
