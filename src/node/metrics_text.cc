#include "node/metrics_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "node/json.h"

namespace nacre::node {
namespace {

bool is_name(std::string_view text) {
  const auto fits = [](char each) {
    return (each >= 'a' && each <= 'z') || (each >= '0' && each <= '9') || each == '_';
  };
  return !text.empty() && (text.front() < '0' || text.front() > '9') &&
         std::ranges::all_of(text, fits);
}

std::string_view name_of(MetricsText::Kind kind) {
  switch (kind) {
    case MetricsText::Kind::kCounter:
      return "counter";
    case MetricsText::Kind::kGauge:
      return "gauge";
    case MetricsText::Kind::kHistogram:
      return "histogram";
  }
  return "untyped";
}

std::string escaped(std::string_view text, bool quotes) {
  std::string result;
  for (const char each : text) {
    if (each == '\\' || (quotes && each == '"')) result += '\\';
    if (each == '\n') {
      result += "\\n";
    } else {
      result += each;
    }
  }
  return result;
}

std::string text_of(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

}  // namespace

void DurationHistogram::add(int64_t ns) {
  const double seconds = static_cast<double>(ns) / 1e9;
  const auto bucket = std::ranges::lower_bound(kBounds, seconds) - kBounds.begin();
  buckets_[static_cast<size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  ns_.fetch_add(ns, std::memory_order_relaxed);
}

DurationHistogram::Counts DurationHistogram::counts() const {
  Counts counts;
  for (size_t i = 0; i < buckets_.size(); ++i) {
    counts.buckets[i] = buckets_[i].load(std::memory_order_relaxed);
  }
  counts.seconds = static_cast<double>(ns_.load(std::memory_order_relaxed)) / 1e9;
  return counts;
}

void MetricsText::family(std::string_view name, Kind kind, std::string_view help) {
  CHECK(is_name(name) && names_.emplace(name).second);
  name_ = name;
  text_ +=
      fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, escaped(help, false), name, name_of(kind));
}

void MetricsText::sample(double value, const MetricLabels& labels) {
  line("", labels, text_of(value));
}

void MetricsText::sample(const DurationHistogram::Counts& counts, const MetricLabels& labels) {
  MetricLabels with_bound = labels;
  with_bound.emplace_back("le", "");
  uint64_t so_far = 0;
  for (size_t i = 0; i < counts.buckets.size(); ++i) {
    so_far += counts.buckets[i];
    const bool last = i == DurationHistogram::kBounds.size();
    with_bound.back().second = last ? "+Inf" : text_of(DurationHistogram::kBounds[i]);
    line("_bucket", with_bound, std::to_string(so_far));
  }
  line("_sum", labels, text_of(counts.seconds));
  line("_count", labels, std::to_string(so_far));
}

void MetricsText::line(std::string_view suffix, const MetricLabels& labels,
                       std::string_view value) {
  CHECK(!name_.empty());
  text_ += name_;
  text_ += suffix;
  char before = '{';
  for (const auto& [label, what] : labels) {
    CHECK(is_name(label));
    text_ += fmt::format("{}{}=\"{}\"", before, label, escaped(valid_utf8(what), true));
    before = ',';
  }
  if (!labels.empty()) text_ += '}';
  text_ += ' ';
  text_ += value;
  text_ += '\n';
}

}  // namespace nacre::node
