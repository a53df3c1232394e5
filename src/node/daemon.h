// The process that serves the mounts of one volume: opens it, takes commands on its control socket,
// and ends when the last mount is gone, by umount(8), by command or by a signal. One that stays
// goes on without a mount, to keep the volume's bucket up to date, and ends by a signal alone.
//
// start(), mount() and run() are for one thread, in this order, in a process that has no other
// threads yet.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "node/control_server.h"
#include "node/mounts.h"
#include "node/service.h"
#include "node/volume_directory.h"
#include "node/wake.h"

namespace nacre::node {

struct DaemonOptions {
  bool read_only = false;
  bool stays = false;
  int64_t write_back_interval_ns = 2'500'000'000;  // with the volume's commits: durable within 5 s
  int64_t patience_ns = 10'000'000'000;            // with those who use a mount when a signal came
};

class Daemon {
 public:
  // Errors are those of VolumeDirectory::open() and of the control socket.
  static Result<std::unique_ptr<Daemon>> start(device::Host host, Mounter& mounter,
                                               const std::string& directory,
                                               const DaemonOptions& options);
  // Detaches what is still mounted, and leaves the volume as by a crash unless run() closed it.
  ~Daemon();

  // What the command `mount` does, see commands.h.
  Result<Json> mount(const Json& arguments);

  // Returns when everything is unmounted and the volume is closed: at once when there is no mount,
  // unless it stays.
  // A signal unmounts all; mounts still in use then are detached from sight, and after some
  // patience, or a second signal, left to fail.
  Status run();
  // Whether a mount was left in use: everything is committed, but the process can only exit without
  // destroying this.
  bool stuck() const { return stuck_; }

 private:
  Daemon() = default;
  void serve();
  Status close();

  int64_t patience_ns_ = 0;
  bool stuck_ = false;
  // Each uses those before it.
  std::unique_ptr<WakeQueue> wake_;
  std::unique_ptr<VolumeDirectory> directory_;
  std::unique_ptr<Mounts> mounts_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<ControlServer> server_;
};

}  // namespace nacre::node
