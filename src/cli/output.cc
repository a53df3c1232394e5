#include "cli/output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "base/units.h"
#include "meta/moments.h"
#include "os/clock.h"

namespace nacre::cli {

namespace {

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr int kBarWidth = 24;

bool is_number(std::string_view text) {
  return !text.empty() && text.front() >= '0' && text.front() <= '9' &&
         text.find_first_of("-:T") == std::string_view::npos;
}

std::string amount(uint64_t value, const std::string& unit) {
  return unit == "bytes" ? format_size(value) : fmt::format("{} {}", value, unit);
}

std::string duration(int64_t seconds) {
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3600) return fmt::format("{} min {:02} s", seconds / 60, seconds % 60);
  return fmt::format("{} h {:02} min", seconds / 3600, seconds / 60 % 60);
}

}  // namespace

void Table::print() const {
  std::vector<size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  const bool bold = ::isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
  for (size_t line = 0; line < rows_.size(); ++line) {
    std::string text;
    for (size_t i = 0; i < rows_[line].size(); ++i) {
      const std::string& cell = rows_[line][i];
      const bool right = rows_.size() > 1 && is_number(rows_[1][i]);
      text +=
          right ? fmt::format("{:>{}}", cell, widths[i]) : fmt::format("{:<{}}", cell, widths[i]);
      if (i + 1 < rows_[line].size()) text += "  ";
    }
    text.erase(text.find_last_not_of(' ') + 1);
    const bool heading = line == 0 && bold;
    fmt::print("{}{}{}\n", heading ? "\033[1m" : "", text, heading ? "\033[0m" : "");
  }
}

std::string printable(std::string_view text) {
  std::string shown;
  for (const char byte : text) {
    const auto code = static_cast<unsigned char>(byte);
    shown += code < 0x20 || code == 0x7F ? fmt::format("\\x{:02x}", code) : std::string(1, byte);
  }
  return shown;
}

std::string name_from(const node::Json& value) {
  const auto bytes = node::bytes_of_json(value);
  return bytes.ok() ? printable(*bytes) : std::string("?");
}

std::string cell(const node::Json& object, std::string_view field) {
  const auto found = object.find(std::string(field));
  if (found == object.end() || found->is_null()) return "-";
  if (found->is_string()) return printable(found->get<std::string>());
  return found->dump();
}

std::string local_time(const std::string& time) {
  const auto when = meta::parse_when(time, {});
  if (!when.ok() || when->kind != meta::When::Kind::kTime) return time;
  const std::time_t seconds = when->time.ns / kSecondNs;
  std::tm parts = {};
  localtime_r(&seconds, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts)};
}

void print_json(const node::Json& value) {
  fmt::print("{}\n", value.dump(2, ' ', false, node::Json::error_handler_t::replace));
}

void print_error(const Error& error) {
  fmt::print(stderr, "nacre: {}\n", printable(error.to_string()));
}

bool Watcher::progress(const node::Progress& progress) {
  if (::isatty(STDERR_FILENO) == 0) return true;
  const int64_t now = os::real_clock().monotonic_ns();
  if (started_ns_ == 0 || progress.phase != phase_) started_ns_ = now;
  phase_ = progress.phase;
  if (now - started_ns_ < 2 * kSecondNs || now - drawn_ns_ < kSecondNs / 5) return true;
  drawn_ns_ = now;
  shown_ = true;
  const double seconds = static_cast<double>(now - started_ns_) / 1e9;
  const auto rate = static_cast<uint64_t>(static_cast<double>(progress.done) / seconds);
  std::string line = fmt::format("{}: ", progress.phase);
  if (progress.total != 0) {
    const double share =
        std::min(1.0, static_cast<double>(progress.done) / static_cast<double>(progress.total));
    const int filled = static_cast<int>(share * kBarWidth);
    line += fmt::format("[{:<{}}] {:3.0f}% ", std::string(static_cast<size_t>(filled), '#'),
                        kBarWidth, share * 100);
  }
  line +=
      fmt::format("{}, {}/s", amount(progress.done, progress.unit), amount(rate, progress.unit));
  if (progress.total > progress.done && rate != 0) {
    line += fmt::format(", {} left",
                        duration(static_cast<int64_t>((progress.total - progress.done) / rate)));
  }
  fmt::print(stderr, "\r\033[K{}", line);
  std::fflush(stderr);
  return true;
}

bool Watcher::item(node::Json item) {
  items_.push_back(std::move(item));
  return true;
}

void Watcher::clear() {
  if (!shown_) return;
  shown_ = false;
  fmt::print(stderr, "\r\033[K");
  std::fflush(stderr);
}

}  // namespace nacre::cli
