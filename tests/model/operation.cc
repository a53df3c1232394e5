#include "model/operation.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>

namespace nacre::model {

namespace {

struct Syntax {
  Kind kind;
  std::string_view word;
  std::string_view value;  // what the fields are called
  std::string_view extra;
};

constexpr std::array kSyntax = {
    Syntax{Kind::kCreate, "create", "mode", ""},
    Syntax{Kind::kMkdir, "mkdir", "mode", ""},
    Syntax{Kind::kSymlink, "symlink", "", ""},
    Syntax{Kind::kMknod, "mknod", "mode", "type"},
    Syntax{Kind::kLink, "link", "", ""},
    Syntax{Kind::kUnlink, "unlink", "", ""},
    Syntax{Kind::kRmdir, "rmdir", "", ""},
    Syntax{Kind::kRename, "rename", "", ""},
    Syntax{Kind::kRenameNew, "rename_new", "", ""},
    Syntax{Kind::kExchange, "exchange", "", ""},
    Syntax{Kind::kWrite, "write", "fill", ""},
    Syntax{Kind::kWriteCached, "write_cached", "fill", ""},
    Syntax{Kind::kWriteDurable, "write_durable", "fill", ""},
    Syntax{Kind::kWriteKilling, "write_killing", "fill", ""},
    Syntax{Kind::kRead, "read", "", ""},
    Syntax{Kind::kTruncate, "truncate", "", ""},
    Syntax{Kind::kAllocate, "allocate", "", ""},
    Syntax{Kind::kAllocateKeep, "allocate_keep", "", ""},
    Syntax{Kind::kPunch, "punch", "", ""},
    Syntax{Kind::kZero, "zero", "", ""},
    Syntax{Kind::kZeroKeep, "zero_keep", "", ""},
    Syntax{Kind::kSeekData, "seek_data", "", ""},
    Syntax{Kind::kSeekHole, "seek_hole", "", ""},
    Syntax{Kind::kRestore, "restore", "", ""},
    Syntax{Kind::kCopy, "copy", "", "to_offset"},
    Syntax{Kind::kStat, "stat", "", ""},
    Syntax{Kind::kReadlink, "readlink", "", ""},
    Syntax{Kind::kChmod, "chmod", "mode", ""},
    Syntax{Kind::kChown, "chown", "uid", "gid"},
    Syntax{Kind::kUtimes, "utimes", "atime", "mtime"},
    Syntax{Kind::kSetXattr, "set_xattr", "fill", ""},
    Syntax{Kind::kCreateXattr, "create_xattr", "fill", ""},
    Syntax{Kind::kReplaceXattr, "replace_xattr", "fill", ""},
    Syntax{Kind::kGetXattr, "get_xattr", "", ""},
    Syntax{Kind::kRemoveXattr, "remove_xattr", "", ""},
    Syntax{Kind::kListXattrs, "list_xattrs", "", ""},
    Syntax{Kind::kList, "list", "", ""},
    Syntax{Kind::kScan, "scan", "slot", ""},
    Syntax{Kind::kScanOn, "scan_on", "slot", ""},
    Syntax{Kind::kHold, "hold", "slot", ""},
    Syntax{Kind::kRelease, "release", "slot", ""},
    Syntax{Kind::kSync, "sync", "", ""},
    Syntax{Kind::kCommit, "commit", "", ""},
    Syntax{Kind::kSnapshot, "snapshot", "number", ""},
    Syntax{Kind::kStatfs, "statfs", "", ""},
    Syntax{Kind::kReopen, "reopen", "", ""},
    Syntax{Kind::kAbandon, "abandon", "", ""},
    Syntax{Kind::kFault, "fault", "calls", "broken"},
    Syntax{Kind::kPowerCut, "power_cut", "operations", "again"},
    Syntax{Kind::kTick, "tick", "", ""},
    Syntax{Kind::kCompact, "compact", "", ""},
    Syntax{Kind::kClean, "clean", "", ""},
    Syntax{Kind::kPrune, "prune", "moment", ""},
    Syntax{Kind::kUnpin, "unpin", "number", ""},
    Syntax{Kind::kCheck, "check", "", ""},
};

const Syntax& syntax_of(Kind kind) {
  for (const Syntax& syntax : kSyntax) {
    if (syntax.kind == kind) return syntax;
  }
  return kSyntax.back();
}

// Spaces, percent signs and what cannot be printed become %XX.
std::string escape(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c > ' ' && c < 0x7F && c != '%') {
      escaped.push_back(c);
    } else {
      escaped += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return escaped;
}

std::optional<std::string> unescape(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain.push_back(text[i]);
      continue;
    }
    unsigned value = 0;
    if (i + 2 >= text.size()) return std::nullopt;
    const char* end = text.data() + i + 3;
    const auto [at, error] = std::from_chars(text.data() + i + 1, end, value, 16);
    if (error != std::errc() || at != end) return std::nullopt;
    plain.push_back(static_cast<char>(value));
    i += 2;
  }
  return plain;
}

std::string_view take_word(std::string_view& line) {
  const size_t begin = std::min(line.find_first_not_of(' '), line.size());
  const size_t end = std::min(line.find(' ', begin), line.size());
  const std::string_view word = line.substr(begin, end - begin);
  line.remove_prefix(end);
  return word;
}

bool take_field(const Syntax& syntax, std::string_view name, std::string_view text,
                Operation& operation) {
  if (name == "to") {
    auto plain = unescape(text);
    if (plain) operation.to = std::move(*plain);
    return plain.has_value();
  }
  uint64_t* number = nullptr;
  if (name == "offset") number = &operation.offset;
  if (name == "length") number = &operation.length;
  if (name == syntax.value) number = &operation.value;
  if (name == syntax.extra) number = &operation.extra;
  if (number == nullptr) return false;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, *number, name == "mode" ? 8 : 10);
  return error == std::errc() && at == end;
}

}  // namespace

std::string to_string(const Operation& operation) {
  const Syntax& syntax = syntax_of(operation.kind);
  std::string line(syntax.word);
  if (!operation.path.empty()) line += " " + escape(operation.path);
  if (!operation.to.empty()) line += " to=" + escape(operation.to);
  if (operation.offset != 0) line += fmt::format(" offset={}", operation.offset);
  if (operation.length != 0) line += fmt::format(" length={}", operation.length);
  if (!syntax.value.empty()) {
    line += syntax.value == "mode" ? fmt::format(" mode={:o}", operation.value)
                                   : fmt::format(" {}={}", syntax.value, operation.value);
  }
  if (!syntax.extra.empty()) line += fmt::format(" {}={}", syntax.extra, operation.extra);
  return line;
}

std::string to_string(const Script& script) {
  std::string text;
  for (const Operation& operation : script) text += to_string(operation) + "\n";
  return text;
}

Result<Operation> parse_operation(std::string_view line) {
  const Error bad(Code::kInvalid, "not an operation: '" + std::string(line) + "'");
  std::string_view rest = line;
  const std::string_view word = take_word(rest);
  const Syntax* syntax = nullptr;
  for (const Syntax& known : kSyntax) {
    if (known.word == word) syntax = &known;
  }
  if (syntax == nullptr) return bad;
  Operation operation;
  operation.kind = syntax->kind;
  for (std::string_view field = take_word(rest); !field.empty(); field = take_word(rest)) {
    if (field[0] == '/' || field[0] == '@' || field[0] == '~') {
      auto path = unescape(field);
      if (!path) return bad;
      operation.path = std::move(*path);
      continue;
    }
    const size_t sign = field.find('=');
    if (sign == std::string_view::npos) return bad;
    if (!take_field(*syntax, field.substr(0, sign), field.substr(sign + 1), operation)) return bad;
  }
  return operation;
}

Result<Script> parse_script(std::string_view text) {
  Script script;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const size_t first = line.find_first_not_of(' ');
    if (first == std::string_view::npos || line[first] == '#') continue;
    script.push_back(TRY(parse_operation(line)));
  }
  return script;
}

std::string bytes_of(uint64_t fill, uint64_t length) {
  std::string bytes(length, '\0');
  if (fill == 0) return bytes;
  for (uint64_t i = 0; i < length; ++i) {
    bytes[i] = static_cast<char>(fill * 131 + i * 7 + (i >> 8) * 13 + (i >> 16) * 29);
  }
  return bytes;
}

}  // namespace nacre::model
