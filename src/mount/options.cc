#include "mount/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace nacre::mount {
namespace {

struct Switch {
  std::string_view word;
  void (*apply)(Options&);
};

constexpr std::array kSwitches = {
    Switch{"ro", [](Options& o) { o.read_only = true; }},
    Switch{"rw", [](Options& o) { o.read_only = false; }},
    Switch{"allow_other", [](Options& o) { o.allow_other = true; }},
    Switch{"suid", [](Options& o) { o.allow_suid = true; }},
    Switch{"nosuid", [](Options& o) { o.allow_suid = false; }},
    Switch{"dev", [](Options& o) { o.allow_devices = true; }},
    Switch{"nodev", [](Options& o) { o.allow_devices = false; }},
    Switch{"exec", [](Options& o) { o.allow_exec = true; }},
    Switch{"noexec", [](Options& o) { o.allow_exec = false; }},
    Switch{"atime", [](Options& o) { o.no_atime = false; }},
    Switch{"noatime", [](Options& o) { o.no_atime = true; }},
    Switch{"relatime", [](Options& o) { o.no_atime = false; }},
};

// Acted on by others, or always so here (permissions are always the kernel's to check).
constexpr std::array<std::string_view, 12> kIgnored = {"defaults",
                                                       "auto",
                                                       "noauto",
                                                       "user",
                                                       "nouser",
                                                       "users",
                                                       "owner",
                                                       "group",
                                                       "nofail",
                                                       "_netdev",
                                                       "default_permissions",
                                                       ""};

Status apply_option(std::string_view word, Options& options) {
  const auto* match = std::ranges::find(kSwitches, word, &Switch::word);
  if (match != kSwitches.end()) {
    match->apply(options);
    return {};
  }
  if (std::ranges::find(kIgnored, word) != kIgnored.end() || word.starts_with("x-")) return {};
  constexpr std::string_view kFsname = "fsname=";
  if (word.starts_with(kFsname) && word.size() > kFsname.size()) {
    options.fsname = word.substr(kFsname.size());
    return {};
  }
  return Error(Code::kInvalid, fmt::format("unknown mount option `{}`", word));
}

}  // namespace

Status apply_options(std::string_view list, Options& options) {
  while (!list.empty()) {
    const size_t comma = list.find(',');
    TRY(apply_option(list.substr(0, comma), options));
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
  return {};
}

}  // namespace nacre::mount
