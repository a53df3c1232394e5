#include "cli/cluster_words.h"

#include <fmt/format.h>

#include <cstdlib>

namespace nacre::cli {

void add_words(CLI::App& command, const char* names, std::vector<std::string>& given) {
  command
      .add_option(names, given,
                  "CLUSTER is nacre://HOST:PORT[,HOST:PORT...]; NACRE_CLUSTER if left out")
      ->required();
}

Result<Words> words_of(const std::vector<std::string>& given, size_t least, size_t most,
                       const char* usage) {
  Words words{.rest = given};
  if (!words.rest.empty() && words.rest.front().contains("://")) {
    words.cluster = words.rest.front();
    words.rest.erase(words.rest.begin());
  } else if (const char* const set = std::getenv("NACRE_CLUSTER")) {
    words.cluster = set;
  } else {
    return Error(Code::kInvalid,
                 "no cluster is given: name it first, as nacre://HOST:PORT, or "
                 "set NACRE_CLUSTER");
  }
  if (words.rest.size() < least || words.rest.size() > most) {
    return Error(Code::kInvalid, fmt::format("give {}", usage));
  }
  return words;
}

}  // namespace nacre::cli
