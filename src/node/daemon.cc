#include "node/daemon.h"

#include <poll.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/errno.h"
#include "meta/moments.h"
#include "node/control_server.h"
#include "node/mounts.h"
#include "node/service.h"
#include "node/volume_directory.h"
#include "node/volume_paths.h"
#include "os/fd.h"

namespace nacre::node {

namespace {

constexpr int64_t kWriteBackNs =
    2'500'000'000;  // with the volume's commits, dirty data is at most 5 s old

// What the main thread waits for: signals, and mounts that end.
class Wakeups {
 public:
  Wakeups() {
    ::sigemptyset(&signals_);
    for (const int number : {SIGTERM, SIGINT}) ::sigaddset(&signals_, number);
    ::pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    ::signal(SIGHUP, SIG_IGN);
    ::signal(SIGPIPE, SIG_IGN);
    signal_fd_ = os::Fd(::signalfd(-1, &signals_, SFD_CLOEXEC));
    event_fd_ = os::Fd(::eventfd(0, EFD_CLOEXEC));
  }
  void mount_ended() {
    const uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(event_fd_.get(), &one, sizeof(one));
  }
  // True for a signal, false for a mount.
  bool wait() {
    std::array<pollfd, 2> waits = {pollfd{signal_fd_.get(), POLLIN, 0},
                                   pollfd{event_fd_.get(), POLLIN, 0}};
    while (::poll(waits.data(), waits.size(), -1) < 0 && errno == EINTR) {
    }
    if ((waits[0].revents & POLLIN) != 0) {
      signalfd_siginfo info = {};
      [[maybe_unused]] const auto taken = ::read(signal_fd_.get(), &info, sizeof(info));
      return true;
    }
    uint64_t count = 0;
    [[maybe_unused]] const auto taken = ::read(event_fd_.get(), &count, sizeof(count));
    return false;
  }

 private:
  sigset_t signals_ = {};
  os::Fd signal_fd_;
  os::Fd event_fd_;
};

Result<std::optional<Sequence>> moment(VolumeDirectory& directory,
                                       const std::optional<std::string>& at) {
  if (!at) return std::optional<Sequence>();
  const auto when = TRY(meta::parse_when(*at, directory.volume().clock().now()));
  return std::optional(TRY(meta::resolve(directory.rows(), when)));
}

void serve_until_unmounted(Wakeups& wakeups, Mounts& mounts) {
  while (!mounts.reap()) {
    if (wakeups.wait()) {
      spdlog::info("asked to end: unmounting");
      mounts.remove_all();
    }
  }
}

}  // namespace

Status run_daemon(device::Host host, const DaemonOptions& options, Mounter& mounter,
                  const std::function<void(const Status&)>& ready) {
  Wakeups wakeups;
  const auto fail = [&](Error error) -> Status {
    ready(error);
    return error;
  };
  auto opened = VolumeDirectory::open(host, options.volume, {.read_only = options.plan.read_only});
  if (!opened.ok()) return fail(std::move(opened).error());
  const auto directory = opened.take();
  std::unique_ptr<ControlServer> server;
  {
    Mounts mounts(directory->volume(), mounter, [&] { wakeups.mount_ended(); }, kWriteBackNs);
    Service service(*directory, &mounts);
    auto at = moment(*directory, options.at);
    if (!at.ok()) return fail(std::move(at).error());
    auto started = ControlServer::start(
        socket_path(options.volume),
        [&](const Request& request, Events& events) { return service.handle(request, events); },
        {.owner = ::getuid()});
    if (!started.ok()) return fail(std::move(started).error());
    server = started.take();
    auto mounted = mounts.add(options.plan, *at);
    if (!mounted.ok()) return fail(std::move(mounted).error());
    spdlog::info("{} is mounted at {}", options.volume, mounted->mountpoint);
    ready({});
    serve_until_unmounted(wakeups, mounts);
    server->stop();
  }
  const Status closed = directory->close();
  if (!closed.ok()) spdlog::error("closing {}: {}", options.volume, closed.error().to_string());
  server->farewell(closed);
  return closed;
}

}  // namespace nacre::node
