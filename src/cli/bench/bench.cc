#include "cli_bench/bench.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "cli_bench/caches.h"
#include "cli_bench/file.h"
#include "cli_bench/rows.h"
#include "cli_bench/workspace.h"
#include "os/clock.h"

namespace nacre::cli::bench {
namespace {

constexpr uint64_t kMaxThreads = 256;
constexpr uint64_t kMaxFiles = 10'000'000;

std::vector<Recipe> all_recipes() {
  std::vector<Recipe> recipes;
  for (const auto group :
       {name_recipes(), small_file_recipes(), large_file_recipes(), removal_recipes()}) {
    recipes.insert(recipes.end(), group.begin(), group.end());
  }
  return recipes;
}

Result<std::vector<Recipe>> chosen_recipes(const Options& options) {
  const std::vector<Recipe> all = all_recipes();
  if (options.only.empty()) return all;
  const auto is = [](const std::string& name) {
    return [&name](const Recipe& recipe) { return recipe.name == name; };
  };
  for (const std::string& name : options.only) {
    if (std::ranges::any_of(all, is(name))) continue;
    std::string known;
    for (const Recipe& recipe : all) known += std::string(" ") + recipe.name;
    return Error(Code::kInvalid, fmt::format("no row is called '{}'; there are:{}", name, known));
  }
  std::vector<Recipe> chosen;
  for (const Recipe& recipe : all) {
    const auto named = [&](const std::string& name) { return recipe.name == name; };
    if (std::ranges::any_of(options.only, named)) chosen.push_back(recipe);
  }
  return chosen;
}

Status check(const Options& options) {
  if (options.files < 1 || options.files > kMaxFiles) {
    return Error(Code::kInvalid, fmt::format("files must be 1 to {}", kMaxFiles));
  }
  if (options.threads < 1 || options.threads > kMaxThreads) {
    return Error(Code::kInvalid, fmt::format("threads must be 1 to {}", kMaxThreads));
  }
  if (options.size_bytes < kPageBytes || options.size_bytes > kTiB) {
    return Error(Code::kInvalid, "the size must be 4 KiB to 1 TiB");
  }
  return {};
}

Row unmeasured(const Recipe& recipe, const Options& options) {
  Row row;
  row.name = recipe.name;
  row.title = fmt::format(fmt::runtime(recipe.title), options.threads);
  row.unit = recipe.unit;
  row.caches = recipe.cold ? Caches::kCold : Caches::kWarm;
  row.includes = recipe.includes;
  return row;
}

void fill(Row& row, Measured measured) {
  row.count = measured.count;
  row.bytes = measured.bytes;
  row.seconds = static_cast<double>(std::max<int64_t>(measured.elapsed_ns, 1)) / 1e9;
  const bool by_bytes = row.unit == "MiB/s";
  const double amount = by_bytes ? static_cast<double>(row.bytes) / static_cast<double>(kMiB)
                                 : static_cast<double>(row.count);
  row.value = amount / row.seconds;
  if (measured.latencies_ns.empty()) return;
  row.latency = Latency{percentile_us(measured.latencies_ns, 0.50),
                        percentile_us(measured.latencies_ns, 0.99)};
}

Status run_cold_command(const std::string& command) {
  if (command.empty()) return {};
  const int status = std::system(command.c_str());
  if (status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return Error(Code::kInvalid, "the cold command failed: " + command);
}

Result<Caches> bring_caches(const Recipe& recipe, const Scene& scene, const std::string& work) {
  TRY(settle(work));
  if (!recipe.cold) return Caches::kWarm;
  TRY(run_cold_command(scene.options.cold_command));
  return drop_caches(work);
}

Result<Row> run_row(const Recipe& recipe, Scene& scene, const std::string& work,
                    const std::function<void()>& on_measuring) {
  Row row = unmeasured(recipe, scene.options);
  TRY(make_directory(scene.directory));
  TRY(recipe.prepare(scene));
  row.caches = TRY(bring_caches(recipe, scene, work));
  TRY(scene.stopwatch.go_on());
  on_measuring();
  fill(row, TRY(recipe.measure(scene)));
  return row;
}

Result<std::vector<Row>> run_rows(const std::vector<Recipe>& recipes, const std::string& work,
                                  const Options& options, const Progress& progress) {
  const Stopwatch stopwatch(os::real_clock(), options.stop);
  Noise noise(options.seed);
  std::vector<Row> rows;
  for (size_t index = 0; index < recipes.size(); ++index) {
    const Recipe& recipe = recipes[index];
    const auto tell = [&](bool measuring) {
      const std::string title = unmeasured(recipe, options).title;
      if (progress) progress(Step{title, index, recipes.size(), measuring});
    };
    Scene scene{options, stopwatch, noise, work + "/" + recipe.name, work + "/data"};
    tell(false);
    rows.push_back(TRY(run_row(recipe, scene, work, [&] { tell(true); })));
  }
  return rows;
}

}  // namespace

std::string_view name_of(Caches caches) {
  switch (caches) {
    case Caches::kWarm:
      return "warm";
    case Caches::kCold:
      return "cold";
    case Caches::kLukewarm:
      return "lukewarm";
  }
  return "unknown";
}

std::vector<Row> all_rows() {
  std::vector<Row> rows;
  for (const Recipe& recipe : all_recipes()) rows.push_back(unmeasured(recipe, Options{}));
  return rows;
}

Result<std::vector<Row>> run(const std::string& directory, const Options& options,
                             const Progress& progress) {
  TRY(check(options));
  const std::vector<Recipe> recipes = TRY(chosen_recipes(options));
  Workspace work = TRY(Workspace::create(directory));
  TRY(start_afresh(work.path()));
  std::vector<Row> rows = TRY(run_rows(recipes, work.path(), options, progress));
  TRY(work.remove());
  return rows;
}

}  // namespace nacre::cli::bench
