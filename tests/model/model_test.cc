// Random scripts against the oracle. By itself it tries NACRE_SEEDS of them. For more:
//   model_test --seed N [--seeds N] [--steps N] [--variant NAME]
//   model_test --script FILE [--variant NAME]
#include <gtest/gtest.h>

#include <fstream>
#include <iostream>
#include <iterator>

#include "model/command_line.h"
#include "model/trial.h"

namespace nacre::model {
namespace {

constexpr size_t kSteps = 300;

class ModelTest : public testing::TestWithParam<std::string_view> {};

TEST_P(ModelTest, RandomOperationsDoWhatTheOracleSays) {
  const uint64_t seeds = seeds_wanted() / variants().size() + 1;
  EXPECT_EQ(try_seeds(*find_variant(GetParam()), 1, seeds, kSteps), "");
}

std::vector<std::string_view> names() {
  std::vector<std::string_view> all;
  for (const Variant& variant : variants()) all.push_back(variant.name);
  return all;
}

INSTANTIATE_TEST_SUITE_P(Variants, ModelTest, testing::ValuesIn(names()),
                         [](const auto& variant) { return std::string(variant.param); });

int play_file(const std::string& path, const Variant& variant) {
  std::ifstream in(path);
  const auto script = parse_script(std::string(std::istreambuf_iterator<char>(in), {}));
  if (!script.ok()) {
    std::cerr << script.error().to_string() << "\n";
    return 2;
  }
  const std::string wrong = play(variant, *script);
  std::cout << (wrong.empty() ? "all is well\n" : wrong);
  return wrong.empty() ? 0 : 1;
}

int run_by_hand(const CommandLine& options) {
  const std::string name = options.text("--variant");
  if (!name.empty() && find_variant(name) == nullptr) {
    std::cerr << "there is no variant " << name << "\n";
    return 2;
  }
  if (const std::string file = options.text("--script"); !file.empty()) {
    return play_file(file, *find_variant(name.empty() ? "blocks" : name));
  }
  for (const Variant& variant : variants()) {
    if (!name.empty() && name != variant.name) continue;
    const std::string report =
        try_seeds(variant, options.number("--seed", 1), options.number("--seeds", 1),
                  options.number("--steps", kSteps));
    if (report.empty()) continue;
    std::cout << report;
    return 1;
  }
  std::cout << "all is well\n";
  return 0;
}

}  // namespace
}  // namespace nacre::model

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const nacre::model::CommandLine options(argc, argv);
  return options.empty() ? RUN_ALL_TESTS() : nacre::model::run_by_hand(options);
}
