// The bytes of files: reading through the layers (active delta, closed delta, stored extents),
// writing into the active one, and the operations that move ranges without moving data.
#include <algorithm>
#include <cstring>

#include "fs/volume.h"
#include "meta/extents.h"
#include "meta/past_rows.h"

namespace nacre::fs {

namespace {

using PieceAt = std::pair<uint64_t, Piece>;

constexpr uint64_t kEndOfFiles = uint64_t{INT64_MAX};
constexpr uint64_t kLargestCopy = kGiB;  // one copy_range call; callers loop
constexpr uint64_t kStretchBytes = 4 * kMiB;
constexpr uint64_t kStretchesAhead = 4;
constexpr int kReadAttempts = 8;         // blocks may move between finding and reading them
constexpr size_t kExactAllocation = 64;  // pieces up to which pending allocation is exact

Piece piece_of(const wire::ExtentRow& row) {
  Piece piece;
  piece.length = row.length;
  switch (row.kind) {
    case wire::ExtentKind::kBlock:
      piece.kind = Piece::Kind::kBlock;
      piece.block = row.block;
      piece.source_offset = row.block_offset;
      break;
    case wire::ExtentKind::kInline:
      piece.kind = Piece::Kind::kInline;
      piece.data = std::make_shared<const std::string>(row.data);
      break;
    case wire::ExtentKind::kUnwritten:
      piece.kind = Piece::Kind::kUnwritten;
      break;
  }
  return piece;
}

Piece empty_piece(Piece::Kind kind, uint64_t length) {
  Piece piece;
  piece.kind = kind;
  piece.length = length;
  return piece;
}

bool continues(const PieceAt& before, uint64_t offset, const Piece& piece) {
  const auto& [start, last] = before;
  if (last.kind != piece.kind || start + last.length != offset) return false;
  if (piece.kind == Piece::Kind::kHole || piece.kind == Piece::Kind::kUnwritten) return true;
  return piece.kind == Piece::Kind::kBlock && last.block == piece.block &&
         last.source_offset + last.length == piece.source_offset;
}

// Hands each stored extent on, trimmed to [begin, end), with holes between them.
class ExtentPieces {
 public:
  ExtentPieces(uint64_t begin, uint64_t end, const Delta::PieceVisitor& visit)
      : at_(begin), end_(end), visit_(visit) {}

  bool operator()(const meta::Extent& extent) {
    const uint64_t from = std::max(extent.offset, at_);
    const uint64_t stop = std::min(extent.end(), end_);
    if (from > at_ && !hole_until(from)) return false;
    at_ = stop;
    more_ = visit_(from, piece_of(extent.row).part(from - extent.offset, stop - from));
    return more_;
  }
  // Whether the visitor wants more.
  bool finish() { return more_ && (at_ >= end_ || hole_until(end_)); }

 private:
  bool hole_until(uint64_t offset) {
    const uint64_t from = at_;
    at_ = offset;
    more_ = visit_(from, empty_piece(Piece::Kind::kHole, offset - from));
    return more_;
  }

  uint64_t at_;
  uint64_t end_;
  const Delta::PieceVisitor& visit_;
  bool more_ = true;
};

}  // namespace

bool Volume::visit_stored(meta::ExtentReader& extents, uint64_t begin, uint64_t end,
                          const Delta::PieceVisitor& visit, Status& failure) const {
  ExtentPieces pieces(begin, end, visit);
  failure = extents.visit(begin, end, [&](const meta::Extent& extent) { return pieces(extent); });
  return failure.ok() && pieces.finish();
}

bool Volume::visit_layers(InodeId ino, uint64_t begin, uint64_t end,
                          const Delta::PieceVisitor& visit, Status& failure) const {
  std::optional<meta::ExtentReader> extents;  // made when something is not in memory
  const auto stored = [&](uint64_t from, uint64_t to) {
    if (!extents) extents.emplace(rows_store_, nullptr, ino, end);
    return visit_stored(*extents, from, to, visit, failure);
  };
  const auto content = contents_.find(ino);
  if (content == contents_.end()) return stored(begin, end);
  return content->second.active.visit(begin, end, visit, [&](uint64_t from, uint64_t to) {
    return content->second.closed.visit(from, to, visit, stored);
  });
}

Result<std::vector<PieceAt>> Volume::gather(InodeId ino, uint64_t begin, uint64_t end) const {
  std::vector<PieceAt> pieces;
  Status failure;
  visit_layers(
      ino, begin, end,
      [&](uint64_t offset, const Piece& piece) {
        if (!pieces.empty() && continues(pieces.back(), offset, piece)) {
          pieces.back().second.length += piece.length;
        } else {
          pieces.emplace_back(offset, piece);
        }
        return true;
      },
      failure);
  TRY(std::move(failure));
  return pieces;
}

// `into` holds the bytes from `offset` on; the pieces cover it.
Status Volume::fill(uint64_t offset, MutableBytes into, const std::vector<PieceAt>& pieces) {
  for (const auto& [start, piece] : pieces) {
    const MutableBytes part = into.subspan(start - offset, piece.length);
    switch (piece.kind) {
      case Piece::Kind::kHole:
      case Piece::Kind::kUnwritten:
        std::memset(part.data(), 0, part.size());
        break;
      case Piece::Kind::kBuffer:
      case Piece::Kind::kInline:
        std::memcpy(part.data(), piece.view().data(), part.size());
        break;
      case Piece::Kind::kBlock:
        TRY(blocks_.read(piece.block, piece.source_offset, part));
        break;
    }
  }
  return {};
}

// Who reads a file from one end to the other passes the middle of each stretch of it: then the next
// four are hinted at. Who reads here and there seldom does.
Result<std::vector<PieceAt>> Volume::gather_ahead(InodeId ino, uint64_t offset, uint64_t length,
                                                  uint64_t size) const {
  const uint64_t stretch = std::max<uint64_t>(settings_.block_size, kStretchBytes);
  const uint64_t last = (offset + length - 1) / stretch * stretch;
  const uint64_t middle = last + stretch / 2;
  const uint64_t begin = last + stretch;
  if (begin >= size || offset > middle || offset + length <= middle) return std::vector<PieceAt>();
  return gather(ino, begin, std::min(size, begin + kStretchesAhead * stretch));
}

Result<size_t> Volume::read(InodeId ino, uint64_t offset, MutableBytes into) {
  Status status;
  for (int attempt = 0; attempt < kReadAttempts; ++attempt) {
    std::vector<PieceAt> pieces;
    std::vector<PieceAt> ahead;
    size_t length = 0;
    {
      const os::SharedLock lock(lock_);
      const meta::Inode inode = TRY(meta::load_inode(rows_, ino));
      if (inode.is_directory()) return Code::kIsDirectory;
      if (inode.type() != meta::FileType::kRegular) return Code::kInvalid;
      if (offset >= inode.row.size) return size_t{0};
      length = std::min<uint64_t>(into.size(), inode.row.size - offset);
      pieces = TRY(gather(ino, offset, offset + length));
      if (length > 0) ahead = TRY(gather_ahead(ino, offset, length, inode.row.size));
    }
    for (const auto& [start, piece] : ahead) {
      if (piece.kind == Piece::Kind::kBlock) {
        blocks_.prefetch(piece.block, piece.source_offset, piece.length);
      }
    }
    status = fill(offset, into.first(length), pieces);
    if (status.ok()) return length;
    if (status.code() != Code::kNotFound) break;
  }
  if (status.code() == Code::kNotFound) {
    return Error(Code::kCorrupt, "a block of inode " + std::to_string(ino.value) +
                                     " is missing: " + status.error().context());
  }
  return std::move(status).error();
}

Result<size_t> Volume::read_past(Sequence at, InodeId ino, uint64_t size, uint64_t offset,
                                 MutableBytes into) {
  if (offset >= size) return size_t{0};
  const size_t length = std::min<uint64_t>(into.size(), size - offset);
  Status status;
  for (int attempt = 0; attempt < kReadAttempts; ++attempt) {
    const auto pieces = TRY(gather_past(at, ino, offset, offset + length));
    status = fill(offset, into.first(length), pieces);
    if (status.ok()) return length;
    if (status.code() != Code::kNotFound) break;
  }
  return std::move(status).error();
}

Delta& Volume::active_delta(InodeId ino) {
  FileContent& content = contents_[ino];
  if (!content.listed) dirty_files_.push_back(ino);
  content.listed = true;
  return content.active;
}

// Writers wait while there are too many dirty buffers; without a flusher they store them
// themselves.
Status Volume::wait_for_memory() {
  if (!settings_.background) return memory_.has_room() ? Status() : commit();
  while (!memory_.wait_for_room(std::chrono::seconds(1))) wake_flusher();
  return {};
}

Status Volume::write(InodeId ino, uint64_t offset, ByteView data, const WriteOptions& options) {
  if (offset > meta::kMaxFileBytes || data.size() > meta::kMaxFileBytes - offset) {
    return Code::kTooBig;
  }
  if (is_read_only()) return Code::kReadOnly;
  TRY(wait_for_memory());
  TRY(options.from_cache ? reserve_promised(ino, data.size()) : reserve(data.size()));
  {
    const os::ExclusiveLock lock(lock_);
    const meta::Inode inode = TRY(meta::load_inode(rows_, ino));
    if (inode.type() != meta::FileType::kRegular) return Code::kInvalid;
    if (data.empty()) return {};
    const uint64_t size = std::max<uint64_t>(inode.row.size, offset + data.size());
    TRY(namespace_.touch_content(ino, size, options.times == TimesBy::kTree,
                                 options.kill_suid_sgid));
    active_delta(ino).write(offset, data, memory_);
    ++active_pieces_;
  }
  if (memory_.wants_flush()) wake_flusher();
  return options.durable ? sync(ino) : Status();
}

Result<meta::Attr> Volume::set_attributes(InodeId ino, const meta::SetAttr& change) {
  if (is_read_only()) return Code::kReadOnly;
  const os::ExclusiveLock lock(lock_);
  const uint64_t old_size = TRY(meta::load_inode(rows_, ino)).row.size;
  const meta::Inode inode = TRY(namespace_.set_attributes(ino, change));
  if (change.size && *change.size < old_size) {
    active_delta(ino).put(*change.size,
                          empty_piece(Piece::Kind::kHole, kEndOfFiles - *change.size));
    ++active_pieces_;
  }
  meta::Attr attr = meta::attr_of(inode);
  attr.allocated_bytes = pending_allocation(ino, attr.allocated_bytes);
  return attr;
}

Status Volume::allocate(InodeId ino, uint64_t offset, uint64_t length, AllocateMode mode,
                        TimesBy times) {
  if (is_read_only()) return Code::kReadOnly;
  if (length == 0) return Code::kInvalid;
  if (offset > meta::kMaxFileBytes || length > meta::kMaxFileBytes - offset) return Code::kTooBig;
  if (mode == AllocateMode::kAllocate || mode == AllocateMode::kKeepSize) TRY(reserve(length));
  const uint64_t end = offset + length;
  const os::ExclusiveLock lock(lock_);
  const meta::Inode inode = TRY(meta::load_inode(rows_, ino));
  if (inode.type() != meta::FileType::kRegular) return Code::kInvalid;
  const bool grows = mode == AllocateMode::kAllocate || mode == AllocateMode::kZeroRange;
  std::vector<PieceAt> pieces;
  if (mode == AllocateMode::kAllocate || mode == AllocateMode::kKeepSize) {
    for (auto& [from, piece] : TRY(gather(ino, offset, end))) {
      if (piece.kind == Piece::Kind::kHole) {
        pieces.emplace_back(from, empty_piece(Piece::Kind::kUnwritten, piece.length));
      }
    }
  } else {
    const auto kind =
        mode == AllocateMode::kPunchHole ? Piece::Kind::kHole : Piece::Kind::kUnwritten;
    pieces.emplace_back(offset, empty_piece(kind, length));
  }
  std::optional<uint64_t> size;
  if (grows && end > inode.row.size) size = end;
  TRY(namespace_.touch_content(ino, size, times == TimesBy::kTree, false));
  put_pieces(ino, offset, std::move(pieces), offset);
  return {};
}

Result<uint64_t> Volume::seek(InodeId ino, uint64_t offset, SeekKind kind) {
  const os::SharedLock lock(lock_);
  const meta::Inode inode = TRY(meta::load_inode(rows_, ino));
  if (inode.type() != meta::FileType::kRegular) return Code::kInvalid;
  if (offset >= inode.row.size) return Code::kNoData;
  std::optional<uint64_t> found;
  Status failure;
  visit_layers(
      ino, offset, inode.row.size,
      [&](uint64_t from, const Piece& piece) {
        if (piece.is_data() != (kind == SeekKind::kData)) return true;
        found = from;
        return false;
      },
      failure);
  TRY(std::move(failure));
  if (found) return *found;
  if (kind == SeekKind::kHole) return inode.row.size;
  return Code::kNoData;
}

// Lays pieces taken from `from_offset` on over the file from `offset` on. Bytes come to be shared:
// buffers are sealed, committed blocks are kept from upkeep until this is committed.
void Volume::put_pieces(InodeId ino, uint64_t offset, std::vector<PieceAt> pieces,
                        uint64_t from_offset) {
  if (pieces.empty()) return;  // a listed delta is never empty
  Delta& delta = active_delta(ino);
  for (auto& [from, piece] : pieces) {
    if (piece.kind == Piece::Kind::kBuffer) piece.buffer->sealed = true;
    if (piece.kind == Piece::Kind::kBlock) shared_blocks_.insert(piece.block);
    delta.put(from - from_offset + offset, std::move(piece));
    ++active_pieces_;
  }
}

Result<std::vector<PieceAt>> Volume::gather_past(Sequence at, InodeId ino, uint64_t begin,
                                                 uint64_t end) const {
  std::vector<PieceAt> pieces;
  const Delta::PieceVisitor collect = [&](uint64_t offset, const Piece& piece) {
    pieces.emplace_back(offset, piece);
    return true;
  };
  ExtentPieces trimmed(begin, end, collect);
  TRY(meta::visit_past_extents(rows_store_, at, settings_.block_size, ino, begin, end,
                               [&](const meta::Extent& extent) { return trimmed(extent); }));
  trimmed.finish();
  return pieces;
}

// Lays `length` bytes' worth of pieces, taken from `from_offset` on, over a regular file.
Result<uint64_t> Volume::share(InodeId to, uint64_t to_offset, uint64_t from_offset,
                               uint64_t length, std::vector<PieceAt> pieces, TimesBy times) {
  const meta::Inode target = TRY(meta::load_inode(rows_, to));
  if (target.type() != meta::FileType::kRegular) return Code::kInvalid;
  if (to_offset > meta::kMaxFileBytes || length > meta::kMaxFileBytes - to_offset) {
    return Code::kTooBig;
  }
  TRY(namespace_.touch_content(to, std::max(target.row.size, to_offset + length),
                               times == TimesBy::kTree, true));
  put_pieces(to, to_offset, std::move(pieces), from_offset);
  return length;
}

Result<uint64_t> Volume::copy_range(InodeId from, uint64_t from_offset, InodeId to,
                                    uint64_t to_offset, uint64_t length, TimesBy times) {
  if (is_read_only()) return Code::kReadOnly;
  const os::ExclusiveLock lock(lock_);
  const meta::Inode source = TRY(meta::load_inode(rows_, from));
  if (source.type() != meta::FileType::kRegular) return Code::kInvalid;
  if (from_offset >= source.row.size || length == 0) return uint64_t{0};
  length = std::min({length, source.row.size - from_offset, kLargestCopy});
  return share(to, to_offset, from_offset, length,
               TRY(gather(from, from_offset, from_offset + length)), times);
}

Result<uint64_t> Volume::copy_past_range(Sequence at, InodeId from, uint64_t size,
                                         uint64_t from_offset, InodeId to, uint64_t to_offset,
                                         uint64_t length, TimesBy times) {
  if (is_read_only()) return Code::kReadOnly;
  if (from_offset >= size || length == 0) return uint64_t{0};
  length = std::min({length, size - from_offset, kLargestCopy});
  const os::ExclusiveLock lock(lock_);
  return share(to, to_offset, from_offset, length,
               TRY(gather_past(at, from, from_offset, from_offset + length)), times);
}

Status Volume::restore_content(InodeId from, Sequence at, InodeId to) {
  if (is_read_only()) return Code::kReadOnly;
  const os::ExclusiveLock lock(lock_);
  const meta::PastRows past(rows_store_, at);
  const meta::Inode was = TRY(meta::load_inode(past, from));
  std::vector<PieceAt> pieces;
  TRY(meta::visit_past_extents(rows_store_, at, settings_.block_size, from, 0, kEndOfFiles,
                               [&](const meta::Extent& extent) {
                                 pieces.emplace_back(extent.offset, piece_of(extent.row));
                                 return true;
                               }));
  TRY(namespace_.touch_content(to, was.row.size, true, false));
  active_delta(to).put(0, empty_piece(Piece::Kind::kHole, kEndOfFiles));
  put_pieces(to, 0, std::move(pieces), 0);
  return {};
}

// Bytes the file will hold once its deltas are committed: exact for small deltas, else an upper
// bound.
uint64_t Volume::pending_allocation(InodeId ino, uint64_t stored) const {
  const auto content = contents_.find(ino);
  if (content == contents_.end()) return stored;
  const Delta& active = content->second.active;
  const Delta& closed = content->second.closed;
  if (active.pieces().size() + closed.pieces().size() > kExactAllocation) {
    return stored + active.buffered_bytes() + closed.buffered_bytes();
  }
  Status failure;
  int64_t change = 0;
  const auto count_old = [&](uint64_t, const Piece& piece) {
    if (piece.kind != Piece::Kind::kHole) change -= static_cast<int64_t>(piece.length);
    return true;
  };
  meta::ExtentReader extents(rows_store_, nullptr, ino);
  const auto stored_under = [&](uint64_t from, uint64_t to) {
    return visit_stored(extents, from, to, count_old, failure);
  };
  for (const auto& [offset, piece] : closed.pieces()) {
    if (piece.kind != Piece::Kind::kHole) change += static_cast<int64_t>(piece.length);
    stored_under(offset, offset + piece.length);
  }
  for (const auto& [offset, piece] : active.pieces()) {
    if (piece.kind != Piece::Kind::kHole) change += static_cast<int64_t>(piece.length);
    closed.visit(offset, offset + piece.length, count_old, stored_under);
  }
  return static_cast<uint64_t>(std::max<int64_t>(0, static_cast<int64_t>(stored) + change));
}

Result<meta::Attr> Volume::get_attr(InodeId ino) const {
  const os::SharedLock lock(lock_);
  meta::Attr attr = meta::attr_of(TRY(meta::load_inode(rows_, ino)));
  attr.allocated_bytes = pending_allocation(ino, attr.allocated_bytes);
  return attr;
}

}  // namespace nacre::fs
