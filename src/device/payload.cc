#include "device/payload.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "base/units.h"
#include "codec/checksum.h"

namespace nacre::device {
namespace {

using wire::kChecksumPageBytes;
using wire::kDevicePageBytes;

// Whole pages are read in pieces that are still in the processor's cache when they are verified.
constexpr size_t kPieceBytes = 16 * kChecksumPageBytes;

uint64_t payload_begin(const wire::RecordHead& head) {
  return uint64_t{head.page} * kDevicePageBytes + head.payload_offset;
}

size_t page_length(const wire::RecordHead& head, size_t page) {
  return std::min<size_t>(kChecksumPageBytes, head.stored_bytes - page * kChecksumPageBytes);
}

Status verify(const wire::RecordHead& head, size_t page, ByteView bytes) {
  if (codec::xxh64(bytes) == head.page_checksums[page]) return {};
  return Error(Code::kCorrupt, fmt::format("byte {}: data fails its checksum",
                                           payload_begin(head) + page * kChecksumPageBytes));
}

// Reads pages from `first` on straight into `into`, which holds exactly so many whole ones.
Status read_whole_pages(const SegmentFile& file, const wire::RecordHead& head, size_t first,
                        MutableBytes into) {
  for (size_t page = first; !into.empty();) {
    const MutableBytes piece = into.first(std::min(into.size(), kPieceBytes));
    TRY(file.read(payload_begin(head) + page * kChecksumPageBytes, piece));
    for (size_t done = 0; done < piece.size(); ++page) {
      const size_t length = page_length(head, page);
      TRY(verify(head, page, piece.subspan(done, length)));
      done += length;
    }
    into = into.subspan(piece.size());
  }
  return {};
}

Status read_part_of_page(const SegmentFile& file, const wire::RecordHead& head, uint64_t offset,
                         MutableBytes into) {
  const size_t page = offset / kChecksumPageBytes;
  const size_t length = page_length(head, page);
  const std::unique_ptr<std::byte[]> whole(new std::byte[length]);  // not zeroed first
  TRY(read_whole_pages(file, head, page, {whole.get(), length}));
  std::memcpy(into.data(), whole.get() + offset % kChecksumPageBytes, into.size());
  return {};
}

}  // namespace

std::vector<uint64_t> checksums_of(std::span<const ByteView> parts) {
  std::vector<uint64_t> checksums;
  codec::Xxh64Stream page_sum;
  size_t page_bytes = 0;  // in page_sum
  for (ByteView part : parts) {
    while (!part.empty()) {
      if (page_bytes == 0 && part.size() >= kChecksumPageBytes) {
        checksums.push_back(codec::xxh64(part.first(kChecksumPageBytes)));
        part = part.subspan(kChecksumPageBytes);
        continue;
      }
      const size_t taken = std::min(part.size(), kChecksumPageBytes - page_bytes);
      page_sum.update(part.first(taken));
      part = part.subspan(taken);
      page_bytes += taken;
      if (page_bytes < kChecksumPageBytes) continue;
      checksums.push_back(page_sum.digest());
      page_sum = codec::Xxh64Stream();
      page_bytes = 0;
    }
  }
  if (page_bytes > 0) checksums.push_back(page_sum.digest());
  return checksums;
}

Result<wire::RecordHead> read_head(const SegmentFile& file, uint32_t page, uint64_t generation,
                                   uint64_t seed) {
  const uint64_t offset = uint64_t{page} * kDevicePageBytes;
  std::string bytes(kDevicePageBytes, '\0');
  TRY(file.read(offset, as_writable_bytes(bytes)));
  const uint32_t head_bytes = TRY(wire::peek_record_head(as_bytes(bytes)));
  if (head_bytes > bytes.size()) {
    const size_t have = bytes.size();
    bytes.resize(head_bytes);
    TRY(file.read(offset + have, as_writable_bytes(bytes).subspan(have)));
  }
  wire::RecordHead head = TRY(wire::decode_record_head(as_bytes(bytes), seed));
  if (head.page != page || head.generation != generation) {
    return Error(Code::kCorrupt, "record belongs elsewhere");
  }
  return head;
}

Status read_payload(const SegmentFile& file, const wire::RecordHead& head, uint64_t offset,
                    MutableBytes into) {
  if (const size_t skip = offset % kChecksumPageBytes; skip != 0 && !into.empty()) {
    const size_t length = page_length(head, offset / kChecksumPageBytes);
    const size_t part = std::min(into.size(), length - skip);
    TRY(read_part_of_page(file, head, offset, into.first(part)));
    offset += part;
    into = into.subspan(part);
  }
  const bool to_the_end = offset + into.size() == head.stored_bytes;
  const size_t whole = to_the_end ? into.size() : round_down(into.size(), kChecksumPageBytes);
  TRY(read_whole_pages(file, head, offset / kChecksumPageBytes, into.first(whole)));
  if (whole == into.size()) return {};
  return read_part_of_page(file, head, offset + whole, into.subspan(whole));
}

Result<uint64_t> flip_payload(const SegmentFile& file, const wire::RecordHead& head,
                              uint64_t offset, size_t count) {
  const uint64_t begin = payload_begin(head) + offset;
  std::vector<std::byte> bytes(count);
  TRY(file.read(begin, bytes));
  for (std::byte& byte : bytes) byte = ~byte;
  TRY(file.write(begin, bytes));
  TRY(file.sync());
  return begin;
}

}  // namespace nacre::device
