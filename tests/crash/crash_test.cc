// Power cuts at random moments: the volume comes back as it was at some commit, at the last one
// acknowledged or later, and with all its past. By itself it tries NACRE_SEEDS seeds. For more:
//   crash_test --seed N [--seeds N] [--steps N] [--variant NAME]
//   crash_test --script FILE --seed N --variant NAME
#include <gtest/gtest.h>

#include <fstream>
#include <iostream>
#include <iterator>

#include "crash/crash_variants.h"
#include "model/command_line.h"

namespace nacre::crash {
namespace {

constexpr size_t kSteps = 100;

class CrashTest : public testing::TestWithParam<std::string_view> {};

TEST_P(CrashTest, AVolumeComesBackAsOfACommitThatIsNotOlderThanTheLastAcknowledged) {
  const uint64_t seeds = model::seeds_wanted() / crash_variants().size() + 1;
  EXPECT_EQ(try_crashes(*find_crash_variant(GetParam()), 1, seeds, kSteps), "");
}

std::vector<std::string_view> names() {
  std::vector<std::string_view> all;
  for (const CrashVariant& variant : crash_variants()) all.push_back(variant.model.name);
  return all;
}

INSTANTIATE_TEST_SUITE_P(Variants, CrashTest, testing::ValuesIn(names()),
                         [](const auto& variant) { return std::string(variant.param); });

int play_file(const std::string& path, const CrashVariant& variant, uint64_t seed) {
  std::ifstream in(path);
  const auto script = model::parse_script(std::string(std::istreambuf_iterator<char>(in), {}));
  if (!script.ok()) {
    std::cerr << script.error().to_string() << "\n";
    return 2;
  }
  const std::string wrong = play(variant, seed, *script);
  std::cout << (wrong.empty() ? "all is well\n" : wrong);
  return wrong.empty() ? 0 : 1;
}

int run_by_hand(const model::CommandLine& options) {
  const std::string name = options.text("--variant");
  if (!name.empty() && find_crash_variant(name) == nullptr) {
    std::cerr << "there is no variant " << name << "\n";
    return 2;
  }
  const uint64_t seed = options.number("--seed", 1);
  if (const std::string file = options.text("--script"); !file.empty()) {
    return play_file(file, *find_crash_variant(name.empty() ? "blocks" : name), seed);
  }
  for (const CrashVariant& variant : crash_variants()) {
    if (!name.empty() && name != variant.model.name) continue;
    const std::string report =
        try_crashes(variant, seed, options.number("--seeds", 1), options.number("--steps", kSteps));
    if (report.empty()) continue;
    std::cout << report;
    return 1;
  }
  std::cout << "all is well\n";
  return 0;
}

}  // namespace
}  // namespace nacre::crash

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const nacre::model::CommandLine options(argc, argv);
  return options.empty() ? RUN_ALL_TESTS() : nacre::crash::run_by_hand(options);
}
