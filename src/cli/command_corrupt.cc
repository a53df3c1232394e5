// nacre corrupt
#include <fmt/format.h>

#include "base/units.h"
#include "cli/cluster_client.h"
#include "cli/cluster_words.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cluster/ids.h"

namespace nacre::cli {
namespace {

struct Arguments {
  std::vector<std::string> words;
  uint64_t block = 0;
  unsigned fragment = 0;
  bool flip = false;
  bool drop = false;
  std::string bytes = "1";
  std::string offset = "0";
  bool yes = false;
  bool json = false;
};

// The fragment that is meant, and where it is.
struct Aim {
  BlockId block = {};
  unsigned fragment = 0;
  uint64_t fragment_bytes = 0;
  wire::ClusterDevice device = {};
  wire::ClusterNode node = {};
};

// What is to be done to it.
struct Damage {
  bool drop = false;
  uint64_t bytes = 0;
  uint64_t offset = 0;
};

std::string name_of(const Aim& aim) {
  return fmt::format("fragment {} of block {}", aim.fragment, to_hex(aim.block));
}

Status check_state(const Aim& aim, const block::FragmentStatus& status) {
  using enum block::FragmentStatus::State;
  switch (status.state) {
    case kGood:
    case kDamaged:
      return {};
    case kMissing:
      return Error(Code::kNotFound, name_of(aim) + " is missing already: " + status.what);
    case kUnreachable:
      return Error(Code::kUnavailable, name_of(aim) + " is out of reach: " + status.what);
    case kNobody:
      break;
  }
  return Error(Code::kUnavailable, "no device has " + name_of(aim));
}

// The n-th block of the object: its id's own comes first, then its parts.
Result<block::BlockStatus> query_block(ClusterClient& client, const Arguments& given, BlockId id,
                                       BlockId& block) {
  block::ObjectStatus object = TRY(client.objects().query(id));
  if (given.block > object.parts.size()) {
    return Error(Code::kInvalid, object.parts.empty()
                                     ? fmt::format("object {} has no block but 0", to_hex(id))
                                     : fmt::format("object {} has blocks 0 to {}", to_hex(id),
                                                   object.parts.size()));
  }
  block = given.block == 0 ? id : object.parts[given.block - 1];
  if (given.block == 0) return std::move(object.first);
  return client.objects().query_part(block);
}

Result<Aim> find(ClusterClient& client, const Arguments& given, BlockId id) {
  Aim aim{.fragment = given.fragment};
  const block::BlockStatus block = TRY(query_block(client, given, id, aim.block));
  if (given.fragment >= block.fragments.size()) {
    return Error(Code::kInvalid, fmt::format("block {} has fragments 0 to {}", to_hex(aim.block),
                                             block.fragments.size() - 1));
  }
  const block::FragmentStatus& status = block.fragments[given.fragment];
  if (status.bytes == 0) {
    return Error(Code::kInvalid, name_of(aim) + " holds nothing: the block is too short for it");
  }
  TRY(check_state(aim, status));
  aim.fragment_bytes = status.bytes;
  const auto view = client.views().view();
  const wire::ClusterDevice* const device = view->map.find_device(status.device);
  const wire::ClusterNode* const node = view->node_of(status.device);
  if (device == nullptr || node == nullptr) {
    return Error(Code::kUnavailable, "no device has " + name_of(aim));
  }
  aim.device = *device;
  aim.node = *node;
  return aim;
}

Result<Damage> damage_of(const Arguments& given, const Aim& aim) {
  if (given.drop) return Damage{.drop = true};
  const Damage damage{.bytes = TRY(parse_size(given.bytes)),
                      .offset = TRY(parse_size(given.offset))};
  const bool fits =
      damage.offset <= aim.fragment_bytes && damage.bytes <= aim.fragment_bytes - damage.offset;
  if (damage.bytes == 0 || !fits) {
    return Error(Code::kInvalid,
                 fmt::format("{} has {} bytes, of which at least one and those alone "
                             "can be flipped",
                             name_of(aim), aim.fragment_bytes));
  }
  return damage;
}

std::string what_is_done(const Damage& damage, const Aim& aim) {
  const std::string what = damage.drop
                               ? "drop " + name_of(aim)
                               : fmt::format("flip {} of {} bytes at {} of {}", damage.bytes,
                                             aim.fragment_bytes, damage.offset, name_of(aim));
  return fmt::format("{} on device {} of node {} ({})", what, to_hex(aim.device.id), aim.node.name,
                     aim.node.addresses.front());
}

// `done` is what the node said.
void say_done(const std::string& what, const Damage& damage, const node::Json& done) {
  fmt::print("did {}\nin {}", what, cell(done, "path"));
  if (!damage.drop) {
    fmt::print(", segment {}, byte {}", cell(done, "segment"), cell(done, "segment_byte"));
  }
  fmt::print("\n");
}

void print_done(BlockId id, const Aim& aim, const Damage& damage, const node::Json& done) {
  node::Json row = {{"object", to_hex(id)},
                    {"block", to_hex(aim.block)},
                    {"fragment", aim.fragment},
                    {"node", to_hex(aim.node.id)},
                    {"node_name", aim.node.name},
                    {"address", aim.node.addresses.front()},
                    {"device", to_hex(aim.device.id)},
                    {"dropped", damage.drop},
                    {"flipped_bytes", damage.bytes},
                    {"offset", damage.offset}};
  row.update(done);
  print_json(row);
}

Status corrupt(const Arguments& given) {
  const Words words = TRY(words_of(given.words, 1, 1, "one ID"));
  const auto id = TRY(cluster::parse_id<BlockId>(words.rest.front()));
  const auto client = TRY(ClusterClient::connect(words.cluster));
  const Aim aim = TRY(find(*client, given, id));
  const Damage damage = TRY(damage_of(given, aim));
  const std::string what = what_is_done(damage, aim);
  if (!given.yes) return Error(Code::kInvalid, "with --yes this would " + what);
  node::Json arguments = {{"device", to_hex(aim.device.id)},
                          {"block", to_hex(aim.block)},
                          {"fragment", aim.fragment},
                          {"drop", damage.drop}};
  if (!damage.drop) arguments.update({{"offset", damage.offset}, {"bytes", damage.bytes}});
  const node::Json done =
      TRY(client->command_of(aim.node, "fragment_corrupt", std::move(arguments)));
  given.json ? print_done(id, aim, damage, done) : say_done(what, damage, done);
  return {};
}

}  // namespace

void add_corrupt(CLI::App& program, int& exit_code) {
  CLI::App& command =
      *program.add_subcommand("corrupt", "Damage a fragment of an object on purpose, as a test");
  const auto given = std::make_shared<Arguments>();
  add_words(command, "[CLUSTER] ID", given->words);
  CLI::Option* const flip =
      command.add_flag("--flip", given->flip, "Invert bytes of it where they lie on its device");
  CLI::Option* const drop = command.add_flag("--drop", given->drop, "Remove it from its device");
  flip->excludes(drop);
  CLI::Option* const bytes =
      command.add_option("--bytes", given->bytes, "How many to flip")->capture_default_str();
  CLI::Option* const offset =
      command.add_option("--offset", given->offset, "Where in it to begin")->capture_default_str();
  drop->excludes(bytes)->excludes(offset);
  command
      .add_option("--block", given->block,
                  "Which of the object's: 0 is the one of its id, then its parts from 1 on")
      ->capture_default_str();
  command.add_option("--fragment", given->fragment, "Which of the block's")->capture_default_str();
  command.add_flag("--yes", given->yes, "Do it; else it is only said what would be done");
  command.add_flag("--json", given->json, "For scripts");
  command.footer(
      "What reads the fragment is to notice, get it from the others, and have it made anew. With\n"
      "more fragments of a block damaged than it has parity, the object is lost.\n\n"
      "Examples:\n"
      "  nacre corrupt ID --flip --fragment 2 --yes\n"
      "  nacre corrupt ID --drop --block 1 --yes");
  on_command(command, exit_code, [given] {
    if (!given->flip && !given->drop) {
      return Status(Error(Code::kInvalid, "say what to do: --flip or --drop"));
    }
    return corrupt(*given);
  });
}

}  // namespace nacre::cli
