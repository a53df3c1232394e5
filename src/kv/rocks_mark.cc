#include "kv/rocks_mark.h"

#include <bit>
#include <cstring>

#include "base/units.h"
#include "codec/checksum.h"

namespace nacre::kv {
namespace {

constexpr std::string_view kMagic = "NACREMRK";
constexpr size_t kMarkBytes = 32;
constexpr size_t kSummedBytes = 24;

static_assert(std::endian::native == std::endian::little);

void append_integer(std::string& text, uint64_t value) {
  text.append(reinterpret_cast<const char*>(&value), sizeof value);
}
uint64_t integer_at(ByteView bytes, size_t offset) {
  uint64_t value = 0;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

Result<uint64_t> checksum_of(os::File& file, const std::string& path, uint64_t bytes) {
  codec::Xxh64Stream sum;
  std::string buffer(256 * kKiB, '\0');
  for (uint64_t offset = 0; offset < bytes;) {
    const MutableBytes into =
        as_writable_bytes(buffer).first(std::min<uint64_t>(buffer.size(), bytes - offset));
    const size_t count = TRY(file.read_at(offset, into));
    if (count == 0) {
      return Error(Code::kCorrupt, path + " ends at " + std::to_string(offset) + " of " +
                                       std::to_string(bytes) + " bytes");
    }
    sum.update(into.first(count));
    offset += count;
  }
  return sum.digest();
}

}  // namespace

std::string mark_path(const std::string& path) { return path + ".mark"; }

std::string encode(const Mark& mark) {
  std::string text(kMagic);
  append_integer(text, mark.bytes);
  append_integer(text, mark.checksum);
  append_integer(text, codec::xxh64(as_bytes(text)));
  return text;
}

Result<Mark> decode_mark(ByteView bytes, const std::string& path) {
  if (bytes.size() != kMarkBytes || as_text(bytes.first(kMagic.size())) != kMagic ||
      integer_at(bytes, kSummedBytes) != codec::xxh64(bytes.first(kSummedBytes))) {
    return Error(Code::kCorrupt, path + " is damaged");
  }
  return Mark{.bytes = integer_at(bytes, 8), .checksum = integer_at(bytes, 16)};
}

Result<std::unique_ptr<MarkFile>> MarkFile::create(os::FileSystem& disk, const std::string& path) {
  std::unique_ptr<os::File> file = TRY(disk.open(mark_path(path), os::OpenMode::kCreate));
  TRY(file->truncate(0));
  // Takes the space now, so that set() does not fail on a full disk.
  TRY(file->write_at(0, as_bytes(std::string(kMarkBytes, '\0'))));
  return std::unique_ptr<MarkFile>(new MarkFile(std::move(file)));
}

Status MarkFile::set(const Mark& mark) {
  TRY(file_->write_at(0, as_bytes(encode(mark))));
  return file_->sync();
}

Result<Mark> read_mark(os::FileSystem& disk, const std::string& path) {
  const std::string marked_at = mark_path(path);
  const Result<std::unique_ptr<os::File>> file = disk.open(marked_at, os::OpenMode::kRead);
  if (!file.ok()) {
    if (file.code() != Code::kNotFound) return file.error();
    return Error(Code::kCorrupt, marked_at + " is missing");
  }
  std::string text(kMarkBytes + 1, '\0');  // one more, to see a file that is too long
  text.resize(TRY((*file)->read_at(0, as_writable_bytes(text))));
  return decode_mark(as_bytes(text), marked_at);
}

Status check_marked(os::FileSystem& disk, const std::string& path, const Mark& mark) {
  const std::unique_ptr<os::File> file = TRY(disk.open(path, os::OpenMode::kRead));
  if (TRY(checksum_of(*file, path, mark.bytes)) == mark.checksum) return {};
  return Error(Code::kCorrupt, path + " does not hold what was written to it");
}

}  // namespace nacre::kv
