// nacre node start, join, token, list, status, stop
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <cstdlib>

#include "cli/ask.h"
#include "cli/cluster_client.h"
#include "cli/commands.h"
#include "cli/node_command.h"
#include "cli/output.h"
#include "cli/program.h"
#include "cli/table.h"
#include "cli/target.h"
#include "cli/text.h"
#include "cluster/founding.h"
#include "cluster/ids.h"
#include "cluster/node.h"
#include "node/background.h"
#include "node/log.h"

namespace nacre::cli {
namespace {

struct StartArguments {
  std::string data;
  std::string invitation;  // of a node that joins
  cluster::NodeWishes wishes;
  std::string etcd = "supervised";
  std::string etcd_grace;
  std::string scrub_grace;
  std::string out_after;
  std::string log_size;
  bool foreground = false;
};

struct AskArguments {
  std::string data;
  std::string ttl = "24h";
  std::string node;
  bool client = false;
  bool json = false;
};

// A node that is there already is started as it was, but for what the command says anew. An address
// that others reach it at is kept unless it was the one it listened at.
Status adapt(cluster::NodeFiles& files, cluster::NodeConfig config,
             const cluster::NodeWishes& wishes) {
  if (!wishes.listen.empty()) {
    if (config.advertise == config.listen) config.advertise = wishes.listen;
    config.listen = wishes.listen;
  }
  if (!wishes.advertise.empty()) config.advertise = wishes.advertise;
  if (!wishes.zone.empty()) config.zone = wishes.zone;
  TRY(cluster::apply_settings(wishes, config));
  TRY(cluster::check_addresses(config.listen, config.advertise, config.insecure));
  const wire::ClusterMap alone{.cluster = config.cluster,
                               .epoch = 1,
                               .nodes = {{.id = config.node,
                                          .zone = config.zone,
                                          .name = config.name,
                                          .addresses = {config.advertise}}}};
  if (const std::string fault = wire::fault_of(alone); !fault.empty()) {
    return Error(Code::kInvalid, fault);
  }
  return files.save(config);
}

Status found(cluster::NodeFiles& files, const StartArguments& given) {
  const auto config = TRY(files.config());
  if (!given.invitation.empty()) {
    TRY(cluster::join_cluster(this_machine(), files, given.wishes, given.invitation));
    return {};
  }
  if (config) return adapt(files, *config, given.wishes);
  if (given.wishes.listen.empty()) {
    return Error(Code::kInvalid, "a new node needs --listen HOST:PORT");
  }
  TRY(cluster::found_cluster(this_machine(), files, given.wishes));
  return {};
}

// Before it is known whether the node can be started: what is wrong with either is said later.
node::LogOptions log_options(cluster::NodeFiles& files, const cluster::NodeWishes& wishes) {
  cluster::NodeConfig config;
  if (auto known = files.config(); known.ok() && *known) config = std::move(**known);
  return cluster::apply_settings(wishes, config).ok() ? config.log : node::LogOptions();
}

int serve(const StartArguments& given, const std::function<void(const Status&)>& ready) {
  cluster::NodeFiles files(this_machine().files, given.data);
  const auto lock = files.lock();
  Status begun = lock.ok() ? found(files, given) : Status(lock.error());
  std::unique_ptr<cluster::Node> node;
  if (begun.ok()) {
    auto started = cluster::Node::start(this_machine(), files, {});
    if (started.ok()) {
      node = started.take();
    } else {
      begun = started.error();
    }
  }
  ready(begun);
  if (node == nullptr) return exit_code_of(begun.code());
  const Status closed = node->run();
  return closed.ok() ? kSuccess : exit_code_of(closed.code());
}

Status start_in_background(const StartArguments& given) {
  node::Background background = TRY(node::Background::fork());
  if (!background.is_child()) return background.wait();
  ::umask(077);
  cluster::NodeFiles files(this_machine().files, given.data);
  Status logging = this_machine().files.create_directories(given.data);
  if (logging.ok()) {
    logging = node::log_to_file(files.log_path(), log_options(files, given.wishes));
  }
  if (!logging.ok()) {
    background.report(logging, files.log_path());
    std::_Exit(kFailure);
  }
  const int code =
      serve(given, [&](const Status& status) { background.report(status, files.log_path()); });
  spdlog::shutdown();
  std::_Exit(code);
}

// What a reader needs next. Who starts a node may also use its cluster.
Status introduce(const StartArguments& given, bool first) {
  const node::Json status = TRY(ask_node(given.data, {"node_status"}));
  const std::string address = cell(status, "address");
  const auto id = TRY(cluster::parse_id<wire::ClusterId>(cell(status, "cluster")));
  if (!read_credentials(id).ok()) {
    const node::Json client = TRY(ask_node(given.data, {"node_token", {{"client", true}}}));
    TRY(log_in(cell(client, "token") + "@" + address));
  }
  fmt::print("node {} is up at {}\n", cell(status, "id"), address);
  if (!first) return {};
  const node::Json token = TRY(ask_node(given.data, {"node_token"}));
  fmt::print(
      "\nto add a node (within a day):\n"
      "  nacre node join {}@{} --data DIR --listen HOST:PORT\n\n"
      "to use the cluster:\n"
      "  export NACRE_CLUSTER=nacre://{}\n"
      "  nacre put FILE\n",
      cell(token, "token"), address, address);
  return {};
}

// At least one; what is not given stays as it is.
Status read_seconds(const std::string& given, uint64_t& seconds) {
  constexpr uint64_t kSecond = 1'000'000'000;
  if (!given.empty()) seconds = std::max(TRY(parse_duration(given)) / kSecond, uint64_t{1});
  return {};
}

Status start(const StartArguments& arguments) {
  StartArguments given = arguments;
  conceal_argument(given.invitation);
  given.data = TRY(absolute_path(given.data));
  TRY(read_seconds(given.etcd_grace, given.wishes.etcd_grace_s));
  TRY(read_seconds(given.scrub_grace, given.wishes.scrub_grace_s));
  if (given.out_after == "never") {
    given.wishes.out_after_s = 0;
  } else if (!given.out_after.empty()) {
    TRY(read_seconds(given.out_after, given.wishes.out_after_s.emplace()));
  }
  if (!given.log_size.empty()) {
    given.wishes.log_bytes = std::max(TRY(parse_size(given.log_size)), uint64_t{1});
  }
  if (given.etcd != "supervised") {
    for (size_t at = 0; at <= given.etcd.size();) {
      const size_t comma = std::min(given.etcd.find(',', at), given.etcd.size());
      given.wishes.etcd.push_back(given.etcd.substr(at, comma - at));
      TRY(os::parse_address(given.wishes.etcd.back()));
      at = comma + 1;
    }
  }
  if (!given.foreground) {
    cluster::NodeFiles files(this_machine().files, given.data);
    const bool first = given.invitation.empty() && !TRY(files.config());
    TRY(start_in_background(given));
    return introduce(given, first);
  }
  cluster::NodeFiles files(this_machine().files, given.data);
  node::log_to_stderr(log_options(files, given.wishes).level);
  Status failed;
  const int code = serve(given, [&](const Status& status) { failed = status; });
  if (!failed.ok()) return failed;
  if (code != kSuccess) return Error(Code::kIo, "the node was not closed as it should be");
  return {};
}

Status token(const AskArguments& given) {
  const uint64_t ttl_s = TRY(parse_duration(given.ttl)) / 1'000'000'000;
  const node::Json answer =
      TRY(ask_node(given.data, {"node_token", {{"ttl_s", ttl_s}, {"client", given.client}}}));
  fmt::print("{}\n", cell(answer, "token"));
  return {};
}

Status list(const AskArguments& given) {
  const node::Json answer = TRY(ask_node(given.data, {"node_list"}));
  if (given.json) {
    print_json(part(answer, "nodes"));
    return {};
  }
  Table table(
      {{"ID"}, {"NAME"}, {"ZONE"}, {"ADDRESS"}, {"STATE"}, {"DEVICES", Column::Align::kRight}});
  for (const node::Json& node : part(answer, "nodes")) {
    const std::string zone = cell(node, "zone");
    table.add({cell(node, "id"), cell(node, "name"), zone.empty() ? "-" : zone,
               cell(node, "address"), flag(node, "up") ? "up" : "down", cell(node, "devices")});
  }
  table.print();
  return {};
}

Status forget(const AskArguments& given) {
  TRY(ask_node(given.data, {"node_forget", {{"node", given.node}}}));
  return {};
}

Status status(const AskArguments& given) {
  const node::Json answer = TRY(ask_node(given.data, {"node_status"}));
  if (given.json) {
    print_json(answer);
    return {};
  }
  const node::Json& healing = part(answer, "healing");
  const auto line = [](const char* what, const std::string& value) {
    fmt::print("{:<12}{}\n", what, value);
  };
  line("node", cell(answer, "id") + " (" + cell(answer, "name") + ")");
  line("cluster", cell(answer, "cluster"));
  line("address", cell(answer, "address") + (flag(answer, "secure") ? ", TLS" : ", insecure"));
  line("devices", cell(answer, "devices"));
  line("served", fmt::format("{} puts, {}; {} gets, {}; {} removals", cell(answer, "puts"),
                             size_cell(answer, "put_bytes"), cell(answer, "gets"),
                             size_cell(answer, "get_bytes"), cell(answer, "removals")));
  line("healed",
       fmt::format("{} fragments rebuilt, {}; {} repaired; {} groups to go",
                   cell(healing, "fragments_rebuilt"), size_cell(healing, "bytes_rebuilt"),
                   cell(healing, "fragments_repaired"), cell(healing, "groups_waiting")));
  const node::Json& scrubbing = part(answer, "scrubbing");
  line("scrubbed", fmt::format("{} passes, {} blocks; {} incomplete; {} removed as garbage",
                               cell(scrubbing, "passes"), cell(scrubbing, "blocks"),
                               cell(scrubbing, "incomplete"), cell(scrubbing, "garbage_removed")));
  const std::string members = etcd_text(part(answer, "etcd_members"));
  if (!members.empty()) line("etcd", members);
  for (const auto& [object, field] :
       {std::pair(&healing, "trouble"), {&scrubbing, "trouble"}, {&answer, "etcd_trouble"}}) {
    if (cell(*object, field) != "-") line("trouble", cell(*object, field));
  }
  return {};
}

void add_start_options(CLI::App& command, StartArguments& given) {
  add_data(command, given.data);
  command.add_option("--listen", given.wishes.listen, "HOST:PORT to serve at");
  command.add_option("--advertise", given.wishes.advertise,
                     "HOST:PORT that others reach it at; default: as --listen");
  command.add_option("--zone", given.wishes.zone, "What fails together: a rack, a room");
  command.add_option("--name", given.wishes.name, "Of a new node, for people; default: the host's");
  command.add_option("--etcd-grace", given.etcd_grace,
                     "How long a node with a member of etcd may be gone until another one takes "
                     "over; default: 5m");
  command.add_option(
      "--out-after", given.out_after,
      "How long a node may be down until others make its fragments anew, or `never`; "
      "default: 30m");
  command.add_option("--scrub-grace", given.scrub_grace,
                     "How long what looks like garbage of writers that died is left alone, and "
                     "between looks for it; default: 1h");
  command.add_option("--metrics", given.wishes.metrics,
                     "HOST:PORT of /metrics, for Prometheus, and /healthz; 'off': none any more");
  command.add_option("--log-level", given.wishes.log_level, "What is worth a line; default: info")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}));
  command.add_option("--log-size", given.log_size,
                     "How long a file of the log gets; default: 4MiB");
  command
      .add_option("--log-files", given.wishes.log_files, "How many of them are kept; default: 5")
      ->check(CLI::Range(1, 1000));
  command.add_flag("--no-device", given.wishes.no_device,
                   "A new node does not begin with a device in the data directory");
  command.add_flag("-f,--foreground", given.foreground,
                   "Stay in the foreground and log to standard error");
}

void add_start(CLI::App& node, int& exit_code) {
  CLI::App& command = *node.add_subcommand("start", "Start a node; the first makes the cluster");
  const auto given = std::make_shared<StartArguments>();
  add_start_options(command, *given);
  command
      .add_option("--etcd", given->etcd,
                  "Of a new cluster: 'supervised', or HOST:PORT,... of one that is there")
      ->capture_default_str();
  command.add_flag("--insecure", given->wishes.insecure,
                   "Of a new cluster: no TLS; on 127.0.0.1 alone");
  command.footer(
      "Where there is a node in DIR already it is started again.\n\n"
      "Example:\n  nacre node start --data /srv/node1 --listen 10.0.0.1:7000");
  on_command(command, exit_code, [given] { return start(*given); });
}

void add_join(CLI::App& node, int& exit_code) {
  CLI::App& command = *node.add_subcommand("join", "Make a new node of an existing cluster");
  const auto given = std::make_shared<StartArguments>();
  command.add_option("TOKEN@HOST:PORT", given->invitation, "As `nacre node start` printed it")
      ->required();
  add_start_options(command, *given);
  command.get_option("--listen")->required();
  command.footer(
      "Example:\n"
      "  nacre node join TOKEN@10.0.0.1:7000 --data /srv/node2 --listen 10.0.0.2:7000");
  on_command(command, exit_code, [given] { return start(*given); });
}

}  // namespace

void add_node(CLI::App& program, int& exit_code) {
  CLI::App& node = *program.add_subcommand("node", "Run the nodes of a cluster");
  node.require_subcommand(1);
  add_start(node, exit_code);
  add_join(node, exit_code);
  const auto given = std::make_shared<AskArguments>();
  const auto add = [&](const char* name, const char* what, auto body) -> CLI::App& {
    CLI::App& command = *node.add_subcommand(name, what);
    add_data(command, given->data);
    on_command(command, exit_code, [given, body] { return body(*given); });
    return command;
  };
  CLI::App& token_command = add("token", "Print a token with which a node joins", token);
  token_command.add_option("--ttl", given->ttl, "How long it is good")->capture_default_str();
  token_command.add_flag("--client", given->client, "For `nacre cluster login` instead");
  token_command.footer("Example:\n  nacre node token --data /srv/node1 --ttl 1h");
  CLI::App& list_command = add("list", "List the nodes of the cluster", list);
  list_command.add_flag("--json", given->json, "For scripts");
  list_command.footer("Example:\n  nacre node list --data /srv/node1");
  CLI::App& status_command = add("status", "Show what the node does", status);
  status_command.add_flag("--json", given->json, "For scripts");
  status_command.footer("Example:\n  nacre node status --data /srv/node1");
  CLI::App& forget_command = add("forget", "Forget a node that is gone for good", forget);
  forget_command.add_option("ID", given->node, "As `nacre node list` shows it")->required();
  forget_command.footer(
      "It must be down and have no devices: `nacre device remove ID --failed` gives up each.\n\n"
      "Example:\n  nacre node forget 5a0e3a4b2f0c4f0e8f9b1a2c3d4e5f60 --data /srv/node1");
  CLI::App& stop_command = add("stop", "End the node's process; `start` starts it again",
                               [](const AskArguments& asked) { return stop_node(asked.data); });
  stop_command.footer("Example:\n  nacre node stop --data /srv/node1");
  node.footer(
      "Examples:\n"
      "  nacre node start --data /srv/node1 --listen 10.0.0.1:7000\n"
      "  nacre node list --data /srv/node1");
}

}  // namespace nacre::cli
