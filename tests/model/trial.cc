#include "model/trial.h"

#include <fmt/format.h>

#include "model/isolated.h"
#include "model/session.h"
#include "model/shrink.h"

namespace nacre::model {

namespace {

constexpr size_t kMostPlays = 2000;
constexpr int kMostTries = 20;
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

}  // namespace

Script script_of(const Variant& variant, uint64_t seed, size_t steps) {
  return Generator(variant.profile, variant.rules, seed).generate(steps);
}

std::string play_on(Machine& machine, const Variant& variant, const Script& script) {
  // After a fault, or when there is no room, a cut waits for the next commit.
  const bool cuts_at_once =
      !variant.settings.background && !variant.profile.faults && !machine.may_be_full();
  Session session(machine, variant.rules, cuts_at_once);
  const auto failure = session.play(script);
  if (!failure) return {};
  const std::string place =
      failure->operation < script.size() ? to_string(script[failure->operation]) : "the end";
  return printable(
      fmt::format("at operation {}: {}\n{}\n", failure->operation, place, failure->text));
}

std::string play(const Variant& variant, const Script& script) {
  MemoryMachine machine(variant.settings, kMachineSeed);
  machine.slow_down(variant.put_time);
  return play_on(machine, variant, script);
}

std::string report_of(const std::string& what, const Script& script, size_t most_plays,
                      const std::function<std::string(const Script&)>& play_again) {
  const auto isolated = [&](const Script& candidate) {
    return run_isolated([&] { return play_again(candidate); });
  };
  // Where threads have a part in it, it may take some tries to see it again.
  const auto play_up_to = [&](int tries, const Script& candidate) {
    std::string wrong;
    for (int i = 0; i < tries && wrong.empty(); ++i) wrong = isolated(candidate);
    return wrong;
  };
  int tries = 1;
  std::string first = isolated(script);
  for (; tries < kMostTries && first.empty(); ++tries) first = isolated(script);
  if (first.empty()) return what + " failed once, as printed, and not again\n";
  const Script small = shrink(
      script, [&](const Script& candidate) { return !play_up_to(tries, candidate).empty(); },
      most_plays / static_cast<size_t>(tries));
  std::string last = play_up_to(tries, small);
  if (last.empty()) last = "(not every time) " + first;
  return fmt::format("{} fails: {}\nThe smallest script that fails:\n{}", what, last,
                     to_string(small));
}

std::string try_seeds(const Variant& variant, uint64_t first, uint64_t count, size_t steps) {
  const unsigned per_processor = variant.settings.background ? 4 : 1;
  const std::string what = fmt::format("seeds of variant {}", variant.name);
  const auto failed = find_failure(what, first, count, per_processor, [&](uint64_t seed) {
    return play(variant, script_of(variant, seed, steps));
  });
  if (!failed) return {};
  return report_of(fmt::format("seed {} of variant {} ({} steps)", *failed, variant.name, steps),
                   script_of(variant, *failed, steps), kMostPlays,
                   [&](const Script& script) { return play(variant, script); });
}

}  // namespace nacre::model
