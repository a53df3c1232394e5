// What changed in one file's content since the last commit, as ranges: the dirty buffers, and where
// they went once stored. A delta lies over the extents of the store (or over an older delta): a
// range it does not mention is unchanged.
//
// Not locked: the volume's lock guards every delta. Buffers are shared with the flusher, which
// reads sealed ones without the lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/units.h"

namespace nacre::fs {

class MemoryBudget;

// Dirty bytes. Its owner count and `sealed` say whether it may still be written in place.
struct Buffer {
  Buffer(MemoryBudget& budget, size_t capacity_bytes);
  ~Buffer();
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  MemoryBudget& memory;
  size_t capacity;
  size_t used = 0;      // bytes from the front that mean something
  bool sealed = false;  // the flusher or a second file reads it: never written again
  std::unique_ptr<std::byte[]> bytes;
};

struct Piece {
  enum class Kind : uint8_t { kHole, kUnwritten, kBuffer, kBlock, kInline };
  Kind kind = Kind::kHole;
  uint64_t length = 0;
  uint64_t source_offset = 0;               // in the buffer, block or inline bytes
  BlockId block;                            // kBlock
  std::shared_ptr<Buffer> buffer;           // kBuffer
  std::shared_ptr<const std::string> data;  // kInline

  bool is_data() const { return kind >= Kind::kBuffer; }
  ByteView view() const {
    if (kind == Kind::kBuffer) return {buffer->bytes.get() + source_offset, length};
    return as_bytes(std::string_view(*data)).subspan(source_offset, length);
  }
  // From `skip` on, `new_length` bytes.
  Piece part(uint64_t skip, uint64_t new_length) const;
};

class Delta {
 public:
  using Map = std::map<uint64_t, Piece>;

  bool empty() const { return pieces_.empty(); }
  const Map& pieces() const { return pieces_; }
  // Bytes in buffers that no block holds yet.
  uint64_t buffered_bytes() const { return buffered_bytes_; }

  // Lays the piece over [offset, offset + piece.length).
  void put(uint64_t offset, Piece piece);
  // Copies `data` in: into the buffers there are, where they may still be written; else to new
  // ones.
  void write(uint64_t offset, ByteView data, MemoryBudget& memory);
  // Where the range still shows bytes of `buffer`, it shows the same bytes in `block` from now on,
  // whose byte `block_offset` is the buffer's byte `buffer_offset`. Returns whether it did
  // anywhere.
  bool settle(uint64_t offset, uint64_t length, const Buffer* buffer, uint64_t buffer_offset,
              BlockId block, uint64_t block_offset);
  void clear() {
    pieces_.clear();
    buffered_bytes_ = 0;
  }

  // Calls `visit(offset, piece)` for the parts of pieces in [begin, end), and `gap(begin, end)` for
  // the ranges between, ascending, until either returns false. Returns whether it came to the end.
  using PieceVisitor = std::function<bool(uint64_t offset, const Piece& piece)>;
  using GapVisitor = std::function<bool(uint64_t begin, uint64_t end)>;
  bool visit(uint64_t begin, uint64_t end, const PieceVisitor& visit, const GapVisitor& gap) const;

 private:
  Map::iterator split(uint64_t offset);
  void drop(Map::iterator piece);
  bool write_in_place(uint64_t offset, ByteView data);
  bool extend_last(uint64_t offset, ByteView data);

  Map pieces_;
  uint64_t buffered_bytes_ = 0;
};

}  // namespace nacre::fs
