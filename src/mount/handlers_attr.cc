#include <cerrno>

#include "mount/handlers.h"
#include "mount/scarce.h"
#include "mount/write_intent.h"

namespace nacre::mount {
namespace {

// Answers with a value, or with its length alone when `size_bytes` is 0.
void send_sized(Turn& turn, std::string_view value, uint32_t size_bytes) {
  if (size_bytes == 0) {
    return turn.send(fuse_getxattr_out{.size = static_cast<uint32_t>(value.size()), .padding = 0});
  }
  if (value.size() > size_bytes) return turn.fail(ERANGE);
  turn.send_bytes(as_bytes(value));
}

}  // namespace

void getattr(Turn& turn, const GetattrArgs& args) {
  // Opening is not asked for: this is the first that is heard of a write to a file of the past.
  if (args.of_open_file && Session::is_past(turn.node()) && turn.session().features.write_back &&
      is_surely_writing(turn.caller(0).pid)) {
    return turn.fail(EROFS);
  }
  if (args.of_open_file && turn.session().is_scarce()) return getattr_while_scarce(turn);
  turn.send_attr(turn.tree().get_attr(turn.node()));
}

void setattr(Turn& turn, const SetattrArgs& args) {
  turn.send_attr(turn.tree().set_attr(turn.caller(0), turn.node(), args.change));
}

void statx(Turn& turn, const StatxArgs&) {
  const Result<meta::Attr> attr = turn.tree().get_attr(turn.node());
  if (!attr.ok()) return turn.fail(attr.error());
  turn.send(statx_out(*attr, turn.keep_attr(*attr)));
}

void statfs(Turn& turn, const NoArgs&) {
  const Result<fs::TreeSpace> space = turn.tree().space();
  if (!space.ok()) return turn.fail(space.error());
  turn.send(statfs_out(*space));
}

void getxattr(Turn& turn, const GetxattrArgs& args) {
  const Result<std::string> value = turn.tree().get_xattr(turn.node(), args.name);
  if (!value.ok()) return turn.fail(value.error());
  send_sized(turn, *value, args.size_bytes);
}

void setxattr(Turn& turn, const SetxattrArgs& args) {
  turn.finish(turn.tree().set_xattr(turn.node(), args.name, args.value, args.mode, args.kill_sgid));
}

void listxattr(Turn& turn, const ListxattrArgs& args) {
  const Result<std::vector<std::string>> names = turn.tree().list_xattrs(turn.node());
  if (!names.ok()) return turn.fail(names.error());
  std::string list;
  for (const std::string& name : *names) list.append(name.c_str(), name.size() + 1);
  send_sized(turn, list, args.size_bytes);
}

void removexattr(Turn& turn, const RemovexattrArgs& args) {
  turn.finish(turn.tree().remove_xattr(turn.node(), args.name));
}

}  // namespace nacre::mount
