// Fields of the service's answers as people and scripts see them, and errors.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "node/json.h"

namespace nacre::cli {

// The field as text; "-" for none. For texts, numbers and names (see node::json_of_bytes).
std::string cell(const node::Json& object, std::string_view field);
// 0 for none.
uint64_t number(const node::Json& object, std::string_view field);
bool flag(const node::Json& object, std::string_view field);
// A number of bytes as "1.5 GiB".
std::string size_cell(const node::Json& object, std::string_view field);
// A time as local time; "-" for none.
std::string time_cell(const node::Json& object, std::string_view field);
// The object or array in the field, or an empty one.
const node::Json& part(const node::Json& object, std::string_view field);

// "3 members, 2 well; STEP" of the field `etcd_members` of a status; empty for none.
std::string etcd_text(const node::Json& members);

// Over several lines, on standard output.
void print_json(const node::Json& value);
// "nacre: WHAT", on standard error.
void print_error(const Error& error);
void print_warning(std::string_view text);

}  // namespace nacre::cli
