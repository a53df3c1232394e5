// How a long command goes on: a line on standard error, when that is a terminal, from the third
// second on. Its owner clears it before anything else is written.
#pragma once

#include <cstdint>
#include <string>

#include "node/protocol.h"
#include "os/clock.h"

namespace nacre::cli {

// One moment of a phase that began `elapsed_ns` ago: "checking: [####    ]  50%, 1.2 GiB of 2.4
// GiB, 300 MiB/s, 4 s left". Pure.
std::string progress_text(const node::Progress& progress, int64_t elapsed_ns);

// For one thread.
class ProgressBar {
 public:
  // `wanted`: whether there is somebody to see it.
  ProgressBar(os::Clock& clock, bool wanted) : clock_(clock), wanted_(wanted) {}
  ~ProgressBar() { clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void show(const node::Progress& progress);
  // Takes the line off the screen.
  void clear();

 private:
  os::Clock& clock_;
  const bool wanted_;
  const int64_t started_ns_ = clock_.monotonic_ns();
  int64_t phase_started_ns_ = started_ns_;
  int64_t drawn_ns_ = 0;
  std::string phase_;
  bool shown_ = false;
};

}  // namespace nacre::cli
