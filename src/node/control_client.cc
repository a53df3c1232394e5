#include "node/control_client.h"

#include "os/unix_socket.h"

namespace nacre::node {

Result<std::unique_ptr<ControlClient>> ControlClient::connect(const std::string& path) {
  auto stream = TRY(os::connect(path));
  return std::unique_ptr<ControlClient>(new ControlClient(std::move(stream)));
}

Result<AnswerLine> ControlClient::read_line() {
  const auto line = TRY(lines_.read(kMaxAnswerLineBytes));
  if (!line) {
    return Error(Code::kUnavailable, "the process that has the volume open ended meanwhile");
  }
  return decode_answer_line(*line);
}

Result<Json> ControlClient::call(const Request& request, Events& events) {
  // A peer that hung up while this was sent may have said why.
  const Status sent = lines_.write(to_line(encode(request)));
  while (true) {
    auto line = read_line();
    if (!line.ok()) return sent.ok() ? std::move(line).error() : sent.error();
    bool wanted = true;
    switch (line->kind) {
      case AnswerLine::Kind::kProgress:
        wanted = events.progress(line->progress);
        break;
      case AnswerLine::Kind::kItem:
        wanted = events.item(std::move(line->item));
        break;
      case AnswerLine::Kind::kAnswer:
        return std::move(line->answer);
    }
    if (!wanted) return Error(Code::kBusy, "interrupted");
  }
}

Status ControlClient::wait_for_close() {
  const auto line = TRY(read_line());
  if (line.kind != AnswerLine::Kind::kAnswer) {
    return Error(Code::kInvalid, "unexpected answer to `unmount`");
  }
  if (!line.answer.ok()) return line.answer.error();
  return {};
}

}  // namespace nacre::node
