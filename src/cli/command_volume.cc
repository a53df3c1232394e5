// nacre volume create
#include <unistd.h>

#include <fmt/format.h>

#include "base/units.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/target.h"
#include "node/create_volume.h"
#include "os/clock.h"
#include "os/random.h"

namespace nacre::cli {

namespace {

struct Arguments {
  std::string directory;
  std::string block_size = "4MiB";
  std::string compress = "none";
  std::string capacity;
  std::vector<std::string> devices;
  bool force = false;
};

Status create(const Arguments& arguments) {
  node::CreateOptions options;
  options.block_size = TRY(parse_size(arguments.block_size));
  options.compression = TRY(codec::parse_compression(arguments.compress));
  if (!arguments.capacity.empty()) options.capacity_bytes = TRY(parse_size(arguments.capacity));
  for (const std::string& device : arguments.devices) {
    options.devices.push_back(TRY(absolute_path(device)));
  }
  options.force = arguments.force;
  options.root_uid = ::getuid();
  options.root_gid = ::getgid();
  const std::string directory = TRY(absolute_path(arguments.directory));
  const device::Host host{os::real_file_system(), os::real_clock(), os::real_random()};
  TRY(node::create_volume(host, directory, options));
  fmt::print("created the volume {}: mount it with `nacre mount {} MOUNTPOINT`\n",
             printable(directory), printable(arguments.directory));
  return {};
}

}  // namespace

void add_volume(CLI::App& program, int& exit_code) {
  CLI::App& volume = *program.add_subcommand("volume", "Make volumes");
  volume.require_subcommand(1);
  CLI::App& command = *volume.add_subcommand("create", "Make a volume in a directory");
  auto arguments = std::make_shared<Arguments>();
  command
      .add_option("DIR", arguments->directory,
                  "Its directory: rows, and data where no device is given")
      ->required();
  command.add_option("--block-size", arguments->block_size, "Largest block: a power of two")
      ->capture_default_str();
  command.add_option("--compress", arguments->compress, "none, lz4 or zstd")->capture_default_str();
  command.add_option("--capacity", arguments->capacity,
                     "The most it may take; default: what the disk can spare");
  command.add_option(
      "--device", arguments->devices,
      "A block device, image file or directory for the data; may be given several times");
  command.add_flag("--force", arguments->force, "Destroy what is there");
  command.footer(
      "Examples:\n"
      "  nacre volume create /srv/vol\n"
      "  nacre volume create /srv/vol --compress zstd --capacity 200GiB\n"
      "  nacre volume create /srv/vol --device /dev/sdb --device /dev/sdc");
  on_command(command, exit_code, [arguments] { return create(*arguments); });
}

}  // namespace nacre::cli
