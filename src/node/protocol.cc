#include "node/protocol.h"

#include <fmt/format.h>

namespace nacre::node {
namespace {

Result<Progress> decode_progress(const Json& value) {
  if (!value.is_object()) return Code::kInvalid;
  Arguments fields(value);
  Progress progress;
  progress.phase = TRY(fields.text("phase"));
  progress.done = TRY(fields.optional_number("done")).value_or(0);
  progress.total = TRY(fields.optional_number("total")).value_or(0);
  progress.unit = TRY(fields.optional_text("unit")).value_or("");
  return progress;
}

Result<Result<Json>> decode_error(const Json& value) {
  if (!value.is_object()) return Error(Code::kInvalid);
  Arguments fields(value);
  const std::string code = TRY(fields.text("code"));
  return Result<Json>(Error(code_named(code), TRY(fields.text("message"))));
}

Result<AnswerLine> decode_fields(const Json& line) {
  AnswerLine answer;
  if (line.contains("progress")) {
    answer.kind = AnswerLine::Kind::kProgress;
    answer.progress = TRY(decode_progress(line["progress"]));
  } else if (line.contains("item")) {
    answer.kind = AnswerLine::Kind::kItem;
    answer.item = line["item"];
  } else if (!line.contains("ok") || !line["ok"].is_boolean()) {
    return Code::kInvalid;
  } else if (line["ok"].get<bool>()) {
    if (!line.contains("result")) return Code::kInvalid;
    answer.answer = line["result"];
  } else {
    if (!line.contains("error")) return Code::kInvalid;
    answer.answer = TRY(decode_error(line["error"]));
  }
  return answer;
}

}  // namespace

Json encode(const Request& request) {
  return {{"command", request.command}, {"arguments", request.arguments}};
}

Result<Request> decode_request(std::string_view line) {
  const Json object = TRY(parse_object(line));
  Arguments fields(object);
  Request request;
  request.command = TRY(fields.text("command"));
  const Json* arguments = TRY(fields.optional_object("arguments"));
  if (arguments != nullptr) request.arguments = *arguments;
  TRY(fields.finish());
  return request;
}

Json progress_line(const Progress& progress) {
  return {{"progress",
           {{"phase", progress.phase},
            {"done", progress.done},
            {"total", progress.total},
            {"unit", progress.unit}}}};
}

Json item_line(Json item) {
  Json line = Json::object();
  line["item"] = std::move(item);
  return line;
}

Json answer_line(const Result<Json>& answer) {
  if (answer.ok()) return {{"ok", true}, {"result", *answer}};
  const Error& error = answer.error();
  return {{"ok", false},
          {"error", {{"code", name_of(error.code())}, {"message", error.context()}}}};
}

bool is_closing(const Json& result) {
  return result.is_object() && result.contains(kClosingField) &&
         result[kClosingField].is_boolean() && result[kClosingField].get<bool>();
}

Result<AnswerLine> decode_answer_line(std::string_view line) {
  const Json object = TRY(parse_object(line));
  auto answer = decode_fields(object);
  if (!answer.ok()) {
    return Error(Code::kInvalid, fmt::format("unexpected answer `{:.200}`", line));
  }
  return answer;
}

Code code_named(std::string_view name) {
  for (int code = 0; code <= static_cast<int>(Code::kCancelled); ++code) {
    if (name_of(static_cast<Code>(code)) == name) return static_cast<Code>(code);
  }
  return Code::kIo;
}

}  // namespace nacre::node
