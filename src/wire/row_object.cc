#include "wire/row_object.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/check.h"
#include "wire/cursor.h"
#include "wire/object_frame.h"

namespace nacre::wire {
namespace {

constexpr std::string_view kSegmentMagic = "NCRS";
constexpr std::string_view kPartMagic = "NCCP";
constexpr size_t kChunkHeadBytes = 12;
constexpr uint32_t kLastChunk = 1;

std::string_view magic_of(RowObjectKind kind) {
  return kind == RowObjectKind::kSegment ? kSegmentMagic : kPartMagic;
}
std::string_view name_of(RowObjectKind kind) {
  return kind == RowObjectKind::kSegment ? "segment of the row log" : "part of a checkpoint";
}

void put_time(Writer& out, Timestamp time) { out.u64(std::bit_cast<uint64_t>(time.ns)); }
Timestamp take_time(Reader& in) { return {std::bit_cast<int64_t>(in.u64())}; }

std::string encode_header(const RowObjectHeader& header, bool sealed) {
  std::string bytes;
  begin_frame(bytes, magic_of(header.place.kind), sealed);
  Writer out(bytes);
  out.id(header.place.volume);
  out.u32(header.place.epoch);
  out.zeros(4);
  out.u64(header.place.number);
  out.u64(header.first_batch);
  out.u64(header.last_batch);
  put_time(out, header.first_time);
  put_time(out, header.last_time);
  out.zeros(kRowObjectHeaderBytes - kFrameEndBytes - out.size());
  end_frame(bytes);
  return bytes;
}

struct ChunkHead {
  uint32_t stored_bytes = 0;
  uint32_t plain_bytes = 0;
  uint32_t flags = 0;
};

// What a chunk belongs to: its object, its place there, and all of its head that is not its length.
std::string chunk_associated(std::string_view header, uint32_t number, const ChunkHead& head) {
  std::string associated(header);
  Writer out(associated);
  out.u32(number);
  out.u32(head.plain_bytes);
  out.u32(head.flags);
  return associated;
}

// Takes chunk after chunk out of an object.
class ChunkReader {
 public:
  ChunkReader(ByteView object, const codec::Protection& protection)
      : header_(as_text(object.first(kRowObjectHeaderBytes))),
        in_(object.subspan(kRowObjectHeaderBytes)),
        protection_(protection) {}

  // Appends the next chunk to `out`; true when it is the last one.
  Result<bool> next(std::string& out) {
    ChunkHead head;
    head.stored_bytes = in_.u32();
    head.plain_bytes = in_.u32();
    head.flags = in_.u32();
    const ByteView stored = in_.raw(head.stored_bytes);
    const size_t overhead_bytes = protection_.overhead_bytes();
    if (!in_.ok() || stored.size() < overhead_bytes || head.flags > kLastChunk ||
        head.plain_bytes > kRowChunkBytes || stored.size() - overhead_bytes > head.plain_bytes) {
      return Error(Code::kCorrupt, "a chunk of rows is cut off or impossible");
    }
    const std::string associated = chunk_associated(header_, number_++, head);
    packed_.resize(stored.size() - overhead_bytes);
    TRY(protection_.open(stored, as_bytes(associated), as_writable_bytes(packed_)));
    TRY(unpack(head.plain_bytes, out));
    const bool last = head.flags == kLastChunk;
    if (last && in_.remaining() > 0) {
      return Error(Code::kCorrupt, "rows are followed by other bytes");
    }
    return last;
  }

 private:
  Status unpack(uint32_t plain_bytes, std::string& out) {
    if (packed_.size() == plain_bytes) {
      out += packed_;
      return {};
    }
    const size_t begin = out.size();
    out.resize(begin + plain_bytes);
    return decompressor_.decompress(as_bytes(packed_), as_writable_bytes(out).subspan(begin));
  }

  std::string_view header_;
  Reader in_;
  const codec::Protection& protection_;
  codec::Decompressor decompressor_{codec::Compression::kZstd};
  std::string packed_;
  uint32_t number_ = 0;
};

// Visits the whole items at the front of `bytes` and takes them away.
Status visit_whole_items(std::string& bytes, const std::function<Status(ByteView item)>& visit) {
  ByteView rest = as_bytes(bytes);
  while (rest.size() >= sizeof(uint32_t)) {
    const uint32_t length = Reader(rest).u32();
    if (length < sizeof(length) || length > kMaxRowItemBytes) {
      return Error(Code::kCorrupt, "rows are of an impossible length");
    }
    if (length > rest.size()) break;
    TRY(visit(rest.first(length)));
    rest = rest.subspan(length);
  }
  bytes.erase(0, bytes.size() - rest.size());
  return {};
}

}  // namespace

void RowObjectWriter::append(ByteView items) {
  while (!items.empty()) {
    const size_t count = std::min(items.size(), kRowChunkBytes - open_.size());
    open_ += as_text(items.first(count));
    items = items.subspan(count);
    if (open_.size() == kRowChunkBytes) close_chunk();
  }
}

void RowObjectWriter::close_chunk() {
  Chunk chunk{.plain_bytes = static_cast<uint32_t>(open_.size()), .bytes = {}};
  if (!open_.empty()) {
    chunk.bytes.resize(open_.size() - 1);
    chunk.bytes.resize(compressor_.compress(as_bytes(open_), as_writable_bytes(chunk.bytes)));
    if (chunk.bytes.empty()) chunk.bytes = open_;
    chunk.bytes.shrink_to_fit();
  }
  open_.clear();
  closed_bytes_ += chunk.bytes.size() + kChunkHeadBytes + codec::Protection::kMaxOverheadBytes;
  chunks_.push_back(std::move(chunk));
}

uint64_t RowObjectWriter::object_bytes() const {
  return kRowObjectHeaderBytes + closed_bytes_ + open_.size();
}

std::string RowObjectWriter::finish(const RowObjectHeader& header,
                                    const codec::Protection& protection) {
  if (!open_.empty() || chunks_.empty()) close_chunk();
  std::string object = encode_header(header, protection.sealed());
  const std::string head_bytes = object;
  object.reserve(object_bytes());
  Writer out(object);
  for (uint32_t number = 0; number < chunks_.size(); ++number) {
    const Chunk& chunk = chunks_[number];
    const ChunkHead head{
        .stored_bytes = static_cast<uint32_t>(chunk.bytes.size() + protection.overhead_bytes()),
        .plain_bytes = chunk.plain_bytes,
        .flags = number + 1 == chunks_.size() ? kLastChunk : 0};
    out.u32(head.stored_bytes);
    out.u32(head.plain_bytes);
    out.u32(head.flags);
    const std::string associated = chunk_associated(head_bytes, number, head);
    protection.protect(as_bytes(chunk.bytes), as_bytes(associated), object);
  }
  chunks_.clear();
  closed_bytes_ = 0;
  return object;
}

Result<RowObjectHeader> open_row_object(ByteView object, const RowObjectPlace& place,
                                        const codec::Protection& protection) {
  const std::string_view name = name_of(place.kind);
  if (object.size() < kRowObjectHeaderBytes) {
    return Error(Code::kCorrupt, std::string(name) + " is cut off");
  }
  const ObjectFrame frame =
      TRY(open_frame(object.first(kRowObjectHeaderBytes), magic_of(place.kind), name));
  TRY(check_sealing(frame.sealed, protection, name));
  Reader in(frame.fields);
  RowObjectHeader header{.place = {.kind = place.kind}};
  header.place.volume = in.id<VolumeId>();
  header.place.epoch = in.u32();
  in.skip(4);
  header.place.number = in.u64();
  header.first_batch = in.u64();
  header.last_batch = in.u64();
  header.first_time = take_time(in);
  header.last_time = take_time(in);
  in.rest();
  TRY(in.finish(name));
  if (header.place != place) {
    return Error(Code::kCorrupt, std::string(name) + " is another one than its name says");
  }
  return header;
}

Status visit_row_items(ByteView object, const codec::Protection& protection,
                       const std::function<Status(ByteView item)>& visit) {
  CHECK(object.size() >= kRowObjectHeaderBytes);
  ChunkReader chunks(object, protection);
  std::string pending;
  for (bool last = false; !last;) {
    last = TRY(chunks.next(pending));
    TRY(visit_whole_items(pending, visit));
  }
  if (!pending.empty()) return Error(Code::kCorrupt, "rows end in the middle of one");
  return {};
}

}  // namespace nacre::wire
