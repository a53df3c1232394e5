#include "cli/ask.h"

#include <unistd.h>

#include <chrono>

#include "cli/pause.h"
#include "cli/terminal.h"
#include "node/control_client.h"
#include "node/log.h"
#include "node/service.h"
#include "node/volume_directory.h"
#include "node/volume_paths.h"
#include "os/random.h"

namespace nacre::cli {
namespace {

constexpr int64_t kPatienceNs = 5'000'000'000;

Result<node::Json> ask_here(const std::string& volume, const node::Request& request,
                            node::Events& events, bool changes) {
  node::log_for_command();
  const auto directory =
      TRY(node::VolumeDirectory::open(this_machine(), volume, {.read_only = !changes}));
  auto answer = node::Service(*directory, nullptr).handle(request, events);
  const Status closed = directory->close();
  if (answer.ok() && !closed.ok()) return closed.error();
  return answer;
}

Error explained(const std::string& volume, const Error& error) {
  if (error.code() != Code::kAccess) return error;
  return Error(Code::kAccess,
               volume + " belongs to another user, and only that user and root may command it");
}

}  // namespace

device::Host this_machine() {
  return {os::real_file_system(), os::real_clock(), os::real_random()};
}

Watcher::Watcher(std::function<void(const node::Json&)> on_item)
    : on_item_(std::move(on_item)), bar_(os::real_clock(), is_terminal(STDERR_FILENO)) {}

bool Watcher::progress(const node::Progress& progress) {
  bar_.show(progress);
  return true;
}

bool Watcher::item(node::Json item) {
  if (on_item_) {
    bar_.clear();
    on_item_(item);
  } else {
    items_.push_back(std::move(item));
  }
  return true;
}

Result<node::Json> ask(const std::string& volume, const node::Request& request, Watcher& watcher,
                       bool changes) {
  Patience patience(os::real_clock(), kPatienceNs);
  while (true) {
    const auto client = node::ControlClient::connect(node::socket_path(volume));
    if (!client.ok() && client.code() != Code::kNotFound) return explained(volume, client.error());
    auto answer = client.ok() ? (*client)->call(request, watcher)
                              : ask_here(volume, request, watcher, changes);
    watcher.bar_.clear();
    // Only whoever found nobody listening can be told that the volume is in use.
    const bool try_again = !answer.ok() && answer.code() == Code::kBusy && !client.ok();
    if (!try_again || !patience.wait()) return answer;
  }
}

}  // namespace nacre::cli
