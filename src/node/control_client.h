// Asks the process that has a volume open. For one thread.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "node/line_stream.h"
#include "node/protocol.h"

namespace nacre::node {

class ControlClient {
 public:
  // kNotFound when no process listens at `path`; kAccess when this user may not ask it.
  static Result<std::unique_ptr<ControlClient>> connect(const std::string& path);

  // Sends the request and waits for its answer; what comes before it goes to `events`. When those
  // say that nobody listens, the connection is given up with kBusy. kUnavailable when the process
  // ends meanwhile.
  Result<Json> call(const Request& request, Events& events);
  // After an answer that is_closing(): waits until the process has closed the volume, and says how
  // that went.
  Status wait_for_close();

 private:
  explicit ControlClient(std::unique_ptr<os::Stream> stream) : lines_(std::move(stream)) {}
  Result<AnswerLine> read_line();

  LineStream lines_;
};

}  // namespace nacre::node
