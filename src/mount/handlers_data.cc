#include <linux/falloc.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "base/errno.h"
#include "mount/handlers.h"
#include "mount/scarce.h"
#include "mount/sparse_seek.h"

namespace nacre::mount {
namespace {

// A whole number of pages that the 32 bits of the old answer hold.
constexpr uint64_t kMaxCopyBytes32 = 0xffff'f000;

std::optional<fs::AllocateMode> allocate_mode(uint32_t flags) {
  switch (flags) {
    case 0:
      return fs::AllocateMode::kAllocate;
    case FALLOC_FL_KEEP_SIZE:
      return fs::AllocateMode::kKeepSize;
    case FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE:
      return fs::AllocateMode::kPunchHole;
    case FALLOC_FL_ZERO_RANGE:
      return fs::AllocateMode::kZeroRange;
    case FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE:
      return fs::AllocateMode::kZeroRangeKeepSize;
    default:
      return std::nullopt;
  }
}

// The answers below may be sent long after the turn, by the notifier's thread.

template <class T>
void send_later(Port& port, uint64_t unique, const T& out) {
  const ByteView bytes = std::as_bytes(std::span(&out, 1));
  port.reply(unique, 0, std::span(&bytes, 1));
}

void send_position(Port& port, uint64_t unique, const Result<uint64_t>& position) {
  if (position.ok()) return send_later(port, unique, fuse_lseek_out{.offset = *position});
  const int error = position.code() == Code::kNoData ? ENXIO : errno_of(position.code());
  port.reply(unique, error, {});
}

void send_copied_32(Port& port, uint64_t unique, const Result<uint64_t>& copied) {
  if (!copied.ok()) return port.reply(unique, errno_of(copied.code()), {});
  send_later(port, unique, fuse_write_out{.size = static_cast<uint32_t>(*copied), .padding = 0});
}

void send_copied_64(Port& port, uint64_t unique, const Result<uint64_t>& copied) {
  if (!copied.ok()) return port.reply(unique, errno_of(copied.code()), {});
  send_later(port, unique, abi::CopyFileRangeOut{.bytes_copied = *copied});
}

void write_back_pages(Port& kernel, InodeId ino, uint64_t offset, uint64_t length) {
  // A page that cannot be written back is an error of its writer, not of this reader.
  [[maybe_unused]] const Status done = invalidate_pages(kernel, ino, offset, length);
}

// Copies the rest after `done` bytes, once the kernel has written back the end of the source.
Result<uint64_t> copy_rest(fs::Tree& tree, Port& kernel, InodeId from, const CopyArgs& args,
                           uint64_t done) {
  write_back_pages(kernel, from, args.from_offset + done, 0);
  Result<uint64_t> rest = tree.copy_range(from, args.from_offset + done, args.to,
                                          args.to_offset + done, args.length - done);
  if (rest.ok()) return done + *rest;
  if (done > 0) return done;
  return rest;
}

void copy(Turn& turn, const CopyArgs& args,
          void (*send)(Port& port, uint64_t unique, const Result<uint64_t>& copied)) {
  const Result<uint64_t> copied =
      turn.tree().copy_range(turn.node(), args.from_offset, args.to, args.to_offset, args.length);
  const bool complete = !copied.ok() || *copied >= args.length;
  if (complete || !turn.session().features.write_back) {
    return send(turn.port(), turn.unique(), copied);
  }
  // The source ended early, but the kernel has only written back the range asked for: what it still
  // holds beyond may make the file longer, and the range a hole within it.
  const bool deferred = turn.session().notifier.post(
      [&tree = turn.tree(), &port = turn.port(), unique = turn.unique(), from = turn.node(), args,
       done = *copied,
       send](Port& kernel) { send(port, unique, copy_rest(tree, kernel, from, args, done)); });
  if (!deferred) send(turn.port(), turn.unique(), copied);
}

}  // namespace

void read(Turn& turn, const ReadArgs& args) {
  if (args.size_bytes > turn.buffer().size()) return turn.fail(EINVAL);
  const MutableBytes into = turn.buffer().first(args.size_bytes);
  const Result<size_t> count = turn.tree().read(turn.node(), args.offset, into);
  if (!count.ok()) return turn.fail(count.error());
  turn.send_bytes(ByteView(into).first(*count));
}

void write(Turn& turn, const WriteArgs& args) {
  const Status status = turn.tree().write(turn.node(), args.offset, args.data, args.options);
  if (!status.ok()) return turn.fail(status.error());
  turn.send(fuse_write_out{.size = static_cast<uint32_t>(args.data.size()), .padding = 0});
  if (args.options.from_cache) watch_space(turn.session());
}

void fsync(Turn& turn, const FsyncArgs& args) {
  turn.finish(turn.tree().sync(turn.node(), args.scope));
}

void fallocate(Turn& turn, const FallocateArgs& args) {
  const std::optional<fs::AllocateMode> mode = allocate_mode(args.flags);
  if (!mode) return turn.fail(EOPNOTSUPP);
  turn.finish(turn.tree().allocate(turn.node(), args.offset, args.length, *mode));
}

void lseek(Turn& turn, const LseekArgs& args) {
  const Result<uint64_t> found = turn.tree().seek(turn.node(), args.offset, args.kind);
  if (!turn.session().features.write_back || is_certain(found, args.offset, args.kind)) {
    return send_position(turn.port(), turn.unique(), found);
  }
  const bool deferred = turn.session().notifier.post([&tree = turn.tree(), &port = turn.port(),
                                                      unique = turn.unique(), ino = turn.node(),
                                                      args](Port& kernel) {
    const auto write_back = [&](uint64_t offset, uint64_t length) {
      write_back_pages(kernel, ino, offset, length);
    };
    send_position(port, unique, seek_written_back(tree, ino, args.offset, args.kind, write_back));
  });
  if (!deferred) turn.fail(EAGAIN);
}

void copy_file_range(Turn& turn, const CopyArgs& args) {
  CopyArgs bounded = args;
  bounded.length = std::min(args.length, kMaxCopyBytes32);
  copy(turn, bounded, send_copied_32);
}

void copy_file_range_64(Turn& turn, const CopyArgs& args) { copy(turn, args, send_copied_64); }

}  // namespace nacre::mount
