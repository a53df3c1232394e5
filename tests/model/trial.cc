#include "model/trial.h"

#include <fmt/format.h>

#include "model/isolated.h"
#include "model/session.h"
#include "model/shrink.h"

namespace nacre::model {

namespace {

constexpr size_t kShrinkRuns = 2000;
constexpr uint64_t kMachineSeed = 7;

// Names may hold any byte; a report holds only those that can be printed.
std::string printable(const std::string& text) {
  std::string shown;
  for (const char c : text) {
    if (c == '\n' || (c >= ' ' && c < 0x7F)) {
      shown.push_back(c);
    } else {
      shown += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return shown;
}

std::string play_here(const Variant& variant, const Script& script) {
  MemoryMachine machine(variant.settings, kMachineSeed);
  // After a fault, a cut waits for the next commit.
  const bool cuts_at_once = !variant.settings.background && !variant.profile.faults;
  Session session(machine, variant.rules, cuts_at_once);
  const auto failure = session.play(script);
  if (!failure) return {};
  const std::string place =
      failure->operation < script.size() ? to_string(script[failure->operation]) : "the end";
  return printable(
      fmt::format("at operation {}: {}\n{}\n", failure->operation, place, failure->text));
}

}  // namespace

Script script_of(const Variant& variant, uint64_t seed, size_t steps) {
  return Generator(variant.profile, variant.rules, seed).generate(steps);
}

std::string play(const Variant& variant, const Script& script) {
  return run_isolated([&] { return play_here(variant, script); });
}

std::string try_seed(const Variant& variant, uint64_t seed, size_t steps) {
  const Script script = script_of(variant, seed, steps);
  const std::string first = play(variant, script);
  if (first.empty()) return {};
  const Script small = shrink(
      script, [&](const Script& candidate) { return !play(variant, candidate).empty(); },
      kShrinkRuns);
  std::string last = play(variant, small);
  if (last.empty()) last = "(not every time) " + first;
  return fmt::format(
      "seed {} of variant {} fails ({} steps):\n{}\nThe smallest script that fails:\n{}", seed,
      variant.name, steps, last, to_string(small));
}

}  // namespace nacre::model
