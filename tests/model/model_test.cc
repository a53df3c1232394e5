// Random scripts against the oracle. By itself: a fixed number of seeds. For more:
//   model_test --seed N [--seeds N] [--steps N] [--variant NAME]
//   model_test --script FILE --variant NAME
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>

#include "model/trial.h"

namespace nacre::model {
namespace {

constexpr size_t kSteps = 400;
constexpr uint64_t kSeeds = 12;

class ModelTest : public testing::TestWithParam<std::string_view> {};

TEST_P(ModelTest, RandomOperationsDoWhatTheOracleSays) {
  const Variant& variant = *find_variant(GetParam());
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    ASSERT_EQ(try_seed(variant, seed, kSteps), "");
  }
}

std::vector<std::string_view> names() {
  std::vector<std::string_view> all;
  for (const Variant& variant : variants()) all.push_back(variant.name);
  return all;
}

INSTANTIATE_TEST_SUITE_P(Variants, ModelTest, testing::ValuesIn(names()),
                         [](const auto& variant) { return std::string(variant.param); });

int run_by_hand(const std::map<std::string, std::string>& options) {
  const auto number = [&](const std::string& name, uint64_t otherwise) {
    const auto found = options.find(name);
    return found == options.end() ? otherwise : std::stoull(found->second);
  };
  const auto chosen = options.find("--variant");
  if (const auto file = options.find("--script"); file != options.end()) {
    std::ifstream in(file->second);
    const auto script = parse_script(std::string(std::istreambuf_iterator<char>(in), {}));
    const Variant* variant = find_variant(chosen == options.end() ? "blocks" : chosen->second);
    if (!script.ok() || variant == nullptr) {
      std::cerr << (script.ok() ? "no such variant" : script.error().to_string()) << "\n";
      return 2;
    }
    const std::string wrong = play(*variant, *script);
    std::cout << (wrong.empty() ? "all is well\n" : wrong);
    return wrong.empty() ? 0 : 1;
  }
  const uint64_t first = number("--seed", 1);
  for (uint64_t seed = first; seed < first + number("--seeds", 1); ++seed) {
    for (const Variant& variant : variants()) {
      if (chosen != options.end() && chosen->second != variant.name) continue;
      const std::string report = try_seed(variant, seed, number("--steps", kSteps));
      if (report.empty()) continue;
      std::cout << report;
      return 1;
    }
  }
  std::cout << "all is well\n";
  return 0;
}

}  // namespace
}  // namespace nacre::model

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  std::map<std::string, std::string> options;
  for (int i = 1; i + 1 < argc; i += 2) options[argv[i]] = argv[i + 1];
  return options.empty() ? RUN_ALL_TESTS() : nacre::model::run_by_hand(options);
}
