#include "cli/output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "base/units.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "meta/moments.h"

namespace nacre::cli {
namespace {

const node::Json* find(const node::Json& object, std::string_view field) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(field);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

void print_line(const char* colour, std::string_view text) {
  const bool colours = shows_colours(STDERR_FILENO);
  fmt::print(stderr, "{}nacre:{} {}\n", colours ? colour : "", colours ? "\033[0m" : "",
             printable(text));
}

}  // namespace

std::string cell(const node::Json& object, std::string_view field) {
  const node::Json* value = find(object, field);
  if (value == nullptr) return "-";
  if (const auto text = node::bytes_of_json(*value); text.ok()) return printable(*text);
  return node::to_line(*value);
}

uint64_t number(const node::Json& object, std::string_view field) {
  const node::Json* value = find(object, field);
  return value != nullptr && value->is_number_unsigned() ? value->get<uint64_t>()
         : value != nullptr && value->is_number_integer() && value->get<int64_t>() > 0
             ? value->get<uint64_t>()
             : 0;
}

bool flag(const node::Json& object, std::string_view field) {
  const node::Json* value = find(object, field);
  return value != nullptr && value->is_boolean() && value->get<bool>();
}

std::string size_cell(const node::Json& object, std::string_view field) {
  return format_size(number(object, field));
}

std::string time_cell(const node::Json& object, std::string_view field) {
  const std::string text = cell(object, field);
  const auto when = meta::parse_when(text, {});
  const bool is_time = when.ok() && when->kind == meta::When::Kind::kTime && !when->relative;
  return is_time ? local_time(when->time) : text;
}

const node::Json& part(const node::Json& object, std::string_view field) {
  static const node::Json kNothing = node::Json::object();
  const node::Json* value = find(object, field);
  return value == nullptr ? kNothing : *value;
}

std::string etcd_text(const node::Json& members) {
  if (members.empty()) return {};
  const uint64_t voters = number(members, "voters");
  std::string text = fmt::format("{} member{}, {} well", voters, voters == 1 ? "" : "s",
                                 cell(members, "voters_healthy"));
  for (const char* const field : {"step", "trouble"}) {
    const std::string more = cell(members, field);
    if (!more.empty() && more != "-") text += "; " + more;
  }
  return text;
}

void print_json(const node::Json& value) {
  fmt::print("{}\n", value.dump(2, ' ', false, node::Json::error_handler_t::replace));
}

void print_error(const Error& error) {
  print_line("\033[1;31m", error.context().empty() ? name_of(error.code()) : error.context());
}

void print_warning(std::string_view text) { print_line("\033[1;33m", text); }

}  // namespace nacre::cli
