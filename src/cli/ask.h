// Asking a volume: the process that has it open, or this one for the moment.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/progress_bar.h"
#include "device/device.h"
#include "node/protocol.h"

namespace nacre::cli {

// The machine this runs on.
device::Host this_machine();

// What a command says while it works: progress goes to a bar, rows of the answer to `on_item`, or
// are kept.
class Watcher final : public node::Events {
 public:
  explicit Watcher(std::function<void(const node::Json&)> on_item = {});

  bool progress(const node::Progress& progress) override;
  bool item(node::Json item) override;
  const std::vector<node::Json>& items() const { return items_; }

 private:
  const std::function<void(const node::Json&)> on_item_;
  ProgressBar bar_;
  std::vector<node::Json> items_;
  friend Result<node::Json> ask(const std::string&, const node::Request&, Watcher&, bool);
};

// Sends the request to the process that has the volume open. When there is none, opens it here,
// read-only unless it `changes` the volume, and closes it again. A process that is just closing it,
// or another such command, is waited for a little. Errors are the command's; kBusy names the
// process in the way.
Result<node::Json> ask(const std::string& volume, const node::Request& request, Watcher& watcher,
                       bool changes);

}  // namespace nacre::cli
