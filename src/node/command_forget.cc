// forget: what a path was is erased from history, for good.
#include <set>

#include "keeper/keeper.h"
#include "node/commands.h"
#include "node/path_argument.h"

namespace nacre::node {
namespace {

// Every file that bore the path. kIsDirectory for a directory: its files are forgotten one by one.
Result<std::set<InodeId>> files_of(Call& call, const PathComponents& path) {
  const std::vector<Tenure> tenures =
      TRY(tenures_of(call.directory.rows(), call.volume().settings().name_key, path));
  if (tenures.empty()) {
    return Error(Code::kNotFound, "neither the present nor history knows " + join_path(path));
  }
  std::set<InodeId> files;
  for (const Tenure& tenure : tenures) {
    if (tenure.type != meta::FileType::kDirectory) files.insert(tenure.ino);
  }
  if (!files.empty()) return files;
  return Error(Code::kIsDirectory,
               join_path(path) + " is a directory: forget the files in it one by one");
}

}  // namespace

Result<Json> run_forget(Call& call) {
  const PathArgument target = TRY(path_argument(call, "path", "mountpoints"));
  TRY(call.arguments.finish());
  TRY(settle(call));
  uint64_t files = 0;
  bool present = false;
  keeper::Forgotten total;
  for (const InodeId ino : TRY(files_of(call, target.path))) {
    const bool lives = call.volume().get_attr(ino).ok();
    const auto report = [&](const keeper::Forgotten& so_far) {
      return call.events.progress({"forgetting", so_far.extents, 0, "extents"});
    };
    const auto forgotten = call.directory.keeper().forget(ino, {.whole = !lives}, report);
    if (!forgotten.ok() && forgotten.code() == Code::kNotFound) continue;  // nothing of it is left
    if (!forgotten.ok()) return forgotten.error();
    ++files;
    present = present || lives;
    total.versions += forgotten->versions;
    total.names += forgotten->names;
    total.bytes_freed += forgotten->bytes_freed;
    total.damaged += forgotten->damaged;
  }
  return Json{{"path", json_of_bytes(join_path(target.path))},
              {"files", files},
              {"versions", total.versions},
              {"names", total.names},
              {"bytes_freed", total.bytes_freed},
              {"damaged", total.damaged},
              {"present", present}};
}

}  // namespace nacre::node
