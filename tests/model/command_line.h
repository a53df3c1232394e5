// "--name value" pairs of a test program run by hand, and the number of seeds when it is not.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>

namespace nacre::model {

class CommandLine {
 public:
  CommandLine(int argc, char** argv) {
    for (int i = 1; i + 1 < argc; i += 2) values_[argv[i]] = argv[i + 1];
  }
  bool empty() const { return values_.empty(); }
  std::string text(const std::string& name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? std::string() : found->second;
  }
  uint64_t number(const std::string& name, uint64_t otherwise) const {
    const auto found = values_.find(name);
    return found == values_.end() ? otherwise : std::stoull(found->second);
  }

 private:
  std::map<std::string, std::string> values_;
};

// How many seeds random suites try, all their variants together: NACRE_SEEDS, or 2000.
inline uint64_t seeds_wanted() {
  const char* const wanted = std::getenv("NACRE_SEEDS");
  return wanted == nullptr ? 2000 : std::max<uint64_t>(std::stoull(wanted), 1);
}

}  // namespace nacre::model
