#include "crash/crash_variants.h"

#include <fmt/format.h>

#include "model/isolated.h"
#include "model/trial.h"

namespace nacre::crash {

namespace {

constexpr uint64_t kBlock = 8 * kKiB;
// RocksDB's threads take a second's rest after each power cut.
constexpr unsigned kPerProcessor = 32;
constexpr size_t kMostPlays = 150;

CrashVariant make_variant(std::string_view name, uint64_t inline_limit_bytes) {
  CrashVariant variant;
  variant.model.name = name;
  fs::VolumeSettings& settings = variant.model.settings;
  settings.block_size = kBlock;
  settings.inline_limit_bytes = inline_limit_bytes;
  settings.background = false;
  model::Profile& profile = variant.model.profile;
  profile.block_bytes = kBlock;
  profile.largest_write = 24 * kKiB;
  profile.largest_file = 192 * kKiB;
  profile.largest_xattr = 1000;
  profile.most_nodes = 20;
  profile.checks = 0;
  profile.power = true;
  profile.habits = 8;
  return variant;
}

// More is written than there is room for.
CrashVariant make_full(std::string_view name, uint64_t segments) {
  constexpr uint64_t kLargeBlock = 64 * kKiB;
  CrashVariant variant = make_variant(name, 4 * kKiB);
  variant.layout.segment_bytes = 8 * kLargeBlock;
  variant.layout.device_bytes = segments * variant.layout.segment_bytes + kLargeBlock;
  variant.layout.may_be_full = true;
  variant.model.settings.block_size = kLargeBlock;
  variant.model.profile.block_bytes = kLargeBlock;
  variant.model.profile.largest_write = 256 * kKiB;
  variant.model.profile.largest_file = kMiB;
  return variant;
}

std::vector<CrashVariant> make_variants() {
  std::vector<CrashVariant> all;
  all.push_back(make_variant("blocks", 0));
  all.push_back(make_variant("inline", 64 * kKiB));
  all.push_back(make_variant("mixed", 16 * kKiB));
  all.back().layout.compression = codec::Compression::kLz4;
  // Commits come from everywhere: whoever finds too many buffers makes one.
  all.push_back(make_variant("tight", 4 * kKiB));
  all.back().model.settings.dirty_limit_bytes = 64 * kKiB;
  // As in production: threads of their own commit and store.
  all.push_back(make_variant("background", 16 * kKiB));
  all.back().model.settings.background = true;
  all.back().model.settings.commit_interval_ns = 2'000'000;
  all.back().model.settings.dirty_limit_bytes = 256 * kKiB;
  // Identical content is stored once.
  all.push_back(make_variant("dedup", 4 * kKiB));
  all.back().model.settings.run_bytes = kKiB;
  all.back().model.profile.fills = 3;
  all.push_back(make_full("full", 9));
  // Next to nothing is free, and threads of their own need it.
  all.push_back(make_full("crowded", 8));
  all.back().model.settings.background = true;
  all.back().model.settings.commit_interval_ns = 2'000'000;
  return all;
}

}  // namespace

const std::vector<CrashVariant>& crash_variants() {
  static const std::vector<CrashVariant> kAll = make_variants();
  return kAll;
}

const CrashVariant* find_crash_variant(std::string_view name) {
  for (const CrashVariant& variant : crash_variants()) {
    if (variant.model.name == name) return &variant;
  }
  return nullptr;
}

std::string play(const CrashVariant& variant, uint64_t seed, const model::Script& script) {
  DiskMachine machine(variant.model.settings, variant.layout, seed);
  return model::play_on(machine, variant.model, script);
}

std::string try_crashes(const CrashVariant& variant, uint64_t first, uint64_t count, size_t steps) {
  const auto script_of = [&](uint64_t seed) {
    return model::script_of(variant.model, seed, steps);
  };
  const auto failed = model::find_failure(
      fmt::format("seeds of variant {}", variant.model.name), first, count, kPerProcessor,
      [&](uint64_t seed) { return play(variant, seed, script_of(seed)); });
  if (!failed) return {};
  return model::report_of(
      fmt::format("seed {} of variant {} ({} steps)", *failed, variant.model.name, steps),
      script_of(*failed), kMostPlays,
      [&](const model::Script& script) { return play(variant, *failed, script); });
}

}  // namespace nacre::crash
