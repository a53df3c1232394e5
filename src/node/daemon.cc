#include "node/daemon.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "node/volume_paths.h"

namespace nacre::node {
namespace {

class NoEvents final : public Events {
 public:
  bool progress(const Progress&) override { return true; }
  bool item(Json) override { return true; }
};

}  // namespace

Result<std::unique_ptr<Daemon>> Daemon::start(device::Host host, Mounter& mounter,
                                              const std::string& directory,
                                              const DaemonOptions& options) {
  std::unique_ptr<Daemon> daemon(new Daemon());
  daemon->patience_ns_ = options.patience_ns;
  daemon->wake_ = TRY(WakeQueue::open());
  daemon->directory_ =
      TRY(VolumeDirectory::open(host, directory, {.read_only = options.read_only}));
  daemon->mounts_ = std::make_unique<Mounts>(
      daemon->directory_->volume(), mounter, [wake = daemon->wake_.get()] { wake->wake(); },
      options.read_only ? 0 : options.write_back_interval_ns);
  if (options.stays) daemon->mounts_->stay();
  daemon->service_ = std::make_unique<Service>(*daemon->directory_, daemon->mounts_.get());
  daemon->server_ = TRY(ControlServer::start(
      socket_path(directory),
      [service = daemon->service_.get()](const Request& request, Events& events) {
        return service->handle(request, events);
      },
      {.owner = ::geteuid()}));
  spdlog::info("{} is open{}", directory, options.read_only ? " read-only" : "");
  return daemon;
}

Daemon::~Daemon() = default;

Result<Json> Daemon::mount(const Json& arguments) {
  NoEvents events;
  return service_->handle({"mount", arguments}, events);
}

Status Daemon::run() {
  serve();
  server_->stop();
  const std::string path = directory_->path();
  const Status closed = close();
  if (closed.ok()) {
    spdlog::info("{} is closed", path);
  } else {
    spdlog::error("closing {}: {}", path, closed.error().to_string());
  }
  server_->farewell(closed);
  return closed;
}

void Daemon::serve() {
  os::Clock& clock = directory_->host().clock;
  std::optional<int64_t> deadline_ns;
  while (!mounts_->reap()) {
    std::optional<int64_t> limit_ns;
    if (deadline_ns) limit_ns = *deadline_ns - clock.monotonic_ns();
    switch (wake_->wait(limit_ns)) {
      case WakeQueue::Event::kWoken:
        break;
      case WakeQueue::Event::kSignal:
        stuck_ = deadline_ns.has_value();
        deadline_ns = clock.monotonic_ns() + patience_ns_;
        spdlog::info("asked to end by a signal");
        if (!stuck_) mounts_->remove_all();
        break;
      case WakeQueue::Event::kTimeout:
        stuck_ = true;
        break;
    }
    if (stuck_) {
      spdlog::warn("a mount is still in use; its programs will see errors");
      return;
    }
  }
}

// While a mount is served nothing under it can be taken away.
Status Daemon::close() {
  if (stuck_) return directory_->volume().close();
  mounts_.reset();
  return directory_->close();
}

}  // namespace nacre::node
