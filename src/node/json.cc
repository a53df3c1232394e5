#include "node/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace nacre::node {
namespace {

constexpr const char* kBytes = "bytes";

Error wrong_type(std::string_view name, const char* wanted) {
  return Error(Code::kInvalid, fmt::format("argument `{}` must be {}", name, wanted));
}

bool is_utf8(std::string_view bytes) {
  // The library's own judgement: the only one that matters when it writes.
  try {
    (void)nlohmann::json(bytes).dump();
    return true;
  } catch (const nlohmann::json::exception&) {
    return false;
  }
}

}  // namespace

std::string to_line(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Json> parse_object(std::string_view text) {
  Json value = Json::parse(text, nullptr, false);
  if (value.is_discarded()) return Error(Code::kInvalid, "this is no JSON");
  if (!value.is_object()) return Error(Code::kInvalid, "this is no JSON object");
  return value;
}

Json json_of_bytes(std::string_view bytes) {
  if (is_utf8(bytes)) return bytes;
  std::string hex;
  for (const char byte : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return {{kBytes, hex}};
}

Json json_of_texts(const std::vector<std::string>& texts) {
  Json list = Json::array();
  for (const std::string& text : texts) list.push_back(json_of_bytes(text));
  return list;
}

std::string valid_utf8(std::string_view text) {
  if (is_utf8(text)) return std::string(text);
  return Json::parse(to_line(text)).get<std::string>();
}

Result<std::string> bytes_of_json(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  const Error bad(Code::kInvalid, "expected a text, or {\"bytes\": \"hexadecimal digits\"}");
  if (!value.is_object() || value.size() != 1 || !value.contains(kBytes)) return bad;
  const Json& digits = value[kBytes];
  if (!digits.is_string()) return bad;
  const std::string hex = digits.get<std::string>();
  if (hex.size() % 2 != 0) return bad;
  std::string bytes;
  for (size_t at = 0; at < hex.size(); at += 2) {
    uint8_t byte = 0;
    const char* const end = hex.data() + at + 2;
    if (std::from_chars(hex.data() + at, end, byte, 16).ptr != end) return bad;
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

const Json* Arguments::find(std::string_view name) {
  asked_.emplace_back(name);
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

Result<std::string> Arguments::text(std::string_view name) {
  const auto value = TRY(optional_text(name));
  if (!value) return Error(Code::kInvalid, fmt::format("argument `{}` is missing", name));
  return *value;
}

Result<std::optional<std::string>> Arguments::optional_text(std::string_view name) {
  const Json* value = find(name);
  if (value == nullptr) return std::optional<std::string>();
  auto bytes = bytes_of_json(*value);
  if (!bytes.ok()) return wrong_type(name, "a text");
  return std::optional(bytes.take());
}

Result<std::optional<uint64_t>> Arguments::optional_number(std::string_view name) {
  const Json* value = find(name);
  if (value == nullptr) return std::optional<uint64_t>();
  const bool natural =
      value->is_number_unsigned() || (value->is_number_integer() && value->get<int64_t>() >= 0);
  if (!natural) return wrong_type(name, "a number that is not negative");
  return std::optional(value->get<uint64_t>());
}

Result<bool> Arguments::flag(std::string_view name) {
  const Json* value = find(name);
  if (value == nullptr) return false;
  if (!value->is_boolean()) return wrong_type(name, "true or false");
  return value->get<bool>();
}

Result<std::vector<std::string>> Arguments::texts(std::string_view name) {
  std::vector<std::string> list;
  const Json* value = find(name);
  if (value == nullptr) return list;
  if (!value->is_array()) return wrong_type(name, "a list of texts");
  for (const Json& element : *value) {
    auto bytes = bytes_of_json(element);
    if (!bytes.ok()) return wrong_type(name, "a list of texts");
    list.push_back(bytes.take());
  }
  return list;
}

Result<const Json*> Arguments::optional_object(std::string_view name) {
  const Json* value = find(name);
  if (value != nullptr && !value->is_object()) return wrong_type(name, "an object");
  return value;
}

Status Arguments::finish() const {
  for (const auto& [name, value] : object_.items()) {
    if (std::ranges::find(asked_, name) == asked_.end()) {
      return Error(Code::kInvalid, fmt::format("unknown argument `{}`", name));
    }
  }
  return {};
}

}  // namespace nacre::node
