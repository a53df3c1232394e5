#include "model/variants.h"

namespace nacre::model {

namespace {

constexpr uint64_t kSmallBlock = 16 * kKiB;

fs::VolumeSettings settings_of(uint64_t block_bytes, uint64_t inline_limit_bytes) {
  fs::VolumeSettings settings;
  for (size_t i = 0; i < settings.name_key.size(); ++i) {
    settings.name_key[i] = static_cast<uint8_t>(i * 37 + 5);
  }
  settings.block_size = block_bytes;
  settings.inline_limit_bytes = inline_limit_bytes;
  settings.background = false;
  return settings;
}

Variant in_background(std::string_view name, uint64_t inline_limit_bytes,
                      uint64_t dirty_limit_bytes) {
  Variant variant;
  variant.name = name;
  variant.settings = settings_of(kSmallBlock, inline_limit_bytes);
  variant.settings.background = true;
  variant.settings.commit_interval_ns = 2'000'000;
  variant.settings.dirty_limit_bytes = dirty_limit_bytes;
  return variant;
}

// The same content comes again and again, and is stored once.
void store_once(Variant& variant) {
  variant.settings.run_bytes = kKiB;
  variant.profile.fills = 3;
}

std::vector<Variant> make_variants() {
  std::vector<Variant> all;
  all.push_back({"blocks", settings_of(kSmallBlock, 0), {}, {}});
  all.push_back({"inline", settings_of(kSmallBlock, 64 * kKiB), {}, {}});

  Variant faults{"faults", settings_of(kSmallBlock, 4 * kKiB), {}, {}};
  faults.profile.faults = true;
  all.push_back(faults);

  // Blocks of the usual size, files around one boundary of them.
  Variant large{"large", settings_of(4 * kMiB, 64 * kKiB), {}, {}};
  large.profile.block_bytes = 4 * kMiB;
  large.profile.largest_file = 8 * kMiB + 64 * kKiB;
  large.profile.largest_write = 96 * kKiB;
  large.profile.most_nodes = 8;
  large.profile.checks = 1;
  all.push_back(large);

  all.push_back(in_background("background", 64 * kKiB, 96 * kMiB));
  Variant eager = in_background("eager", 0, 128 * kKiB);
  eager.put_time = std::chrono::microseconds(300);
  all.push_back(eager);

  // Few buffers, and nobody to empty them but the writers.
  Variant tight{"tight", settings_of(kSmallBlock, 0), {}, {}};
  tight.settings.dirty_limit_bytes = 128 * kKiB;
  all.push_back(tight);

  Variant dedup{"dedup", settings_of(kSmallBlock, 4 * kKiB), {}, {}};
  store_once(dedup);
  dedup.profile.faults = true;
  all.push_back(dedup);
  Variant eager_dedup = in_background("eager_dedup", 0, 128 * kKiB);
  eager_dedup.put_time = std::chrono::microseconds(300);
  store_once(eager_dedup);
  all.push_back(eager_dedup);
  return all;
}

}  // namespace

const std::vector<Variant>& variants() {
  static const std::vector<Variant> kAll = make_variants();
  return kAll;
}

const Variant* find_variant(std::string_view name) {
  for (const Variant& variant : variants()) {
    if (variant.name == name) return &variant;
  }
  return nullptr;
}

}  // namespace nacre::model
