#include "cli/mount_words.h"

#include <fmt/format.h>

#include <string_view>

#include "mount/options.h"

namespace nacre::cli {

Result<MountWords> parse_mount_words(const std::vector<std::string>& lists) {
  constexpr std::string_view kAt = "at=";
  MountWords words;
  for (const std::string& list : lists) {
    for (std::string_view rest = list; !rest.empty();) {
      const size_t comma = rest.find(',');
      const std::string_view word = rest.substr(0, comma);
      rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
      if (word.starts_with(kAt)) {
        words.at = word.substr(kAt.size());
      } else {
        words.options += (words.options.empty() ? "" : ",") + std::string(word);
      }
    }
  }
  mount::Options parsed;
  TRY(mount::apply_options(words.options, parsed));
  words.read_only = parsed.read_only;
  words.atime = !parsed.no_atime;
  return words;
}

Status check_places(const std::string& directory, const std::string& mountpoint,
                    const std::vector<node::MountInfo>& table) {
  if (node::is_below(directory, mountpoint)) {
    return Error(Code::kInvalid,
                 fmt::format("{} lies below {}: mounting there would hide it from its own process",
                             directory, mountpoint));
  }
  if (node::is_below(mountpoint, directory)) {
    return Error(Code::kInvalid,
                 fmt::format("{} lies in the volume's own directory: choose another "
                             "mountpoint",
                             mountpoint));
  }
  for (const node::MountInfo& mount : table) {
    if (mount.type == node::kMountType && mount.mountpoint == mountpoint) {
      return Error(Code::kBusy,
                   fmt::format("{} is mounted at {} already", mount.source, mountpoint));
    }
  }
  return {};
}

}  // namespace nacre::cli
