#include "mount/scarce.h"

#include "base/errno.h"
#include "mount/write_intent.h"

namespace nacre::mount {
namespace {

// Finds out which promises the kernel still needs, by making it send everything they were made for.
void collect_promises(fs::Tree& tree, Port& kernel) {
  for (const InodeId ino : tree.age_promises()) {
    // What cannot be written is an error of its writer; the promise ends all the same.
    [[maybe_unused]] const Status sent = invalidate_pages(kernel, ino, 0, 0);
  }
  tree.drop_aged_promises();
}

// On the notifier's thread, long after the turn.
void send_attr_later(fs::Tree& tree, Port& port, uint64_t unique, InodeId ino,
                     const Status& admitted) {
  if (!admitted.ok()) return port.reply(unique, errno_of(admitted.code()), {});
  const Result<meta::Attr> attr = tree.get_attr(ino);
  if (!attr.ok()) return port.reply(unique, errno_of(attr.code()), {});
  const fuse_attr_out out = attr_out(*attr, Keep::kNothing);
  const ByteView bytes = std::as_bytes(std::span(&out, 1));
  port.reply(unique, 0, std::span(&bytes, 1));
}

}  // namespace

void getattr_while_scarce(Turn& turn) {
  const std::optional<uint64_t> bytes = bytes_being_written(turn.caller(0).pid);
  if (!bytes) return turn.send_attr(turn.tree().get_attr(turn.node()));
  const Status admitted = turn.tree().admit_write(turn.node(), *bytes);
  if (admitted.ok()) return turn.send_attr(turn.tree().get_attr(turn.node()));
  if (admitted.code() != Code::kNoSpace) return turn.fail(admitted.error());
  const bool deferred = turn.session().notifier.post([&tree = turn.tree(), &port = turn.port(),
                                                      unique = turn.unique(), ino = turn.node(),
                                                      bytes = *bytes](Port& kernel) {
    collect_promises(tree, kernel);
    send_attr_later(tree, port, unique, ino, tree.admit_write(ino, bytes));
  });
  if (!deferred) turn.fail(ENOSPC);
}

void watch_space(Session& session) {
  const bool scarce = session.is_scarce();
  if (session.asks_before_writes.load(std::memory_order_relaxed) == scarce) return;
  if (session.asks_before_writes.exchange(scarce) == scarce || !scarce) return;
  const bool posted = session.notifier.post([&tree = session.tree](Port& kernel) {
    for (const InodeId ino : tree.referenced()) {
      [[maybe_unused]] const Status told = invalidate_attributes(kernel, ino);
    }
  });
  if (!posted) session.asks_before_writes = false;  // the next write tries again
}

}  // namespace nacre::mount
