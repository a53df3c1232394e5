// The secret of a sealed bucket, asked of the user or read from where he says.
#pragma once

#include <string>

#include "base/result.h"
#include "node/volume_key.h"

namespace nacre::cli {

enum class Ask { kOnce, kTwice };

// With `passphrase`: the variable NACRE_PASSPHRASE, or what is typed on the terminal, which does
// not show it; a new one is asked for twice. Else the content of `key_file`, if that is named.
// kInvalid when there is neither a variable nor a terminal, or two passphrases differ.
Result<node::BucketSecret> read_secret(bool passphrase, const std::string& key_file, Ask ask);

}  // namespace nacre::cli
