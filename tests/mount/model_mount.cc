// Random scripts of the model, by system calls on a real mount.
//
//   model_mount DIR [--seed N] [--seeds N] [--steps N] [--script FILE]
//               [--nacre PROGRAM --volume DIRECTORY] [--through yes] [--crowd yes] [--evict yes]
//
// DIR is where the volume of that DIRECTORY is mounted; or any directory of another file system, on
// which scripts have no commits and no past (to check the checks). --through: it was mounted with
// -s, which makes the kernel pass writes on. --crowd: seeds run side by side, and none remounts.
// --evict: it has a bucket, and what is checked is taken off the disk before.
// Each run leaves a directory behind.
#include <fmt/format.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "model/command_line.h"
#include "model/isolated.h"
#include "model/trial.h"
#include "mount_session.h"

namespace nacre::mount_test {
namespace {

constexpr uint64_t kSteps = 200;
constexpr size_t kMostPlays = 500;

std::string play(const Setting& setting, const model::Script& script) {
  return MountSession(setting).play(script);
}

// The report of the first that fails, or nothing.
std::string try_seeds(const Setting& setting, const model::CommandLine& options) {
  const uint64_t first = options.number("--seed", 1);
  const uint64_t count = options.number("--seeds", 1);
  const uint64_t steps = options.number("--steps", kSteps);
  const auto script_of = [&](uint64_t seed) {
    return model::Generator(setting.profile, setting.rules, seed).generate(steps);
  };
  const auto body = [&](uint64_t seed) { return play(setting, script_of(seed)); };
  std::optional<uint64_t> failed;
  if (setting.alone) {
    for (uint64_t seed = first; seed < first + count && !failed; ++seed) {
      if (const std::string wrong = body(seed); !wrong.empty()) {
        fmt::print(stderr, "seed {} fails {}\n", seed, wrong);
        failed = seed;
      }
    }
  } else {
    failed = model::find_failure("seeds", first, count, 2, body);
  }
  if (!failed) return {};
  return model::report_of(fmt::format("seed {} ({} steps)", *failed, steps), script_of(*failed),
                          kMostPlays,
                          [&](const model::Script& script) { return play(setting, script); });
}

std::string play_file(const Setting& setting, const std::string& path) {
  std::ifstream in(path);
  const auto script = model::parse_script(std::string(std::istreambuf_iterator<char>(in), {}));
  return script.ok() ? play(setting, *script) : script.error().to_string() + "\n";
}

int run(const std::string& directory, const model::CommandLine& options) {
  const bool through = !options.text("--through").empty();
  std::vector<std::string> mount_words;
  if (through) mount_words.emplace_back("-s");
  MountedVolume volume(options.text("--nacre"), options.text("--volume"), directory, mount_words);
  Setting setting = setting_of(directory, options.text("--volume").empty() ? nullptr : &volume,
                               options.text("--crowd").empty(), !through);
  setting.evicts = !options.text("--evict").empty();
  const std::string file = options.text("--script");
  const std::string wrong = file.empty() ? try_seeds(setting, options) : play_file(setting, file);
  fmt::print("{}", wrong.empty() ? "all is well\n" : wrong);
  return wrong.empty() ? 0 : 1;
}

}  // namespace
}  // namespace nacre::mount_test

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: model_mount DIR [--OPTION VALUE]...\n");
    return 2;
  }
  ::umask(nacre::model::kUmask);
  return nacre::mount_test::run(argv[1], nacre::model::CommandLine(argc - 1, argv + 1));
}
