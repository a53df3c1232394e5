// nacre mount
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/fuse_mounter.h"
#include "cli/mount_words.h"
#include "cli/pause.h"
#include "cli/target.h"
#include "mount/mountpoint.h"
#include "node/background.h"
#include "node/control_client.h"
#include "node/daemon.h"
#include "node/log.h"
#include "node/superblock_files.h"
#include "node/volume_paths.h"

namespace nacre::cli {
namespace {

constexpr int64_t kPatienceNs = 10'000'000'000;  // with a process that closes the volume

struct Arguments {
  std::string directory;
  std::string mountpoint;
  std::string at;
  std::vector<std::string> options;
  bool foreground = false;
  bool single_threaded = false;
  bool read_only = false;
};

struct Plan {
  std::string directory;
  node::Json request;  // arguments of the service's command `mount`
  bool read_only = false;
  bool foreground = false;
};

Result<Plan> plan_of(const Arguments& given) {
  MountWords words = TRY(parse_mount_words(given.options));
  if (!given.at.empty()) words.at = given.at;
  Plan plan;
  plan.directory = TRY(absolute_path(given.directory));
  plan.read_only = given.read_only || words.read_only;
  plan.foreground = given.foreground;
  const std::string mountpoint = TRY(mount::check_mountpoint(given.mountpoint));
  TRY(check_places(plan.directory, mountpoint, TRY(node::read_mount_table())));
  plan.request = {{"mountpoint", node::json_of_bytes(mountpoint)},
                  {"options", words.options},
                  {"read_only", plan.read_only},
                  {"single_threaded", given.single_threaded},
                  {"noatime", !words.atime}};
  if (words.at) plan.request["at"] = *words.at;
  return plan;
}

// What is said here is the last that anybody hears of this process; afterwards it writes to its
// log.
int serve(const Plan& plan, const std::function<void(const Status&)>& ready) {
  FuseMounter mounter;
  auto daemon =
      node::Daemon::start(this_machine(), mounter, plan.directory, {.read_only = plan.read_only});
  if (!daemon.ok()) {
    ready(daemon.error());
    return exit_code_of(daemon.code());
  }
  const auto mounted = (*daemon)->mount(plan.request);
  if (!mounted.ok()) {
    const Status closed = (*daemon)->run();  // nothing is mounted: it only closes
    ready(mounted.error());
    return exit_code_of(mounted.code());
  }
  ready({});
  const Status closed = (*daemon)->run();
  const int code = closed.ok() ? kSuccess : exit_code_of(closed.code());
  if ((*daemon)->stuck()) {
    spdlog::shutdown();
    std::_Exit(code);
  }
  return code;
}

// Returns what the daemon reported, in the process that the user waits for.
Status serve_in_background(const Plan& plan) {
  // A log is begun where there is a volume, and nowhere else.
  TRY(node::read_superblock(this_machine().files, plan.directory));
  node::Background background = TRY(node::Background::fork());
  if (!background.is_child()) return background.wait();
  ::umask(077);
  const std::string log = node::log_path(plan.directory);
  // Where nothing can be written there is no log either.
  if (!plan.read_only) {
    if (const Status logging = node::log_to_file(log); !logging.ok()) {
      background.report(logging, log);
      std::_Exit(kFailure);
    }
  }
  const int code = serve(plan, [&](const Status& status) {
    background.report(status, plan.read_only ? "/dev/null" : log);
  });
  spdlog::shutdown();
  std::_Exit(code);
}

Status serve_in_foreground(const Plan& plan) {
  node::log_to_stderr();
  Status failed;
  const int code = serve(plan, [&](const Status& status) { failed = status; });
  if (!failed.ok()) return failed;
  if (code != kSuccess) return Error(Code::kIo, "the volume was not closed as it should be");
  return {};
}

// The process that has the volume open mounts it as well.
Status ask_to_serve(node::ControlClient& client, const Plan& plan) {
  if (plan.foreground) {
    return Error(Code::kBusy, plan.directory +
                                  " is served by a process of its own already: without "
                                  "-f that one mounts it here too");
  }
  Watcher watcher;
  TRY(client.call({"mount", plan.request}, watcher));
  return {};
}

// A process that is just closing the volume, or a command that works on it, is in the way only for
// a while.
bool passes(const Error& error, bool somebody_listens) {
  if (!somebody_listens) return error.code() == Code::kBusy;
  return error.code() == Code::kIo || error.code() == Code::kUnavailable ||
         error.context() == node::kClosingMessage;
}

Status run_mount(const Arguments& given) {
  const Plan plan = TRY(plan_of(given));
  Patience patience(os::real_clock(), kPatienceNs);
  while (true) {
    const auto client = node::ControlClient::connect(node::socket_path(plan.directory));
    if (!client.ok() && client.code() != Code::kNotFound) return client.error();
    Status done;
    if (client.ok()) {
      done = ask_to_serve(**client, plan);
    } else {
      done = plan.foreground ? serve_in_foreground(plan) : serve_in_background(plan);
    }
    if (done.ok() || !passes(done.error(), client.ok()) || !patience.wait()) return done;
  }
}

}  // namespace

void add_mount(CLI::App& program, int& exit_code) {
  CLI::App& command = *program.add_subcommand("mount", "Mount a volume, or a moment of its past");
  const auto given = std::make_shared<Arguments>();
  command.add_option("DIR", given->directory, "The volume's directory")->required();
  command.add_option("MOUNTPOINT", given->mountpoint, "An existing directory")->required();
  command.add_flag("-f,--foreground", given->foreground,
                   "Stay in the foreground and log to standard error");
  command.add_flag("-s,--single-threaded", given->single_threaded, "Serve one request at a time");
  command.add_flag("--read-only", given->read_only,
                   "Change nothing, in the volume's directory too");
  command.add_option("--at", given->at,
                     "Mount this moment, read-only: a time, a sequence or a snapshot's name");
  command.add_option("-o", given->options,
                     "Options separated by commas: ro, noatime, allow_other, at=WHEN, ...");
  command.footer(
      "The volume is served by a process in the background until its last mount is gone.\n\n"
      "Examples:\n"
      "  nacre mount /srv/vol /mnt\n"
      "  nacre mount /srv/vol /mnt/then --at '2 hours ago'\n"
      "  mount -t fuse.nacre /srv/vol /mnt -o noatime\n"
      "  /srv/vol  /mnt  fuse.nacre  defaults,noatime  0  0      (a line of /etc/fstab)");
  on_command(command, exit_code, [given] { return run_mount(*given); });
}

}  // namespace nacre::cli
