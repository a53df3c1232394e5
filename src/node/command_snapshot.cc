// snapshot_create, snapshot_list, snapshot_delete.
#include <fmt/format.h>

#include "meta/moments.h"
#include "node/commands.h"

namespace nacre::node {
namespace {

// "snapshot-2026-03-01T12:30:05Z", with a number behind it if that is taken.
Result<std::string> free_name(Call& call) {
  Timestamp now = call.volume().clock().now();
  now.ns -= now.ns % 1'000'000'000;
  const std::string name = "snapshot-" + meta::format_time(now);
  std::string candidate = name;
  for (int number = 2; TRY(meta::find_snapshot(call.directory.rows(), candidate)); ++number) {
    candidate = fmt::format("{}-{}", name, number);
  }
  return candidate;
}

Json json_of(Call& call, const meta::Snapshot& snapshot) {
  return {{"name", json_of_bytes(snapshot.name)},
          {"sequence", snapshot.sequence.value},
          {"time", json_of_time(call, snapshot.sequence)},
          {"created", meta::format_time(snapshot.created)}};
}

}  // namespace

Result<Json> run_snapshot_create(Call& call) {
  auto asked = TRY(call.arguments.optional_text("name"));
  TRY(call.arguments.finish());
  const os::Lock lock(call.snapshot_mutex);
  const std::string name = asked ? std::move(*asked) : TRY(free_name(call));
  TRY(meta::check_snapshot_name(name));
  if (TRY(meta::find_snapshot(call.directory.rows(), name))) {
    return Error(Code::kExists, fmt::format("a snapshot named '{}' exists: choose another name, or "
                                            "delete that one first",
                                            name));
  }
  TRY(settle(call));
  fs::Volume& volume = call.volume();
  const wire::SnapshotRow row{volume.committed(), volume.clock().now()};
  volume.put_volume_row(wire::snapshot_key(name), wire::encode(row));
  TRY(volume.commit());
  return json_of(call, {name, row.sequence, row.created});
}

Result<Json> run_snapshot_list(Call& call) {
  TRY(call.arguments.finish());
  Json list = Json::array();
  for (const meta::Snapshot& snapshot : TRY(meta::list_snapshots(call.directory.rows()))) {
    list.push_back(json_of(call, snapshot));
  }
  return Json{{"snapshots", std::move(list)}};
}

Result<Json> run_snapshot_delete(Call& call) {
  const std::string name = TRY(call.arguments.text("name"));
  TRY(call.arguments.finish());
  const os::Lock lock(call.snapshot_mutex);
  TRY(keeper::delete_snapshot(call.volume(), name));
  return Json{{"name", json_of_bytes(name)}};
}

}  // namespace nacre::node
