// mount, unmount and flush: the mounts that the process serves.
#include "node/commands.h"
#include "node/path_argument.h"

namespace nacre::node {

Result<Json> run_mount(Call& call) {
  MountPlan plan;
  plan.mountpoint = TRY(call.arguments.text("mountpoint"));
  plan.source = call.directory.path();
  plan.options = TRY(call.arguments.optional_text("options")).value_or("");
  plan.read_only = TRY(call.arguments.flag("read_only"));
  plan.single_threaded = TRY(call.arguments.flag("single_threaded"));
  plan.atime = !TRY(call.arguments.flag("noatime"));
  const auto when = TRY(call.arguments.optional_text("at"));
  TRY(call.arguments.finish());
  if (call.mounts == nullptr) return Error(Code::kInvalid, "this process serves no mounts");
  std::optional<Sequence> at;
  if (when) {
    TRY(settle(call));
    at = TRY(moment_argument(call, *when));
    plan.read_only = true;
  }
  if (call.directory.read_only() && !plan.read_only) {
    return Error(
        Code::kReadOnly,
        call.directory.path() + " is open read-only: mount it --read-only, or unmount it first");
  }
  const MountState mounted = TRY(call.mounts->add(plan, at));
  return Json{{"mountpoint", json_of_bytes(mounted.mountpoint)}};
}

Result<Json> run_unmount(Call& call) {
  const std::string mountpoint = TRY(call.arguments.text("mountpoint"));
  const bool lazy = TRY(call.arguments.flag("lazy"));
  TRY(call.arguments.finish());
  if (call.mounts == nullptr) return Error(Code::kInvalid, "this process serves no mounts");
  const Mounts::Removed removed = TRY(call.mounts->remove(mountpoint, lazy));
  return Json{{"mountpoint", json_of_bytes(mountpoint)}, {kClosingField, removed.last}};
}

Result<Json> run_flush(Call& call) {
  TRY(call.arguments.finish());
  TRY(settle(call));
  return Json{{"sequence", call.volume().committed().value}};
}

}  // namespace nacre::node
