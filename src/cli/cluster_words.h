// The words of a command on what is in a cluster, where the first is a cluster unless NACRE_CLUSTER
// names it.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "base/result.h"

namespace nacre::cli {

struct Words {
  std::string cluster = {};
  std::vector<std::string> rest = {};
};

// `names` is how help shows them: "[CLUSTER] ID".
void add_words(CLI::App& command, const char* names, std::vector<std::string>& given);
// kInvalid without a cluster, or unless `least` to `most` words are left; it says to give `usage`.
Result<Words> words_of(const std::vector<std::string>& given, size_t least, size_t most,
                       const char* usage);

}  // namespace nacre::cli
