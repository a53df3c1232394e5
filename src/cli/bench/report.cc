#include "cli_bench/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

namespace nacre::cli::bench {
namespace {

// 52,134 or 12.3: three digits at least.
std::string format_number(double value) {
  if (value < 100) return fmt::format("{:.{}f}", value, value < 10 ? 2 : 1);
  std::string digits = fmt::format("{:.0f}", value);
  for (size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, ',');
  return digits;
}

std::string format_latency(const std::optional<Latency>& latency, double Latency::* percentile) {
  return latency ? format_number((*latency).*percentile) : "-";
}

nlohmann::json json_of(const Row& row) {
  nlohmann::json json = {
      {"name", row.name},         {"title", row.title},
      {"unit", row.unit},         {"value", row.value},
      {"count", row.count},       {"bytes", row.bytes},
      {"p50_us", nullptr},        {"p99_us", nullptr},
      {"seconds", row.seconds},   {"caches", name_of(row.caches)},
      {"includes", row.includes},
  };
  if (row.latency) {
    json["p50_us"] = row.latency->p50_us;
    json["p99_us"] = row.latency->p99_us;
  }
  return json;
}

}  // namespace

std::string format_table(const std::vector<Row>& rows) {
  size_t width = 0;
  for (const Row& row : rows) width = std::max(width, row.title.size());
  std::string table = fmt::format("{:<{}}  {:>10}  {:<5}  {:>9}  {:>9}  {:>9}  {:>9}\n", "row",
                                  width, "value", "unit", "p50 us", "p99 us", "count", "seconds");
  bool lukewarm = false;
  for (const Row& row : rows) {
    const bool marked = row.caches == Caches::kLukewarm;
    table += fmt::format("{:<{}}  {:>10}  {:<5}  {:>9}  {:>9}  {:>9}  {:>9.3f}{}\n", row.title,
                         width, format_number(row.value), row.unit,
                         format_latency(row.latency, &Latency::p50_us),
                         format_latency(row.latency, &Latency::p99_us), row.count, row.seconds,
                         marked ? "  lukewarm" : "");
    lukewarm = lukewarm || marked;
  }
  if (lukewarm) table += "lukewarm: dropping the kernel's caches needs root; file pages only\n";
  return table;
}

std::string to_json(const std::string& directory, const Options& options,
                    const std::vector<Row>& rows) {
  nlohmann::json json = {
      {"directory", directory},
      {"options",
       {{"files", options.files},
        {"size_bytes", options.size_bytes},
        {"threads", options.threads},
        {"seed", options.seed}}},
      {"rows", nlohmann::json::array()},
  };
  for (const Row& row : rows) json["rows"].push_back(json_of(row));
  // A directory's name need not be UTF-8.
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace nacre::cli::bench
