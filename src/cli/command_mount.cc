// nacre mount, nacre unmount
#include <fmt/format.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/fuse_mounter.h"
#include "cli/output.h"
#include "cli/target.h"
#include "mount/mountpoint.h"
#include "node/background.h"
#include "node/control_client.h"
#include "node/daemon.h"
#include "node/log.h"
#include "node/mount_info.h"
#include "node/volume_paths.h"
#include "os/clock.h"
#include "os/random.h"

namespace nacre::cli {

namespace {

struct Arguments {
  std::string directory;
  std::string mountpoint;
  std::string at;
  std::vector<std::string> options;
  bool foreground = false;
  bool single_threaded = false;
  bool read_only = false;
  bool lazy = false;
};

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

node::Json mount_arguments(const Arguments& given, const std::string& mountpoint) {
  node::Json arguments = {{"mountpoint", mountpoint}};
  if (!given.options.empty()) arguments["options"] = joined(given.options);
  if (!given.at.empty()) arguments["at"] = given.at;
  if (given.read_only) arguments["read_only"] = true;
  if (given.single_threaded) arguments["single_threaded"] = true;
  return arguments;
}

// Opens the volume, mounts it, says how that went, and serves until the last mount is gone.
Status serve(const Arguments& given, const std::string& directory, const node::Json& arguments,
             const std::function<void(const Status&)>& ready) {
  const device::Host host{os::real_file_system(), os::real_clock(), os::real_random()};
  FuseMounter mounter;
  auto daemon = node::Daemon::start(host, mounter, directory, {.read_only = given.read_only});
  if (!daemon.ok()) {
    ready(daemon.error());
    return daemon.error();
  }
  const auto mounted = (*daemon)->mount(arguments);
  ready(mounted.ok() ? Status() : Status(mounted.error()));
  const Status ended = (*daemon)->run();
  // Requests of programs that still use the mount would be waited for.
  if ((*daemon)->stuck()) ::_exit(ended.ok() ? kSuccess : kFailure);
  if (!mounted.ok()) return mounted.error();
  return ended;
}

Status mount(const Arguments& given) {
  const std::string directory = TRY(absolute_path(given.directory));
  const std::string mountpoint = TRY(mount::check_mountpoint(given.mountpoint));
  const node::Json arguments = mount_arguments(given, mountpoint);
  auto client = node::ControlClient::connect(node::socket_path(directory));
  if (client.ok()) {  // open already: its process mounts it, at a moment, or says why not
    Watcher watcher;
    TRY((*client)->call({"mount", arguments}, watcher));
    return {};
  }
  if (given.foreground) {
    node::log_to_stderr();
    return serve(given, directory, arguments, [](const Status&) {});
  }
  node::Background background = TRY(node::Background::fork());
  if (!background.is_child()) return background.wait();
  const std::string log = node::log_path(directory);
  if (const Status logging = node::log_to_file(log); !logging.ok()) {
    background.report(logging, log);
    std::exit(kFailure);
  }
  const Status ended = serve(given, directory, arguments,
                             [&](const Status& status) { background.report(status, log); });
  std::exit(ended.ok() ? kSuccess : kFailure);  // the parent said what there was to say
}

// A mount whose process is gone, or that another program's process serves, is detached by the
// kernel.
Status unmount(const Arguments& given) {
  const std::string mountpoint = TRY(absolute_path(given.mountpoint));
  std::string volume;
  for (const node::MountInfo& mount : TRY(node::read_mount_table())) {
    if (mount.mountpoint == mountpoint) volume = mount.type == node::kMountType ? mount.source : "";
  }
  if (volume.empty()) return Error(Code::kNotFound, "no volume is mounted at " + mountpoint);
  auto client = node::ControlClient::connect(node::socket_path(volume));
  if (!client.ok()) {
    return mount::detach(mountpoint,
                         given.lazy ? mount::DetachMode::kLazy : mount::DetachMode::kIfIdle);
  }
  Watcher watcher;
  const node::Json arguments = {{"mountpoint", mountpoint}, {"lazy", given.lazy}};
  const node::Json answer = TRY((*client)->call({"unmount", arguments}, watcher));
  return node::is_closing(answer) ? (*client)->wait_for_close() : Status();
}

}  // namespace

void add_mount(CLI::App& program, int& exit_code) {
  CLI::App& command = *program.add_subcommand("mount", "Mount a volume, or a moment of its past");
  auto arguments = std::make_shared<Arguments>();
  command.add_option("DIR", arguments->directory, "The volume's directory")->required();
  command.add_option("MOUNTPOINT", arguments->mountpoint, "An existing directory")->required();
  command.add_flag("-f,--foreground", arguments->foreground,
                   "Stay in the foreground; log to standard error");
  command.add_flag("-s,--single-threaded", arguments->single_threaded,
                   "Serve one request at a time");
  command.add_flag("--read-only", arguments->read_only, "Refuse changes");
  command.add_option("--at", arguments->at,
                     "Mount this moment instead: a time, a sequence or a snapshot's name");
  command.add_option("-o", arguments->options,
                     "Mount options, separated by commas: ro, noatime, allow_other, ...");
  command.footer(
      "Examples:\n"
      "  nacre mount /srv/vol /mnt\n"
      "  nacre mount /srv/vol /mnt/yesterday --at yesterday\n"
      "  mount -t fuse.nacre /srv/vol /mnt\n"
      "  /srv/vol  /mnt  fuse.nacre  defaults,noatime  0  0      (in /etc/fstab)");
  on_command(command, exit_code, [arguments] { return mount(*arguments); });
}

void add_unmount(CLI::App& program, int& exit_code) {
  CLI::App& command =
      *program.add_subcommand("unmount", "Unmount; the last mount closes the volume");
  auto arguments = std::make_shared<Arguments>();
  command.add_option("MOUNTPOINT", arguments->mountpoint, "Where it is mounted")->required();
  command.add_flag("--lazy", arguments->lazy, "Now, even if files are open below it");
  command.footer("Example:\n  nacre unmount /mnt");
  on_command(command, exit_code, [arguments] { return unmount(*arguments); });
}

}  // namespace nacre::cli
