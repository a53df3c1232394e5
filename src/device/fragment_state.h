// What a Fragment holds on to.
#pragma once

#include "device/core.h"

namespace nacre::device {

struct Fragment::State {
  // Takes over a pin of the place's segment.
  State(Core& core_in, const Place& place_in) : core(core_in), place(place_in) {}
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Core& core;
  const Place place;
  SegmentFile file;
  HeadCache::Head head;
};

}  // namespace nacre::device
