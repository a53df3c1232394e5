// JSON as requests, answers and `--json` output use it. nlohmann-json throws when a value is not of
// the type asked for; nothing here does.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nacre::node {

using Json = nlohmann::ordered_json;

// One line without line breaks. Text that is no UTF-8 is made so, with U+FFFD.
std::string to_line(const Json& value);
// kInvalid unless `text` is one object.
Result<Json> parse_object(std::string_view text);

// File names are bytes, JSON text is UTF-8: a name that is no UTF-8 becomes {"bytes":
// "hexadecimal"}.
Json json_of_bytes(std::string_view bytes);
Json json_of_texts(const std::vector<std::string>& texts);
// For readers that take nothing but UTF-8: what is none is replaced by U+FFFD.
std::string valid_utf8(std::string_view text);
// The inverse of json_of_bytes(); kInvalid for anything else.
Result<std::string> bytes_of_json(const Json& value);

// The arguments of a request: each is asked for by name and type, and what was not asked for is an
// error. Refers to the object it is made of.
class Arguments {
 public:
  explicit Arguments(const Json& object) : object_(object) {}

  // kInvalid names the argument that is missing or of another type.
  Result<std::string> text(std::string_view name);
  Result<std::optional<std::string>> optional_text(std::string_view name);
  Result<std::optional<uint64_t>> optional_number(std::string_view name);
  // False when it is not given.
  Result<bool> flag(std::string_view name);
  // An array of texts; empty when it is not given.
  Result<std::vector<std::string>> texts(std::string_view name);
  // An object, null when it is not given.
  Result<const Json*> optional_object(std::string_view name);
  // kInvalid when there is an argument that none of the calls before asked for.
  Status finish() const;

 private:
  const Json* find(std::string_view name);

  const Json& object_;
  std::vector<std::string> asked_;
};

}  // namespace nacre::node
