// history and deleted: what a path was, and what a directory held.
#include <fmt/format.h>

#include "meta/moments.h"
#include "node/commands.h"
#include "node/path_argument.h"

namespace nacre::node {
namespace {

Error client_left() { return Error(Code::kBusy, "interrupted"); }

Json json_of_attr(const meta::Attr& attr) {
  return {{"type", name_of(attr.type)},
          {"size", attr.size},
          {"mode", fmt::format("{:04o}", attr.mode)},
          {"uid", attr.uid},
          {"gid", attr.gid},
          {"mtime", meta::format_time(attr.mtime)}};
}

Json json_of_version(Call& call, const PathVersion& version) {
  Json json = {{"version", version.number},
               {"begin", version.begin.value},
               {"end", version.end ? Json(version.end->value) : Json()},
               {"at", version.at.value},
               {"time", json_of_time(call, version.begin)},
               {"until", version.end ? json_of_time(call, *version.end) : Json()},
               {"inode", version.attr.ino.value}};
  json.update(json_of_attr(version.attr));
  json["changes"] = version.changes;
  return json;
}

}  // namespace

Result<Json> run_history(Call& call) {
  const PathArgument target = TRY(path_argument(call, "path", "mountpoints"));
  TRY(call.arguments.finish());
  TRY(settle(call));
  const PathHistory history =
      TRY(history_of(call.directory.rows(), call.volume().settings().name_key, target.path));
  for (const PathVersion& version : history.versions) {
    if (!call.events.item(json_of_version(call, version))) return client_left();
  }
  return Json{{"path", json_of_bytes(join_path(target.path))},
              {"versions", history.versions.size()},
              {"deleted", history.deleted}};
}

Result<Json> run_deleted(Call& call) {
  const PathArgument target = TRY(path_argument(call, "path", "mountpoints"));
  const bool recursive = TRY(call.arguments.flag("recursive"));
  TRY(call.arguments.finish());
  TRY(settle(call));
  uint64_t names = 0;
  bool listening = true;
  TRY(visit_deleted(call.directory.rows(), call.volume().settings().name_key, target.path,
                    recursive, [&](const DeletedPath& deleted) {
                      ++names;
                      Json json = {{"path", json_of_bytes(join_path(deleted.path))},
                                   {"inode", deleted.ino.value},
                                   {"sequence", deleted.end.value},
                                   {"time", json_of_time(call, deleted.end)}};
                      json.update(json_of_attr(deleted.attr));
                      listening = call.events.item(std::move(json));
                      return listening;
                    }));
  if (!listening) return client_left();
  return Json{{"path", json_of_bytes(join_path(target.path))}, {"names", names}};
}

}  // namespace nacre::node
