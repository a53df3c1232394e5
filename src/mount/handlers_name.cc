#include <fcntl.h>

#include <array>
#include <cerrno>

#include "base/errno.h"
#include "mount/handlers.h"

namespace nacre::mount {

void lookup(Turn& turn, const NameArgs& args) {
  const Result<fs::Entry> entry = turn.tree().lookup(turn.node(), args.name);
  const bool missing = !entry.ok() && entry.code() == Code::kNotFound;
  if (missing && turn.session().cache_missing_names &&
      turn.keep_entries_of(turn.node()) != Keep::kNothing) {
    return turn.send(missing_entry_out());
  }
  turn.send_entry(entry);
}

namespace {
void give_back(Turn& turn, InodeId ino, uint64_t references) {
  turn.session().uncached.forget(ino, references);
  turn.tree().forget(ino, references);
}
}  // namespace

void forget(Turn& turn, const ForgetArgs& args) { give_back(turn, turn.node(), args.references); }

void batch_forget(Turn& turn, const BatchForgetArgs& args) {
  for (size_t i = 0; i < args.size(); ++i) {
    const fuse_forget_one one = args[i];
    give_back(turn, InodeId{one.nodeid}, one.nlookup);
  }
}

void mknod(Turn& turn, const MknodArgs& args) {
  turn.send_entry(
      turn.tree().make_node(turn.caller(args.umask), turn.node(), args.name, args.node));
}

void mkdir(Turn& turn, const MkdirArgs& args) {
  turn.send_entry(
      turn.tree().make_node(turn.caller(args.umask), turn.node(), args.name, args.node));
}

void symlink(Turn& turn, const SymlinkArgs& args) {
  const fs::NewNode node = {
      .type = meta::FileType::kSymlink, .mode = 0777, .rdev = 0, .target = args.target};
  turn.send_entry(turn.tree().make_node(turn.caller(0), turn.node(), args.name, node));
}

void create(Turn& turn, const CreateArgs& args) {
  const Result<fs::Entry> entry =
      turn.tree().make_node(turn.caller(args.umask), turn.node(), args.name, args.node);
  // Somebody else made it since the kernel looked. The kernel takes what CREATE returns for new and
  // skips the permission check and O_TRUNC; ESTALE makes it look again and open what is there as
  // any other file.
  if (!entry.ok() && entry.code() == Code::kExists && (args.flags & O_EXCL) == 0) {
    return turn.fail(ESTALE);
  }
  if (!entry.ok()) return turn.fail(entry.error());
  const fuse_entry_out made = entry_out(entry->attr, turn.keep_entry(*entry));
  const fuse_open_out opened = {.fh = 0, .open_flags = FOPEN_KEEP_CACHE, .padding = 0};
  turn.send_bytes(
      std::array{std::as_bytes(std::span(&made, 1)), std::as_bytes(std::span(&opened, 1))});
}

void link(Turn& turn, const LinkArgs& args) {
  turn.send_entry(turn.tree().link(args.from, turn.node(), args.name));
}

void unlink(Turn& turn, const NameArgs& args) {
  turn.finish(turn.tree().unlink(turn.node(), args.name));
}

void rmdir(Turn& turn, const NameArgs& args) {
  turn.finish(turn.tree().remove_directory(turn.node(), args.name));
}

void rename(Turn& turn, const RenameArgs& args) {
  turn.finish(
      turn.tree().rename(turn.node(), args.name, args.new_parent, args.new_name, args.mode));
}

void rename2(Turn& turn, const Rename2Args& args) { rename(turn, args); }

void readlink(Turn& turn, const NoArgs&) {
  const Result<std::string> target = turn.tree().read_link(turn.node());
  if (!target.ok()) return turn.fail(target.error());
  turn.send_bytes(as_bytes(*target));
}

}  // namespace nacre::mount
