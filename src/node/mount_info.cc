#include "node/mount_info.h"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace nacre::node {
namespace {

bool is_octal(std::string_view digits) {
  return std::ranges::all_of(digits, [](char digit) { return digit >= '0' && digit <= '7'; });
}

// The kernel writes space, tab, line break and backslash as \ooo.
std::string unescaped(std::string_view text) {
  std::string plain;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 3 < text.size() && is_octal(text.substr(at + 1, 3))) {
      const int value = (text[at + 1] - '0') * 64 + (text[at + 2] - '0') * 8 + (text[at + 3] - '0');
      plain += static_cast<char>(value);
      at += 3;
    } else {
      plain += text[at];
    }
  }
  return plain;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool has_option(std::string_view options, std::string_view wanted) {
  return std::ranges::count(split(options, ','), wanted) != 0;
}

// id parent device root mountpoint options [tag...] - type source options
std::optional<MountInfo> parse_line(std::string_view line) {
  const std::vector<std::string_view> fields = split(line, ' ');
  const auto dash = std::ranges::find(fields, "-");
  if (dash - fields.begin() < 6 || fields.end() - dash < 4) return std::nullopt;
  return MountInfo{.device = std::string(fields[2]),
                   .root = unescaped(fields[3]),
                   .mountpoint = unescaped(fields[4]),
                   .type = unescaped(dash[1]),
                   .source = unescaped(dash[2]),
                   .read_only = has_option(fields[5], "ro")};
}

}  // namespace

std::vector<MountInfo> parse_mount_table(std::string_view table) {
  std::vector<MountInfo> mounts;
  for (const std::string_view line : split(table, '\n')) {
    if (auto mount = parse_line(line)) mounts.push_back(std::move(*mount));
  }
  return mounts;
}

Result<std::vector<MountInfo>> read_mount_table() {
  std::ifstream file("/proc/self/mountinfo");
  std::stringstream text;
  text << file.rdbuf();
  if (!file || text.str().empty()) {
    return Error(Code::kIo, "/proc/self/mountinfo cannot be read: is /proc mounted?");
  }
  return parse_mount_table(text.str());
}

bool is_below(std::string_view path, std::string_view directory) {
  if (directory == "/") return true;
  return path.starts_with(directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

std::optional<MountInfo> mount_of(const std::vector<MountInfo>& table, std::string_view path) {
  const MountInfo* best = nullptr;
  for (const MountInfo& mount : table) {
    const bool better = best == nullptr || mount.mountpoint.size() >= best->mountpoint.size();
    if (better && is_below(path, mount.mountpoint)) best = &mount;
  }
  return best == nullptr ? std::nullopt : std::optional(*best);
}

}  // namespace nacre::node
