// nacre volume create
#include <fmt/format.h>
#include <unistd.h>

#include "base/units.h"
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/target.h"
#include "cli/text.h"
#include "node/create_volume.h"
#include "node/log.h"

namespace nacre::cli {
namespace {

struct Arguments {
  std::string directory;
  std::string block_size;
  std::string compress = "none";
  std::string capacity;
  std::vector<std::string> devices;
  bool force = false;
};

Result<node::CreateOptions> options_of(const Arguments& given) {
  node::CreateOptions options;
  if (!given.block_size.empty()) {
    options.block_size = TRY(parse_size(given.block_size));
    if (options.block_size == 0) return Error(Code::kInvalid, "blocks of 0 bytes hold nothing");
  }
  options.compression = TRY(codec::parse_compression(given.compress));
  if (!given.capacity.empty()) {
    options.capacity_bytes = TRY(parse_size(given.capacity));
    if (options.capacity_bytes == 0) return Error(Code::kInvalid, "a capacity of 0 holds nothing");
  }
  for (const std::string& device : given.devices) {
    options.devices.push_back(TRY(absolute_path(device)));
  }
  options.force = given.force;
  options.root_uid = ::geteuid();
  options.root_gid = ::getegid();
  return options;
}

Status create(const Arguments& given) {
  const node::CreateOptions options = TRY(options_of(given));
  const std::string directory = TRY(absolute_path(given.directory));
  node::log_for_command();
  TRY(node::create_volume(this_machine(), directory, options));
  fmt::print("made the volume {}: mount it with `nacre mount {} MOUNTPOINT`\n",
             printable(directory), printable(given.directory));
  return {};
}

}  // namespace

void add_volume(CLI::App& program, int& exit_code) {
  CLI::App& volume = *program.add_subcommand("volume", "Make volumes");
  volume.require_subcommand(1);
  volume.footer("Example:\n  nacre volume create /srv/vol");
  CLI::App& command = *volume.add_subcommand("create", "Make a volume in a directory");
  const auto given = std::make_shared<Arguments>();
  command
      .add_option("DIR", given->directory,
                  "Its directory, new or empty: for rows, and for data where no device is given")
      ->required();
  command.add_option(
      "--block-size", given->block_size,
      "Largest block: a power of two from 64KiB on; default: 4MiB, less on small volumes");
  command.add_option("--compress", given->compress, "none, lz4 or zstd")->capture_default_str();
  command.add_option("--capacity", given->capacity,
                     "The most it may take; default: what the disk can spare");
  command.add_option(
      "--device", given->devices,
      "A block device, image file or directory for the data; may be given several times");
  command.add_flag("--force", given->force, "Destroy what is there");
  command.footer(
      "Examples:\n"
      "  nacre volume create /srv/vol\n"
      "  nacre volume create /srv/vol --compress zstd --capacity 200GiB\n"
      "  nacre volume create /srv/vol --device /dev/sdb --device /dev/sdc");
  on_command(command, exit_code, [given] { return create(*given); });
}

}  // namespace nacre::cli
