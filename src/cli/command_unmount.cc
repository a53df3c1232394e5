// nacre unmount, nacre flush
#include <fmt/format.h>

#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/target.h"
#include "cli/text.h"
#include "mount/mountpoint.h"
#include "node/control_client.h"
#include "node/volume_paths.h"

namespace nacre::cli {
namespace {

struct Arguments {
  std::string mountpoint;
  bool lazy = false;
  bool json = false;
};

// The mountpoint itself is not looked at: a process that is gone would not answer.
Result<node::MountInfo> find_mount(const std::string& argument) {
  const std::vector<node::MountInfo> table = TRY(node::read_mount_table());
  for (const LastName last : {LastName::kKeep, LastName::kFollow}) {
    const std::string path = TRY(absolute_path(argument, last));
    const auto mount = node::mount_of(table, path);
    if (mount && mount->mountpoint == path && mount->type == node::kMountType) return *mount;
  }
  std::string hint;
  const std::string path = TRY(absolute_path(argument));
  for (const node::MountInfo& mount : table) {
    if (mount.type == node::kMountType && mount.source == path) {
      hint = fmt::format(": its volume is mounted at {}", mount.mountpoint);
    }
  }
  return Error(Code::kNotFound, fmt::format("no volume is mounted at {}{}", argument, hint));
}

// Of a process that is gone, or one that knows nothing of this place.
Status detach(const node::MountInfo& mount, bool lazy) {
  return mount::detach(mount.mountpoint,
                       lazy ? mount::DetachMode::kLazy : mount::DetachMode::kIfIdle);
}

Status unmount(const Arguments& given) {
  const node::MountInfo mount = TRY(find_mount(given.mountpoint));
  const auto client = node::ControlClient::connect(node::socket_path(mount.source));
  if (!client.ok()) return detach(mount, given.lazy);
  Watcher watcher;
  const auto answer = (*client)->call(
      {"unmount", {{"mountpoint", node::json_of_bytes(mount.mountpoint)}, {"lazy", given.lazy}}},
      watcher);
  // Bound to another place, say; or the process ended instead of answering.
  const bool unanswered =
      !answer.ok() && (answer.code() == Code::kNotFound || answer.code() == Code::kIo ||
                       answer.code() == Code::kUnavailable);
  if (unanswered) return detach(mount, given.lazy);
  if (!answer.ok()) return answer.error();
  if (node::is_closing(*answer)) return (*client)->wait_for_close();
  if (given.lazy) {
    fmt::print("{} is out of sight; the volume is closed when its last file is\n",
               printable(mount.mountpoint));
  }
  return {};
}

Status flush(const Arguments& given) {
  Watcher watcher;
  const node::Json answer = TRY(ask(TRY(find_volume(given.mountpoint)), {"flush"}, watcher, false));
  if (given.json) {
    print_json(answer);
  } else {
    fmt::print("everything is durable: sequence {}\n", cell(answer, "sequence"));
  }
  return {};
}

}  // namespace

void add_unmount(CLI::App& program, int& exit_code) {
  CLI::App& command =
      *program.add_subcommand("unmount", "Unmount; the last mount closes the volume");
  const auto given = std::make_shared<Arguments>();
  command.add_option("MOUNTPOINT", given->mountpoint, "Where it is mounted")->required();
  command.add_flag("--lazy", given->lazy, "Now, even if files are open below it");
  command.footer(
      "When it returns, the volume is closed and may be moved or checked.\n\n"
      "Example:\n"
      "  nacre unmount /mnt");
  on_command(command, exit_code, [given] { return unmount(*given); });
}

void add_flush(CLI::App& program, int& exit_code) {
  CLI::App& command = *program.add_subcommand("flush", "Make everything written so far durable");
  const auto given = std::make_shared<Arguments>();
  command.add_option("MOUNTPOINT", given->mountpoint, "Of the volume, or anything below it")
      ->required();
  command.add_flag("--json", given->json, "For scripts");
  command.footer(
      "What sync(1) cannot do: the kernel does not tell FUSE file systems of it.\n\n"
      "Example:\n"
      "  nacre flush /mnt");
  on_command(command, exit_code, [given] { return flush(*given); });
}

}  // namespace nacre::cli
