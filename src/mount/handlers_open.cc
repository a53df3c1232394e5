#include <algorithm>
#include <cerrno>

#include "mount/handlers.h"

namespace nacre::mount {
namespace {

// Handles of directories.
constexpr uint64_t kNotCaching = 0;
constexpr uint64_t kCaching = 1;

void read_entries(Turn& turn, const ReadArgs& args, bool with_attr) {
  const MutableBytes room =
      turn.buffer().first(std::min<size_t>(args.size_bytes, turn.buffer().size()));
  // What is in a directory that may not be kept may not be kept either.
  const Keep keep = turn.keep_entries_of(turn.node());
  DirectoryPacker packer(room, with_attr, keep);
  bool more = false;
  const Status status = turn.tree().read_directory(
      turn.node(), args.offset, with_attr, [&](const fs::DirectoryEntry& entry) {
        more = !packer.add(entry);
        if (!more && entry.attr != nullptr && keep == Keep::kNothing) {
          turn.session().uncached.add(entry.ino);
        }
        return !more;
      });
  // What is packed counts, whatever came after it.
  if (!packer.packed().empty()) return turn.send_bytes(packer.packed());
  if (!status.ok()) return turn.fail(status.error());
  if (more) return turn.fail(EINVAL);  // an empty answer would mean the end
  turn.done();
}

}  // namespace

void open(Turn& turn, const NoArgs&) {
  if (turn.session().features.no_open) return turn.fail(ENOSYS);
  turn.send(fuse_open_out{.fh = 0, .open_flags = FOPEN_KEEP_CACHE, .padding = 0});
}

void opendir(Turn& turn, const NoArgs&) {
  if (turn.session().listers.enter(turn.node())) {
    return turn.send(fuse_open_out{
        .fh = kCaching, .open_flags = FOPEN_KEEP_CACHE | FOPEN_CACHE_DIR, .padding = 0});
  }
  turn.send(fuse_open_out{.fh = kNotCaching, .open_flags = FOPEN_KEEP_CACHE, .padding = 0});
}

void releasedir(Turn& turn, const ReleasedirArgs& args) {
  if (args.handle == kCaching) turn.session().listers.leave(turn.node());
  turn.done();
}

void release(Turn& turn, const NoArgs&) { turn.done(); }

void readdir(Turn& turn, const ReadArgs& args) { read_entries(turn, args, false); }

void readdirplus(Turn& turn, const ReadArgs& args) { read_entries(turn, args, true); }

}  // namespace nacre::mount
