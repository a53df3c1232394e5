// Writes metrics in the text format of Prometheus, version 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/). For one thread.
#pragma once

#include <array>
#include <atomic>
#include <concepts>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nacre::node {

// Values may hold anything; names are letters, digits and '_'.
using MetricLabels = std::vector<std::pair<std::string_view, std::string>>;

// How long things took, counted by buckets. Safe from any thread.
class DurationHistogram {
 public:
  // Upper ends of the buckets; the last bucket has none.
  static constexpr std::array<double, 16> kBounds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                                     0.01,   0.025,   0.05,   0.1,   0.25,   0.5,
                                                     1,      2.5,     5,      10};
  struct Counts {
    std::array<uint64_t, kBounds.size() + 1> buckets = {};
    double seconds = 0;  // of all together
  };

  void add(int64_t ns);
  Counts counts() const;

 private:
  std::array<std::atomic<uint64_t>, kBounds.size() + 1> buckets_ = {};
  std::atomic<int64_t> ns_ = 0;
};

class MetricsText {
 public:
  enum class Kind { kCounter, kGauge, kHistogram };

  // The samples that follow are of this family. Each family once; `help` is one sentence.
  void family(std::string_view name, Kind kind, std::string_view help);
  template <std::integral Value>
  void sample(Value value, const MetricLabels& labels = {}) {
    line("", labels, std::to_string(value));
  }
  void sample(double value, const MetricLabels& labels = {});
  // Of a family of histograms.
  void sample(const DurationHistogram::Counts& counts, const MetricLabels& labels = {});

  // A family of one sample without labels.
  template <class Value>
  void one(std::string_view name, Kind kind, std::string_view help, Value value) {
    family(name, kind, help);
    sample(value);
  }

  std::string take() { return std::move(text_); }

 private:
  void line(std::string_view suffix, const MetricLabels& labels, std::string_view value);

  std::string text_;
  std::string name_;
  std::set<std::string, std::less<>> names_;
};

// What the answer to a scrape is called.
inline constexpr const char* kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace nacre::node
