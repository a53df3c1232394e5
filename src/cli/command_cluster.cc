// nacre cluster status, login, simulate
#include <fmt/format.h>
#include <unistd.h>

#include "cli/cluster_client.h"
#include "cli/cluster_report.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/pause.h"
#include "cli/program.h"
#include "cli/progress_bar.h"
#include "cli/table.h"
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

struct StatusArguments {
  std::string cluster;
  bool watch = false;
  bool json = false;
};

void print_status(const node::Json& status) {
  const auto line = [](const char* what, const std::string& value) {
    fmt::print("{:<12}{}\n", what, value);
  };
  line("cluster", cell(status, "cluster"));
  line("state", cell(status, "state"));
  line("nodes", fmt::format("{} of {} up", cell(status, "nodes_up"), cell(status, "nodes")));
  const std::string failed = number(status, "devices_failed") == 0
                                 ? ""
                                 : cell(status, "devices_failed") + " of them failed, ";
  line("devices",
       fmt::format("{} of {} up, {}{}", cell(status, "devices_up"), cell(status, "devices"), failed,
                   size_cell(status, "capacity_bytes")));
  line("stored", size_cell(status, "live_bytes"));
  const std::string members = etcd_text(part(status, "etcd_members"));
  if (!members.empty()) line("etcd", members);
  if (cell(status, "etcd_trouble") != "-") line("trouble", cell(status, "etcd_trouble"));
  if (part(status, "pools").empty()) return;
  fmt::print("\n");
  using enum Column::Align;
  Table table({{"CODE"},
               {"GROUPS", kRight},
               {"STATE"},
               {"CLEAN", kRight},
               {"MOVING", kRight},
               {"DEGRADED", kRight},
               {"AT RISK", kRight},
               {"UNAVAILABLE", kRight}});
  for (const node::Json& pool : part(status, "pools")) {
    const node::Json& groups = part(pool, "groups_by_state");
    table.add({cell(pool, "code"), cell(pool, "groups"), cell(pool, "state"), cell(groups, "clean"),
               cell(groups, "moving"), cell(groups, "degraded"), cell(groups, "at risk"),
               cell(groups, "unavailable")});
  }
  table.print();
}

Status show_status(const StatusArguments& given) {
  const auto client = TRY(ClusterClient::connect(given.cluster));
  do {
    const node::Json status = TRY(client->command("cluster_status"));
    if (given.watch && is_terminal(STDOUT_FILENO)) fmt::print("\033[H\033[2J");
    if (given.json) {
      print_json(status);
    } else {
      print_status(status);
    }
    std::fflush(stdout);
    Patience second(os::real_clock(), 1'000'000'000);
    while (given.watch && second.wait()) continue;
  } while (given.watch);
  return {};
}

void add_status_and_login(CLI::App& cluster, int& exit_code) {
  CLI::App& status = *cluster.add_subcommand("status", "Show how well a cluster is");
  const auto given = std::make_shared<StatusArguments>();
  status.add_option("CLUSTER", given->cluster, "nacre://HOST:PORT[,HOST:PORT...]")
      ->envname("NACRE_CLUSTER")
      ->required();
  status.add_flag("--watch", given->watch, "Again every second");
  status.add_flag("--json", given->json, "For scripts");
  status.footer("Example:\n  nacre cluster status nacre://10.0.0.1:7000 --watch");
  on_command(status, exit_code, [given] { return show_status(*given); });
  CLI::App& login = *cluster.add_subcommand("login", "Get the credentials to use a cluster");
  const auto invitation = std::make_shared<std::string>();
  login.add_option("TOKEN@HOST:PORT", *invitation, "By `nacre node token --client` on a node")
      ->required();
  login.footer("Example:\n  nacre cluster login TOKEN@10.0.0.1:7000");
  on_command(login, exit_code, [invitation]() -> Status {
    conceal_argument(*invitation);
    const wire::ClusterId id = TRY(log_in(*invitation));
    fmt::print("credentials for cluster {} are in {}\n", to_hex(id), credentials_directory(id));
    return {};
  });
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
  CLI::App& cluster = *program.add_subcommand("cluster", "Look after a cluster, or plan one");
  cluster.require_subcommand(1);
  add_status_and_login(cluster, exit_code);
  add_simulate(cluster, exit_code);
  cluster.footer(
      "Examples:\n"
      "  nacre cluster status nacre://10.0.0.1:7000\n"
      "  nacre cluster simulate --nodes 24 --devices-per-node 8 --code 8+3");
}

}  // namespace nacre::cli
