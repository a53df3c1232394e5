// restore: a file or a tree as it was, back to its place or to another.
#include <fmt/format.h>

#include <algorithm>

#include "fs/mounted_tree.h"
#include "meta/moments.h"
#include "node/commands.h"
#include "node/host_target.h"
#include "node/path_argument.h"
#include "node/present_target.h"

namespace nacre::node {
namespace {

struct Wanted {
  PathArgument from;
  std::optional<std::string> at;
  std::optional<uint64_t> version;
  std::optional<PathComponents> to;    // in the volume
  std::optional<std::string> to_host;  // out of it
  bool force = false;
};

Result<Wanted> parse(Call& call) {
  Wanted wanted;
  wanted.from = TRY(path_argument(call, "path", "mountpoints"));
  wanted.at = TRY(call.arguments.optional_text("at"));
  wanted.version = TRY(call.arguments.optional_number("version"));
  wanted.to_host = TRY(call.arguments.optional_text("to_host"));
  wanted.force = TRY(call.arguments.flag("force"));
  if (TRY(call.arguments.optional_text("to"))) {
    PathArgument to = TRY(path_argument(call, "to", "to_mountpoints"));
    if (to.at) return Error(Code::kReadOnly, "the past cannot be restored into");
    wanted.to = std::move(to.path);
  }
  TRY(call.arguments.finish());
  if (wanted.at && wanted.version) {
    return Error(Code::kInvalid, "say either which moment or which version, not both");
  }
  if (!wanted.at && !wanted.version && !wanted.from.at) {
    return Error(Code::kInvalid, "say which moment (--at WHEN) or which version (--version N)");
  }
  if (wanted.to && wanted.to_host) {
    return Error(Code::kInvalid, "say either a place in the volume or one outside, not both");
  }
  if (wanted.to_host && !wanted.to_host->starts_with('/')) {
    return Error(Code::kInvalid, "a place outside of the volume must be given as an absolute path");
  }
  return wanted;
}

struct Source {
  Sequence at;
  InodeId ino;
};

Result<Source> by_number(const PathHistory& history, uint64_t number) {
  for (const PathVersion& version : history.versions) {
    if (version.number == number) return Source{version.at, version.ino};
  }
  return Error(Code::kNotFound,
               fmt::format("there is no version {}: it has {}, the newest is {}", number,
                           history.versions.size(), history.versions.back().number));
}

Result<Source> by_moment(const PathHistory& history, const PathComponents& path, Sequence at) {
  for (const PathVersion& version : history.versions) {
    if (version.begin <= at && (!version.end || at < *version.end)) return Source{at, version.ino};
  }
  return Error(Code::kNotFound,
               fmt::format("{} did not exist at that moment: `nacre history` shows when it did",
                           join_path(path)));
}

Result<Source> find_source(Call& call, const Wanted& wanted) {
  const PathHistory history =
      TRY(history_of(call.directory.rows(), call.volume().settings().name_key, wanted.from.path));
  if (wanted.version) return by_number(history, *wanted.version);
  const Sequence at = wanted.at ? TRY(moment_argument(call, *wanted.at)) : *wanted.from.at;
  return by_moment(history, wanted.from.path, at);
}

std::function<bool(uint64_t)> reporter(Call& call, const char* phase, uint64_t total) {
  return [&call, phase, total](uint64_t files) {
    return call.events.progress({phase, files, total, "files"});
  };
}

Result<Json> restore_out(Call& call, const Wanted& wanted, const Source& source) {
  HostTarget target(call.volume(), *wanted.to_host, wanted.force);
  const uint64_t files =
      TRY(restore(call.volume(), source.at, source.ino, target, reporter(call, "restoring", 0)));
  return Json{{"restored", files},
              {"to", json_of_bytes(*wanted.to_host)},
              {"at", source.at.value},
              {"warnings", target.warnings()}};
}

// First without changing anything, so that what is in the way is found before.
Result<Json> restore_in(Call& call, const Wanted& wanted, const Source& source) {
  if (call.directory.read_only()) {
    return Error(Code::kReadOnly, "the volume is open read-only: --to a place outside of it works");
  }
  const PathComponents& top = wanted.to ? *wanted.to : wanted.from.path;
  if (!top.empty() && top[0] == fs::kHiddenName) {
    return Error(Code::kNotPermitted, "the name `.nacre` is reserved");
  }
  PresentTargetOptions options{
      .in_place = !wanted.to || top == wanted.from.path, .force = wanted.force, .dry_run = true};
  fs::Volume& volume = call.volume();
  uint64_t files = 0;
  {
    PresentTarget rehearsal = TRY(PresentTarget::open(volume, call.mounts, top, options));
    files = TRY(restore(volume, source.at, source.ino, rehearsal, reporter(call, "looking", 0)));
  }
  TRY(make_parents(volume, call.mounts, top, source.at));
  options.dry_run = false;
  PresentTarget target = TRY(PresentTarget::open(volume, call.mounts, top, options));
  TRY(restore(volume, source.at, source.ino, target, reporter(call, "restoring", files)));
  TRY(volume.commit());
  return Json{{"restored", files},
              {"to", json_of_bytes(join_path(top))},
              {"at", source.at.value},
              {"warnings", Json::array()}};
}

}  // namespace

Result<Json> run_restore(Call& call) {
  const Wanted wanted = TRY(parse(call));
  TRY(settle(call));
  const Source source = TRY(find_source(call, wanted));
  return wanted.to_host ? restore_out(call, wanted, source) : restore_in(call, wanted, source);
}

}  // namespace nacre::node
