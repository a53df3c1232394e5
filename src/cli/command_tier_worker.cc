// nacre tier worker
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cstdlib>

#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/fuse_mounter.h"
#include "cli/pause.h"
#include "cli/target.h"
#include "node/control_client.h"
#include "node/daemon.h"
#include "node/log.h"
#include "node/superblock_files.h"
#include "node/volume_paths.h"

namespace nacre::cli {
namespace {

constexpr int64_t kPatienceNs = 10'000'000'000;

// A command that works on the volume, and a process that is just closing it, are in the way only
// for a while; who serves it is there to stay.
Result<std::unique_ptr<node::Daemon>> start(const std::string& directory, FuseMounter& mounter) {
  Patience patience(os::real_clock(), kPatienceNs);
  for (;;) {
    auto daemon = node::Daemon::start(this_machine(), mounter, directory, {.stays = true});
    if (daemon.ok() || daemon.code() != Code::kBusy) return daemon;
    if (node::ControlClient::connect(node::socket_path(directory)).ok()) return daemon;
    if (!patience.wait()) return daemon;
  }
}

Status work(const std::string& given) {
  const std::string directory = TRY(absolute_path(given));
  const node::FoundSuperblock found = TRY(node::read_superblock(this_machine().files, directory));
  if (!found.superblock.is_tiered()) {
    return Error(Code::kUnsupported, directory + " has no bucket: there is nothing to work on");
  }
  node::log_to_stderr();
  FuseMounter mounter;
  const auto daemon = TRY(start(directory, mounter));
  Status closed = daemon->run();
  if (!daemon->stuck()) return closed;
  spdlog::shutdown();
  std::_Exit(closed.ok() ? kSuccess : exit_code_of(closed.code()));
}

}  // namespace

void add_tier_worker(CLI::App& tier, int& exit_code) {
  CLI::App& command =
      *tier.add_subcommand("worker", "Keep the bucket of a volume up to date without a mount");
  const auto directory = std::make_shared<std::string>();
  command.add_option("DIR", *directory, "The volume's directory")->required();
  command.footer(
      "Stays in the foreground until it is told to end by SIGTERM or ^C. What is mounted "
      "meanwhile\n"
      "is served by the same process.\n\n"
      "Example:\n"
      "  nacre tier worker /srv/vol");
  on_command(command, exit_code, [directory] { return work(*directory); });
}

}  // namespace nacre::cli
