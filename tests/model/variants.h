// The kinds of volume that random scripts are played on.
#pragma once

#include <chrono>
#include <string_view>
#include <vector>

#include "fs/volume.h"
#include "model/generator.h"
#include "model/model.h"

namespace nacre::model {

struct Variant {
  std::string_view name;
  fs::VolumeSettings settings;
  Rules rules;
  Profile profile;
  std::chrono::nanoseconds put_time{0};  // what storing a block takes
};

const std::vector<Variant>& variants();
// None of that name: null.
const Variant* find_variant(std::string_view name);

}  // namespace nacre::model
