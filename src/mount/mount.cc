#include "mount/mount.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "mount/negotiate.h"

namespace nacre::mount {
namespace {

// Beyond these, requests wait for those that wait.
constexpr size_t kMostWorkers = 256;
// How long no worker comes back before there are to be more of them. Longer than a disk takes, most
// of the time.
constexpr std::chrono::milliseconds kShortFor(50);

int worker_count(const Options& options) {
  return options.single_threaded ? 1 : std::max(options.workers, 1);
}

// Write-back needs a second thread: what the kernel holds is fetched by one while another waits for
// it. Without a writer it would only make the kernel ignore the sizes we tell it.
bool wants_write_back(const Options& options) {
  return options.write_back && !options.read_only && worker_count(options) > 1;
}

// Reads INIT, the first message of a connection, and answers it.
Result<Features> shake_hands(Connection& connection, const Options& options) {
  std::array<std::byte, FUSE_MIN_READ_BUFFER> buffer;
  Connection::Received received = connection.receive(buffer);
  while (received.event == Connection::Event::kNothing) received = connection.receive(buffer);
  if (received.event == Connection::Event::kUnmounted) {
    return Error(Code::kIo, "unmounted by somebody else during the mount");
  }
  const Request request = TRY(parse_request(received.message));
  Arguments in(request.arguments);
  const auto offer =
      in.fixed<fuse_init_in>(std::min(request.arguments.size(), sizeof(fuse_init_in)));
  if (request.opcode != FUSE_INIT || request.arguments.size() < abi::kOldInitInBytes) {
    return Error(Code::kUnsupported, "the kernel did not begin with INIT");
  }
  const Result<Agreement> agreement = negotiate(offer, wants_write_back(options));
  if (!agreement.ok()) {
    connection.reply(request.unique, EPROTO, {});
    return agreement.error();
  }
  const ByteView answer = std::as_bytes(std::span(&agreement->answer, 1));
  connection.reply(request.unique, 0, std::span(&answer, 1));
  return agreement->features;
}

}  // namespace

Result<std::unique_ptr<Mount>> Mount::mount(fs::Tree& tree, const std::string& mountpoint,
                                            const Options& options) {
  std::string path = TRY(check_mountpoint(mountpoint));
  auto connection = std::make_unique<Connection>(TRY(attach(path, options)));
  const Result<Features> features = shake_hands(*connection, options);
  if (!features.ok()) {
    [[maybe_unused]] const Status detached = detach(path, DetachMode::kLazy);
    return features.error();
  }
  raise_read_ahead(path);
  return std::unique_ptr<Mount>(
      new Mount(tree, std::move(path), options, std::move(connection), *features));
}

Mount::Mount(fs::Tree& tree, std::string mountpoint, const Options& options,
             std::unique_ptr<Connection> connection, const Features& features)
    : mountpoint_(std::move(mountpoint)),
      connection_(std::move(connection)),
      notifier_(*connection_),
      session_{.tree = tree,
               .notifier = notifier_,
               .features = features,
               .cache_missing_names = options.cache_missing_names,
               .uncached = {},
               .listers = {}},
      may_add_workers_(!options.single_threaded) {
  if (features.write_back) tree.leave_times_to_kernel();
  const os::Lock lock(workers_mutex_);
  for (int i = 0; i < worker_count(options); ++i) add_worker();
}

void Mount::add_worker() {
  const Workplace place = {.session = session_, .door = door_, .shared = *connection_};
  workers_.push_back(std::make_unique<Worker>(place, clone_connection()));
}

void Mount::add_workers_when_short() {
  while (door_.wait_until_short(kShortFor)) {
    const os::Lock lock(workers_mutex_);
    const size_t wanted = std::min(workers_.size() * 2, kMostWorkers);
    // Without connections of their own, workers do not come to the door.
    if (workers_.size() == wanted || clones_.size() < workers_.size()) return;
    for (size_t i = workers_.size(); i < wanted; ++i) {
      add_worker();
      workers_.back()->start(fmt::format("nacre-fuse-{}", i));
    }
  }
}

Connection* Mount::clone_connection() {
  Result<os::Fd> device = connection_->clone();
  if (!device.ok()) return nullptr;
  return clones_.emplace_back(std::make_unique<Connection>(device.take())).get();
}

Mount::~Mount() {
  if (!ended() && !unmount().ok()) {
    [[maybe_unused]] const Status lazily = unmount(DetachMode::kLazy);
  }
  wait();
}

bool Mount::ended() const {
  const os::Lock lock(workers_mutex_);
  return connection_->ended() ||
         std::ranges::any_of(clones_, [](const auto& clone) { return clone->ended(); });
}

void Mount::start() {
  notifier_.start();
  const os::Lock lock(workers_mutex_);
  for (size_t i = 0; i < workers_.size(); ++i) workers_[i]->start(fmt::format("nacre-fuse-{}", i));
  if (may_add_workers_) {
    staffing_ = os::Thread("nacre-staffing", [this] { add_workers_when_short(); });
  }
}

void Mount::wait() {
  const os::Lock waiting(wait_mutex_);
  Worker* first = nullptr;
  {
    const os::Lock lock(workers_mutex_);
    first = workers_.front().get();
  }
  first->join();  // the door is closed then
  staffing_.join();
  std::vector<Worker*> workers;
  {
    const os::Lock lock(workers_mutex_);
    for (const auto& worker : workers_) workers.push_back(worker.get());
  }
  for (Worker* const worker : workers) worker->join();
  notifier_.stop();
}

void Mount::serve() {
  start();
  wait();
}

Status Mount::unmount(DetachMode mode) { return detach(mountpoint_, mode); }

Stats Mount::stats() const {
  Stats stats;
  const os::Lock lock(workers_mutex_);
  for (const auto& worker : workers_) worker->counts().add_to(stats);
  return stats;
}

void Mount::notify_inval_inode(InodeId ino, uint64_t offset, uint64_t length) {
  notifier_.invalidate_inode(ino, offset, length);
}

void Mount::notify_inval_entry(InodeId parent, const std::string& name) {
  notifier_.invalidate_entry(parent, name);
}

}  // namespace nacre::mount
