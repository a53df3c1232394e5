// nacre cluster simulate
#include <fmt/format.h>
#include <unistd.h>

#include "cli/cluster_report.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/progress_bar.h"
#include "cli/terminal.h"

namespace nacre::cli {
namespace {

struct SimulateArguments {
  place::SimulatedCluster cluster;
  std::string code = "4+2";
  uint32_t copies = 0;
  std::string device_size = "8TiB";
  std::string failure_rate = "2%";
  std::string rebuild_rate = "100MiB";
  bool json = false;
};

Result<place::SimulatedCluster> cluster_of(const SimulateArguments& given) {
  place::SimulatedCluster cluster = given.cluster;
  const std::string code = given.copies == 0 ? given.code : fmt::format("{} copies", given.copies);
  cluster.code = TRY(codec::parse_code(code));
  cluster.device_bytes = TRY(parse_size(given.device_size));
  return cluster;
}

Result<std::optional<place::Durability>> durability_of(const SimulatedReport& report) {
  const place::DurabilityInput input{
      .code = report.cluster.code,
      .devices = report.simulation.steps.front().devices,
      .pg_count = report.simulation.pg_count,
      .device_bytes = static_cast<double>(report.cluster.device_bytes),
      .annual_failure_rate = report.annual_failure_rate,
      .rebuild_bytes_per_second = static_cast<double>(report.rebuild_bytes_per_second)};
  if (input.devices < input.code.n()) return std::optional<place::Durability>();
  return std::optional(TRY(place::durability_of(input)));
}

Status simulate(const SimulateArguments& given) {
  SimulatedReport report;
  report.cluster = TRY(cluster_of(given));
  report.annual_failure_rate = TRY(parse_part(given.failure_rate));
  report.rebuild_bytes_per_second = TRY(parse_size(given.rebuild_rate));
  ProgressBar bar(os::real_clock(), is_terminal(STDERR_FILENO));
  report.simulation = TRY(place::simulate(
      report.cluster, os::real_clock(), [&](size_t step, size_t steps, const std::string& name) {
        bar.show({.phase = "simulating: " + name, .done = step, .total = steps, .unit = "steps"});
      }));
  bar.clear();
  report.durability = TRY(durability_of(report));
  if (given.json) {
    print_json(json_of(report));
  } else {
    fmt::print("{}", text_of(report, shows_colours(STDOUT_FILENO)));
  }
  return {};
}

void add_simulate(CLI::App& cluster, int& exit_code) {
  CLI::App& command = *cluster.add_subcommand(
      "simulate", "Show how a cluster would be balanced, what moves and how safe data is");
  const auto given = std::make_shared<SimulateArguments>();
  command.add_option("--nodes", given->cluster.nodes, "How many")->capture_default_str();
  command.add_option("--devices-per-node", given->cluster.devices_per_node, "How many")
      ->capture_default_str();
  command.add_option("--zones", given->cluster.zones, "That the nodes are dealt out to")
      ->capture_default_str();
  CLI::Option* const code =
      command.add_option("--code", given->code, "Data and parity fragments")->capture_default_str();
  command.add_option("--copies", given->copies, "Copies instead of a code")
      ->excludes(code)
      ->check(CLI::Range(1u, codec::kMaxFragments));
  command.add_option("--device-size", given->device_size, "Of each device")->capture_default_str();
  command.add_option("--afr", given->failure_rate, "Part of the devices that fail in a year")
      ->capture_default_str();
  command.add_option("--rebuild-rate", given->rebuild_rate, "Of each device, in a second")
      ->capture_default_str();
  command
      .add_option("--seed", given->cluster.seed,
                  "Devices of different sizes, at random; 0: all alike")
      ->capture_default_str();
  command.add_flag("--json", given->json, "For scripts");
  on_command(command, exit_code, [given] { return simulate(*given); });
  command.footer(
      "Examples:\n"
      "  nacre cluster simulate --nodes 100 --devices-per-node 12 --zones 5\n"
      "  nacre cluster simulate --copies 3 --device-size 20TiB --afr 1.5%");
}

}  // namespace

void add_cluster(CLI::App& program, int& exit_code) {
  CLI::App& cluster = *program.add_subcommand("cluster", "Plan a cluster");
  cluster.require_subcommand(1);
  add_simulate(cluster, exit_code);
  cluster.footer("Example:\n  nacre cluster simulate --nodes 24 --devices-per-node 8 --code 8+3");
}

}  // namespace nacre::cli
