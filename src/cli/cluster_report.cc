#include "cli/cluster_report.h"

#include <fmt/format.h>

#include <charconv>

#include "cli/table.h"

namespace nacre::cli {
namespace {

using Align = Column::Align;

std::string percent(double part) { return fmt::format("{:.2f} %", 100 * part); }

double part_of(uint64_t count, const place::SimulatedStep& step) {
  return step.fragments == 0 ? 0 : static_cast<double>(count) / static_cast<double>(step.fragments);
}

Table heading_table(const SimulatedReport& report) {
  const auto& cluster = report.cluster;
  Table table({{"CLUSTER"}, {""}});
  table.add({"nodes", fmt::format("{} in {} zones", cluster.nodes, cluster.zones)});
  table.add({"devices", fmt::format("{} of {}{}", report.simulation.steps.front().devices,
                                    cluster.seed == 0 ? "" : "half to all of ",
                                    format_size(cluster.device_bytes))});
  table.add({"protection", codec::to_string(cluster.code)});
  table.add({"placement groups",
             fmt::format("{}, {:.1f} fragments on each device", report.simulation.pg_count,
                         report.simulation.fragments_per_device)});
  return table;
}

Table step_table(const place::Simulation& simulation) {
  Table table({{"EVENT"},
               {"DEVICES", Align::kRight},
               {"FILL MIN", Align::kRight},
               {"MAX", Align::kRight},
               {"STDDEV", Align::kRight},
               {"MOVED", Align::kRight},
               {"LEAST", Align::kRight},
               {"WRITERS", Align::kRight},
               {"UNAVAILABLE", Align::kRight},
               {"SECONDS", Align::kRight}});
  for (const place::SimulatedStep& step : simulation.steps) {
    const bool is_first = &step == &simulation.steps.front();
    table.add({step.name, fmt::to_string(step.devices), percent(step.fill.min),
               percent(step.fill.max), percent(step.fill.stddev),
               is_first ? "-" : percent(part_of(step.moved, step)),
               is_first ? "-" : percent(part_of(step.moved_min, step)),
               is_first ? "-" : fmt::to_string(step.receivers),
               is_first ? "-" : fmt::format("{} groups", step.groups_unavailable),
               fmt::format("{:.2f}", step.seconds)});
  }
  return table;
}

Table durability_table(const SimulatedReport& report) {
  Table table({{"DURABILITY"}, {""}});
  table.add({"devices that fail in a year", percent(report.annual_failure_rate)});
  table.add({"rebuild rate of each device", format_size(report.rebuild_bytes_per_second) + "/s"});
  if (!report.durability) {
    table.add({"data loss", "not known: there are fewer devices than fragments"});
    return table;
  }
  const place::Durability& durability = *report.durability;
  table.add({"rebuild of a full device", hours_text(durability.rebuild_hours)});
  table.add({"mean time to data loss", hours_text(durability.cluster_mttdl_hours)});
  table.add(
      {"chance of data loss in a year",
       fmt::format("{:.2g}, {} nines", durability.annual_loss_probability, durability.nines)});
  return table;
}

node::Json json_of(const place::SimulatedStep& step) {
  return {{"name", step.name},
          {"devices", step.devices},
          {"fill_min", step.fill.min},
          {"fill_max", step.fill.max},
          {"fill_stddev", step.fill.stddev},
          {"fragments", step.fragments},
          {"moved", step.moved},
          {"moved_min", step.moved_min},
          {"rebuilt", step.rebuilt},
          {"receivers", step.receivers},
          {"groups_unavailable", step.groups_unavailable},
          {"seconds", step.seconds}};
}

}  // namespace

std::string text_of(const SimulatedReport& report, bool bold) {
  return heading_table(report).text(bold) + "\n" + step_table(report.simulation).text(bold) + "\n" +
         durability_table(report).text(bold);
}

node::Json json_of(const SimulatedReport& report) {
  const auto& cluster = report.cluster;
  node::Json json;
  json["cluster"] = {{"nodes", cluster.nodes},
                     {"zones", cluster.zones},
                     {"devices", report.simulation.steps.front().devices},
                     {"device_bytes", cluster.device_bytes},
                     {"seed", cluster.seed},
                     {"k", cluster.code.k},
                     {"m", cluster.code.m},
                     {"pg_count", report.simulation.pg_count},
                     {"fragments_per_device", report.simulation.fragments_per_device}};
  json["steps"] = node::Json::array();
  for (const place::SimulatedStep& step : report.simulation.steps) {
    json["steps"].push_back(json_of(step));
  }
  json["durability"] = nullptr;
  if (report.durability) {
    const place::Durability& durability = *report.durability;
    json["durability"] = {{"annual_failure_rate", report.annual_failure_rate},
                          {"rebuild_bytes_per_second", report.rebuild_bytes_per_second},
                          {"rebuild_hours", durability.rebuild_hours},
                          {"group_mttdl_hours", durability.group_mttdl_hours},
                          {"cluster_mttdl_hours", durability.cluster_mttdl_hours},
                          {"annual_loss_probability", durability.annual_loss_probability},
                          {"nines", durability.nines}};
  }
  return json;
}

Result<double> parse_part(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view unit(end, text.data() + text.size());
  if (unit == "%" || unit == " %") value /= 100;
  if (error != std::errc{} || !(unit.empty() || unit == "%" || unit == " %") ||
      !(value >= 0 && value <= 1)) {
    return Error(Code::kInvalid, "'" + text + "' is no part of a whole: write '2%' or '0.02'");
  }
  return value;
}

std::string hours_text(double hours) {
  const double years = hours / place::kHoursPerYear;
  if (hours < 2) return fmt::format("{:.0f} min", hours * 60);
  if (years < 2) return fmt::format("{:.0f} h", hours);
  return years < 1e6 ? fmt::format("{:.0f} years", years) : fmt::format("{:.2g} years", years);
}

}  // namespace nacre::cli
