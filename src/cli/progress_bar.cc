#include "cli/progress_bar.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "base/units.h"
#include "cli/text.h"

namespace nacre::cli {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr int64_t kSilentNs = 2 * kSecondNs;
constexpr int64_t kRedrawNs = kSecondNs / 5;
constexpr size_t kBarWidth = 24;

std::string amount(uint64_t value, const std::string& unit) {
  if (unit == "bytes") return format_size(value);
  return unit.empty() ? std::to_string(value) : fmt::format("{} {}", value, unit);
}

}  // namespace

std::string progress_text(const node::Progress& progress, int64_t elapsed_ns) {
  std::string text = printable(progress.phase);
  if (progress.done == 0 && progress.total == 0) return text;
  const double seconds = static_cast<double>(std::max(elapsed_ns, kSecondNs / 10)) / 1e9;
  const auto rate = static_cast<uint64_t>(static_cast<double>(progress.done) / seconds);
  const uint64_t done =
      progress.total == 0 ? progress.done : std::min(progress.done, progress.total);
  if (progress.total != 0) {
    const double share = static_cast<double>(done) / static_cast<double>(progress.total);
    const auto filled = static_cast<size_t>(share * static_cast<double>(kBarWidth));
    text += fmt::format(": [{}{}] {:3.0f}%, {} of {}", std::string(filled, '#'),
                        std::string(kBarWidth - filled, ' '), share * 100,
                        amount(done, progress.unit), amount(progress.total, progress.unit));
  } else {
    text += ": " + amount(done, progress.unit);
  }
  text += fmt::format(", {}/s", amount(rate, progress.unit));
  if (progress.total > done && rate != 0) {
    text += fmt::format(", {} left",
                        duration_text(static_cast<int64_t>((progress.total - done) / rate)));
  }
  return text;
}

void ProgressBar::show(const node::Progress& progress) {
  const int64_t now_ns = clock_.monotonic_ns();
  if (progress.phase != phase_) {
    phase_ = progress.phase;
    phase_started_ns_ = now_ns;
  }
  if (!wanted_ || now_ns - started_ns_ < kSilentNs) return;
  if (shown_ && now_ns - drawn_ns_ < kRedrawNs) return;
  shown_ = true;
  drawn_ns_ = now_ns;
  fmt::print(stderr, "\r\033[K{}", progress_text(progress, now_ns - phase_started_ns_));
  std::fflush(stderr);
}

void ProgressBar::clear() {
  if (!shown_) return;
  shown_ = false;
  fmt::print(stderr, "\r\033[K");
  std::fflush(stderr);
}

}  // namespace nacre::cli
