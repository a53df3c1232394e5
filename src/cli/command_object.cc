// nacre put, get, query, delete
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/errno.h"
#include "cli/cluster_client.h"
#include "cli/cluster_words.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/progress_bar.h"
#include "cli/table.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "cluster/ids.h"
#include "os/fd.h"

namespace nacre::cli {
namespace {

struct Arguments {
  std::vector<std::string> words;
  std::string code;
  unsigned copies = 0;
  std::string offset = "0";
  std::string length;
  bool json = false;
};

// What a transfer shows while it goes on.
class Transfer {
 public:
  Transfer(const char* phase, uint64_t total)
      : bar_(os::real_clock(), is_terminal(STDERR_FILENO)), phase_(phase), total_(total) {}
  void add(uint64_t bytes) {
    done_ += bytes;
    bar_.show({.phase = phase_, .done = done_, .total = total_, .unit = "bytes"});
  }
  void end() { bar_.clear(); }

 private:
  ProgressBar bar_;
  const char* const phase_;
  const uint64_t total_;
  uint64_t done_ = 0;
};

Result<size_t> read_full(int fd, MutableBytes into) {
  size_t count = 0;
  while (count < into.size()) {
    const ssize_t n =
        os::retry_interrupted([&] { return ::read(fd, into.data() + count, into.size() - count); });
    if (n < 0) return error_from_errno(errno, "read what is to be put");
    if (n == 0) break;
    count += static_cast<size_t>(n);
  }
  return count;
}

Status write_full(int fd, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t n =
        os::retry_interrupted([&] { return ::write(fd, bytes.data(), bytes.size()); });
    if (n < 0) return error_from_errno(errno, "write what was got");
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
  return {};
}

Status put(const Arguments& given) {
  const Words words = TRY(words_of(given.words, 1, 1, "one FILE, or - for standard input"));
  os::Fd file;
  uint64_t total = 0;
  if (words.rest.front() != "-") {
    file = os::Fd(::open(words.rest.front().c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.valid()) return error_from_errno(errno, "open " + words.rest.front());
    struct stat status = {};
    if (::fstat(file.get(), &status) == 0) total = static_cast<uint64_t>(status.st_size);
  }
  const auto client = TRY(ClusterClient::connect(words.cluster));
  codec::ErasureCode code = client->usual_code();
  if (!given.code.empty()) code = TRY(codec::parse_code(given.code));
  if (given.copies != 0) code = {1, static_cast<uint8_t>(given.copies - 1)};
  TRY(client->ensure_pool(code));
  Transfer transfer("putting", total);
  const int from = file.valid() ? file.get() : STDIN_FILENO;
  const BlockId id = TRY(client->objects().put(code, [&](MutableBytes into) -> Result<size_t> {
    const size_t count = TRY(read_full(from, into));
    transfer.add(count);
    return count;
  }));
  transfer.end();
  if (client->blocks().counters().degraded_writes > 0) {
    print_warning(
        "too few devices are up: it survives fewer losses than it should until the "
        "cluster is healed");
  }
  fmt::print("{}\n", to_hex(id));
  return {};
}

// A file appears under its name when all of it is there.
Status get_to_file(const std::string& path, const std::function<Status(int)>& fill) {
  const std::string temporary = path + ".nacre-part";
  const os::Fd file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!file.valid()) return error_from_errno(errno, "make " + temporary);
  Status filled = fill(file.get());
  if (filled.ok() && ::rename(temporary.c_str(), path.c_str()) != 0) {
    filled = error_from_errno(errno, "rename " + temporary + " to " + path);
  }
  if (!filled.ok()) ::unlink(temporary.c_str());
  return filled;
}

Status get(const Arguments& given) {
  const Words words =
      TRY(words_of(given.words, 1, 2, "an ID and, unless to standard output, a FILE"));
  const auto id = TRY(cluster::parse_id<BlockId>(words.rest.front()));
  const uint64_t offset = TRY(parse_size(given.offset));
  const uint64_t length = given.length.empty() ? UINT64_MAX : TRY(parse_size(given.length));
  const auto client = TRY(ClusterClient::connect(words.cluster));
  const auto fill = [&](int fd) -> Status {
    Transfer transfer("getting", given.length.empty() ? 0 : length);
    const Status got = client->objects().get(id, offset, length, [&](ByteView bytes) {
      transfer.add(bytes.size());
      return write_full(fd, bytes);
    });
    transfer.end();
    return got;
  };
  const std::string to = words.rest.size() == 2 ? words.rest.back() : "-";
  return to == "-" ? fill(STDOUT_FILENO) : get_to_file(to, fill);
}

const char* name_of(block::FragmentStatus::State state) {
  using enum block::FragmentStatus::State;
  switch (state) {
    case kGood:
      return "good";
    case kMissing:
      return "missing";
    case kDamaged:
      return "damaged";
    case kUnreachable:
      return "out of reach";
    case kNobody:
      return "no device";
  }
  return "unknown";
}

node::Json json_of(const block::ClusterView& view, const block::BlockStatus& status) {
  node::Json fragments = node::Json::array();
  for (size_t i = 0; i < status.fragments.size(); ++i) {
    const block::FragmentStatus& fragment = status.fragments[i];
    const wire::ClusterNode* const node = view.map.find_node(fragment.node);
    const wire::ClusterDevice* const device = view.map.find_device(fragment.device);
    fragments.push_back({{"fragment", i},
                         {"node", node == nullptr ? "" : to_hex(node->id)},
                         {"node_name", node == nullptr ? "" : node->name},
                         {"address", node == nullptr ? "" : node->addresses.front()},
                         {"device", device == nullptr ? "" : to_hex(device->id)},
                         {"bytes", fragment.bytes},
                         {"state", name_of(fragment.state)},
                         {"what", fragment.what}});
  }
  return {{"code", codec::to_string(status.note.code)},
          {"bytes", status.note.block_bytes},
          {"pool", status.pool},
          {"group", status.pg},
          {"fragments", std::move(fragments)}};
}

void print_fragments(const node::Json& block) {
  Table table({{"FRAGMENT", Column::Align::kRight},
               {"NODE"},
               {"ADDRESS"},
               {"DEVICE"},
               {"BYTES", Column::Align::kRight},
               {"STATE"}});
  for (const node::Json& fragment : part(block, "fragments")) {
    const auto or_dash = [&](const char* field) {
      const std::string text = cell(fragment, field);
      return text.empty() ? std::string("-") : text;
    };
    table.add({cell(fragment, "fragment"), or_dash("node_name"), or_dash("address"),
               or_dash("device"), cell(fragment, "bytes"), cell(fragment, "state")});
  }
  table.print();
}

Status query(const Arguments& given) {
  const Words words = TRY(words_of(given.words, 1, 1, "one ID"));
  const auto id = TRY(cluster::parse_id<BlockId>(words.rest.front()));
  const auto client = TRY(ClusterClient::connect(words.cluster));
  const block::ObjectStatus status = TRY(client->objects().query(id));
  const auto view = client->views().view();
  node::Json answer = {{"id", to_hex(id)},
                       {"bytes", status.bytes},
                       {"code", codec::to_string(status.first.note.code)},
                       {"blocks", std::max<size_t>(1, status.parts.size())},
                       {"block_bytes", status.parts.empty() ? status.bytes : status.part_bytes}};
  answer["block"] = json_of(*view, status.first);
  node::Json parts = node::Json::array();
  uint64_t damaged = 0;
  for (const BlockId part_id : status.parts) {
    const auto part = client->objects().query_part(part_id);
    node::Json row =
        part.ok() ? json_of(*view, *part) : node::Json{{"error", part.error().to_string()}};
    row["id"] = to_hex(part_id);
    const bool good = part.ok() && std::ranges::all_of(part->fragments, [](const auto& fragment) {
                        return fragment.state == block::FragmentStatus::State::kGood;
                      });
    damaged += good ? 0 : 1;
    parts.push_back(std::move(row));
  }
  answer["parts"] = std::move(parts);
  answer["parts_not_whole"] = damaged;
  if (given.json) {
    print_json(answer);
    return {};
  }
  fmt::print("object      {}\n", to_hex(id));
  fmt::print("size        {} ({} bytes)\n", format_size(status.bytes), status.bytes);
  fmt::print("code        {}\n", cell(answer, "code"));
  fmt::print("blocks      {} of up to {}\n", cell(answer, "blocks"),
             size_cell(answer, "block_bytes"));
  fmt::print("group       {} of pool {}\n", cell(part(answer, "block"), "group"),
             cell(part(answer, "block"), "pool"));
  if (!status.parts.empty()) {
    fmt::print("parts       {} whole, {} not\n", status.parts.size() - damaged, damaged);
  }
  fmt::print("\n");
  print_fragments(part(answer, "block"));
  return {};
}

Status remove(const Arguments& given) {
  const Words words = TRY(words_of(given.words, 1, 1, "one ID"));
  const auto id = TRY(cluster::parse_id<BlockId>(words.rest.front()));
  const auto client = TRY(ClusterClient::connect(words.cluster));
  return client->objects().remove(id);
}

}  // namespace

void add_objects(CLI::App& program, int& exit_code) {
  const auto given = std::make_shared<Arguments>();
  const auto add = [&](const char* name, const char* what, const char* words,
                       auto body) -> CLI::App& {
    CLI::App& command = *program.add_subcommand(name, what);
    add_words(command, words, given->words);
    on_command(command, exit_code, [given, body] { return body(*given); });
    return command;
  };
  CLI::App& putting =
      add("put", "Store a file in a cluster and print its id", "[CLUSTER] FILE|-", put);
  CLI::Option* const code =
      putting.add_option("--code", given->code, "Data and parity fragments, as 4+2");
  putting.add_option("--copies", given->copies, "Copies instead")
      ->excludes(code)
      ->check(CLI::Range(1u, codec::kMaxFragments));
  putting.footer(
      "Without either it is 4+2 from six nodes on, and up to three copies below.\n\n"
      "Examples:\n"
      "  nacre put nacre://10.0.0.1:7000 photo.raw\n"
      "  tar c dir | nacre put - --code 8+3");
  CLI::App& getting = add("get", "Fetch what was put", "[CLUSTER] ID [FILE|-]", get);
  getting.add_option("--offset", given->offset, "Where to begin")->capture_default_str();
  getting.add_option("--length", given->length, "How much; default: all");
  getting.footer(
      "Examples:\n"
      "  nacre get ID photo.raw\n"
      "  nacre get ID --offset 1GiB --length 4KiB | xxd");
  CLI::App& querying = add("query", "Show where an object is and how well", "[CLUSTER] ID", query);
  querying.add_flag("--json", given->json, "For scripts, with every part");
  querying.footer("Example:\n  nacre query ID");
  CLI::App& deleting = add("delete", "Delete an object", "[CLUSTER] ID", remove);
  deleting.footer("An object that is not there is no error.\n\nExample:\n  nacre delete ID");
}

}  // namespace nacre::cli
