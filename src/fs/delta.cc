#include "fs/delta.h"

#include <algorithm>
#include <cstring>

#include "fs/memory_budget.h"

namespace nacre::fs {

namespace {

constexpr size_t kLargestGrowth = 256 * kKiB;  // a buffer made for a run of small writes

}  // namespace

Buffer::Buffer(MemoryBudget& budget, size_t capacity_bytes)
    : memory(budget),
      capacity(capacity_bytes),
      bytes(std::make_unique_for_overwrite<std::byte[]>(capacity_bytes)) {
  memory.add(capacity);
}

Buffer::~Buffer() { memory.subtract(capacity); }

Piece Piece::part(uint64_t skip, uint64_t new_length) const {
  Piece part = *this;
  part.length = new_length;
  part.source_offset += skip;
  return part;
}

// Makes a piece begin at `offset` if one covers it; returns the first piece from there on.
Delta::Map::iterator Delta::split(uint64_t offset) {
  auto next = pieces_.lower_bound(offset);
  if (next == pieces_.begin()) return next;
  const auto before = std::prev(next);
  const uint64_t skip = offset - before->first;
  if (skip >= before->second.length) return next;
  Piece rest = before->second.part(skip, before->second.length - skip);
  before->second.length = skip;
  return pieces_.emplace_hint(next, offset, std::move(rest));
}

void Delta::drop(Map::iterator piece) {
  if (piece->second.kind == Piece::Kind::kBuffer) buffered_bytes_ -= piece->second.length;
  pieces_.erase(piece);
}

void Delta::put(uint64_t offset, Piece piece) {
  if (piece.length == 0) return;
  auto at = split(offset);
  const auto end = split(offset + piece.length);
  at = pieces_.lower_bound(offset);
  while (at != end) drop(at++);
  if (piece.kind == Piece::Kind::kBuffer) buffered_bytes_ += piece.length;
  pieces_.emplace_hint(end, offset, std::move(piece));
}

bool Delta::write_in_place(uint64_t offset, ByteView data) {
  auto at = pieces_.upper_bound(offset);
  if (at == pieces_.begin()) return false;
  const auto& [start, piece] = *--at;
  if (piece.kind != Piece::Kind::kBuffer || start + piece.length < offset + data.size() ||
      piece.buffer->sealed || piece.buffer.use_count() != 1) {
    return false;
  }
  std::memcpy(piece.buffer->bytes.get() + piece.source_offset + (offset - start), data.data(),
              data.size());
  return true;
}

// A run of small writes fills one buffer.
bool Delta::extend_last(uint64_t offset, ByteView data) {
  auto next = pieces_.lower_bound(offset);
  if (next == pieces_.begin()) return false;
  if (next != pieces_.end() && next->first < offset + data.size()) return false;
  const auto before = std::prev(next);
  Piece& piece = before->second;
  if (before->first + piece.length != offset || piece.kind != Piece::Kind::kBuffer) return false;
  Buffer& buffer = *piece.buffer;
  if (buffer.sealed || piece.buffer.use_count() != 1 ||
      piece.source_offset + piece.length != buffer.used ||
      buffer.capacity - buffer.used < data.size()) {
    return false;
  }
  std::memcpy(buffer.bytes.get() + buffer.used, data.data(), data.size());
  buffer.used += data.size();
  piece.length += data.size();
  buffered_bytes_ += data.size();
  return true;
}

void Delta::write(uint64_t offset, ByteView data, MemoryBudget& memory) {
  if (data.empty() || write_in_place(offset, data) || extend_last(offset, data)) return;
  size_t capacity = data.size();
  if (auto at = pieces_.lower_bound(offset); at != pieces_.begin()) {
    const auto& [start, piece] = *std::prev(at);
    if (start + piece.length == offset && piece.kind == Piece::Kind::kBuffer) {
      capacity = std::max(capacity, std::min(2 * piece.buffer->capacity, size_t{kLargestGrowth}));
    }
  }
  Piece piece;
  piece.kind = Piece::Kind::kBuffer;
  piece.length = data.size();
  piece.buffer = std::make_shared<Buffer>(memory, capacity);
  piece.buffer->used = data.size();
  std::memcpy(piece.buffer->bytes.get(), data.data(), data.size());
  put(offset, std::move(piece));
}

bool Delta::settle(uint64_t offset, uint64_t length, const Buffer* buffer, uint64_t buffer_offset,
                   BlockId block, uint64_t block_offset) {
  bool settled = false;
  const auto end = split(offset + length);
  for (auto at = split(offset); at != end; ++at) {
    Piece& piece = at->second;
    if (piece.kind != Piece::Kind::kBuffer || piece.buffer.get() != buffer ||
        piece.source_offset < buffer_offset ||
        piece.source_offset + piece.length > buffer_offset + length) {
      continue;
    }
    buffered_bytes_ -= piece.length;
    piece.kind = Piece::Kind::kBlock;
    piece.block = block;
    piece.source_offset = block_offset + (piece.source_offset - buffer_offset);
    piece.buffer.reset();
    settled = true;
  }
  return settled;
}

bool Delta::visit(uint64_t begin, uint64_t end, const PieceVisitor& visit,
                  const GapVisitor& gap) const {
  auto at = pieces_.upper_bound(begin);
  if (at != pieces_.begin()) --at;
  for (; at != pieces_.end() && begin < end && at->first < end; ++at) {
    const auto& [start, piece] = *at;
    const uint64_t stop = std::min(start + piece.length, end);
    if (stop <= begin) continue;
    if (start > begin && !gap(begin, start)) return false;
    const uint64_t from = std::max(start, begin);
    if (!visit(from, piece.part(from - start, stop - from))) return false;
    begin = stop;
  }
  return begin >= end || gap(begin, end);
}

}  // namespace nacre::fs
