// What travels over the control socket, and between a command and the service in one process: one
// JSON object a line.
//
//   → {"command": "history", "arguments": {"path": "/a.txt"}}
//   ← {"progress": {"phase": "reading", "done": 4096, "total": 8192, "unit": "bytes"}}   any number
//   ← {"item": {...}}                                                                    any number
//   ← {"ok": true, "result": {...}}   or   {"ok": false, "error": {"code": "busy", "message":
//   "..."}}
//
// After its answer a connection takes the next request. But where the result says "closing": true,
// the process is about to end, and one more answer follows when the volume is closed. Names of
// commands, arguments and fields may be added, never changed. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/result.h"
#include "node/json.h"

namespace nacre::node {

inline constexpr size_t kMaxRequestBytes = size_t{64} << 10;
inline constexpr size_t kMaxAnswerLineBytes = size_t{1} << 20;
inline constexpr const char* kClosingField = "closing";
// With kBusy: nothing more is served, and soon somebody else may open the volume.
inline constexpr const char* kClosingMessage = "the volume is being closed; try again";

struct Request {
  std::string command;
  Json arguments = Json::object();
};

struct Progress {
  std::string phase;  // "checking blocks"
  uint64_t done = 0;
  uint64_t total = 0;  // 0: not known
  std::string unit;    // "bytes", or what is counted: "rows"
};

// Where a command says how it goes on. Called from the thread that runs the command.
class Events {
 public:
  virtual ~Events() = default;
  // Both: false when nobody listens any more, and the command may stop.
  virtual bool progress(const Progress& progress) = 0;
  // One row of an answer that may have very many.
  virtual bool item(Json item) = 0;
};

Json encode(const Request& request);
// kInvalid says what is wrong with it.
Result<Request> decode_request(std::string_view line);

Json progress_line(const Progress& progress);
Json item_line(Json item);
Json answer_line(const Result<Json>& answer);
// Whether a result announces the end of the process.
bool is_closing(const Json& result);

// One line of an answer, as the client sees it.
struct AnswerLine {
  enum class Kind { kProgress, kItem, kAnswer };
  Kind kind = Kind::kAnswer;
  Progress progress;
  Json item;
  Result<Json> answer = Json();
};
// kInvalid for what no service says.
Result<AnswerLine> decode_answer_line(std::string_view line);

// The inverse of name_of(Code); kIo for a name from a later version.
Code code_named(std::string_view name);

}  // namespace nacre::node
