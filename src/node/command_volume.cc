// volume_set: how a volume uses its bucket, changed while it is open.
#include <fmt/format.h>

#include "base/units.h"
#include "node/commands.h"

namespace nacre::node {
namespace {

constexpr uint64_t kLeastSegments = 8;  // that the device needs

Result<std::optional<bool>> choice(Arguments& arguments, std::string_view name,
                                   std::string_view yes, std::string_view no) {
  const auto text = TRY(arguments.optional_text(name));
  if (!text) return std::optional<bool>();
  if (*text == yes || *text == no) return std::optional(*text == yes);
  return Error(Code::kInvalid, fmt::format("{} is `{}` or `{}`", name, yes, no));
}

// Rows and their log stay on the disk, and the device grows no further than it was made for.
Status check_cache_size(Call& call, uint64_t bytes) {
  VolumeDirectory& directory = call.directory;
  const device::Identity device = directory.devices().devices().front()->identity();
  const uint64_t least =
      std::max(kLeastCacheBytes, TRY(directory.rows().usage()).disk_bytes + kOtherFilesBytes +
                                     kLeastSegments * device.segment_bytes);
  const uint64_t most = device.segment_count * device.segment_bytes;
  if (bytes < least) {
    return Error(Code::kInvalid,
                 fmt::format("a cache of {} is too small: names, history and the least of data "
                             "take {}",
                             format_size(bytes), format_size(least)));
  }
  const uint64_t pinned = TRY(pinned_bytes(call));
  if (pinned > bytes / 100 * kMostPinnedPercent) {
    return Error(Code::kInvalid,
                 fmt::format("a cache of {} is too small: {} are pinned, and {} % of it may be; "
                             "nacre tier unpin",
                             format_size(bytes), format_size(pinned), kMostPinnedPercent));
  }
  if (bytes > most) {
    return Error(Code::kInvalid,
                 fmt::format("a cache of {} is too large: that of this volume can grow to {}; "
                             "recover the volume to have a larger one",
                             format_size(bytes), format_size(most)));
  }
  return {};
}

}  // namespace

Result<Json> run_volume_set(Call& call) {
  SettingsChange change;
  change.cache_bytes = TRY(call.arguments.optional_number("cache_bytes"));
  change.credentials_file = TRY(call.arguments.optional_text("credentials_file"));
  change.wait_while_away = TRY(choice(call.arguments, "offline", "wait", "fail"));
  change.sync_remote = TRY(choice(call.arguments, "sync_remote", "yes", "no"));
  TRY(call.arguments.finish());
  TieredBlocks& tiered = *TRY(tiered_of(call));
  if (change.cache_bytes) TRY(check_cache_size(call, *change.cache_bytes));
  TRY(tiered.change(change));
  if (change.cache_bytes) tiered.tier().make_room(0);
  const RemoteSettings settings = tiered.settings();
  return Json{{"cache_bytes", settings.cache_bytes},
              {"used_bytes", tiered.host_bytes()},
              {"credentials_file", json_of_bytes(settings.credentials_file)},
              {"offline", settings.wait_while_away ? "wait" : "fail"},
              {"sync_remote", settings.sync_remote}};
}

}  // namespace nacre::node
