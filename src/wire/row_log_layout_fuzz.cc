// Every decoder of the row log, its segments and checkpoints on arbitrary bytes. Checksums stop
// nearly all of them, so what is behind those is tried with good ones: the first byte chooses.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "base/check.h"
#include "wire/bucket_fault.h"
#include "wire/checkpoint_layout.h"
#include "wire/row_log_layout.h"
#include "wire/row_segment.h"

namespace {

using namespace nacre;
using namespace nacre::wire;

constexpr VolumeId kVolume{1, 2};
constexpr CheckpointPlace kPlace{.volume = kVolume, .epoch = 3, .batch = 4};

// Up to the end of the first record, whose length and sum are made good.
void try_record(std::string bytes) {
  if (bytes.size() < 28) return;
  const auto length = static_cast<uint32_t>(bytes.size());
  std::memcpy(bytes.data(), &length, sizeof(length));
  bytes = with_good_sum(bytes);
  const Result<RowBatch> batch = decode_batch(as_bytes(bytes), 0);
  if (!batch.ok()) return;
  std::string again;
  CHECK(append_batch(*batch, 0, again).ok() && again == bytes);
}

void try_log(std::string bytes) {
  RowLogReader reader(as_bytes(bytes), 1, 0);
  while (reader.next()) {
  }
  CHECK(reader.end_bytes() <= bytes.size());
  bytes.resize(kRowLogHeaderBytes);
  (void)decode_row_log_header(as_bytes(with_good_sum(bytes))).ok();
}

void try_segment(std::string_view object) {
  const auto reader = SegmentReader::open(as_bytes(object), kVolume, 3, 4, {});
  if (reader.ok()) (void)reader->visit([](const RowBatch&) { return Status(); }).ok();
}

void try_part(std::string_view object) {
  (void)visit_checkpoint_part(as_bytes(object), kPlace, 4, {}, [](const CheckpointRow&) {
    return Status();
  }).ok();
}

// Items in chunks, all with good sums.
std::string object_of(RowObjectKind kind, std::string_view items) {
  RowObjectWriter writer;
  writer.append(as_bytes(items));
  return writer.finish({.place = {kind, kVolume, 3, 4}, .first_batch = 4, .last_batch = 4}, {});
}

void try_manifest(std::string_view bytes) {
  const std::string good = encode_checkpoint_manifest({.place = kPlace}, {});
  const ByteView fixed = as_bytes(good).first(44);
  std::string object(as_text(fixed));
  codec::Protection().protect(as_bytes(bytes), fixed, object);
  object = with_good_sum(object.append(8, '\0'));
  const auto manifest = decode_checkpoint_manifest(as_bytes(object), kPlace, {});
  if (manifest.ok()) CHECK(encode_checkpoint_manifest(*manifest, {}) == object);
  (void)decode_checkpoint_manifest(as_bytes(with_good_sum(std::string(bytes))), kPlace, {}).ok();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const std::string bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0] % 7) {
    case 0:
      try_record(bytes);
      break;
    case 1:
      try_log(bytes);
      break;
    case 2:
      try_segment(object_of(RowObjectKind::kSegment, bytes));
      break;
    case 3:
      try_part(object_of(RowObjectKind::kCheckpointPart, bytes));
      break;
    case 4:  // chunks as they come
      try_segment(object_of(RowObjectKind::kSegment, "").substr(0, kRowObjectHeaderBytes) + bytes);
      break;
    case 5:
      try_part(bytes);
      break;
    default:
      try_manifest(bytes);
  }
  return 0;
}
