#include "wire/checkpoint_layout.h"

#include <bit>
#include <utility>

#include "base/check.h"
#include "codec/checksum.h"
#include "wire/cursor.h"
#include "wire/object_frame.h"

namespace nacre::wire {
namespace {

constexpr std::string_view kManifestMagic = "NCCM";
constexpr size_t kManifestFixedBytes = kFrameBeginBytes + 16 + 4 + 8 + 8;
constexpr size_t kPartBytes = 16;
constexpr size_t kMaxBodyBytes = 6 * kMaxVarintBytes + kMaxCheckpointParts * kPartBytes;
static_assert(kManifestFixedBytes + kMaxBodyBytes + codec::Protection::kMaxOverheadBytes +
                  kFrameEndBytes <=
              kMaxManifestBytes);

Result<CheckpointRow> decode_row(ByteView item) {
  Reader in(item);
  in.skip(sizeof(uint32_t));
  CheckpointRow row;
  row.family = in.u8();
  row.key = in.sized_text();
  row.value = as_text(in.rest());
  TRY(in.finish("a row of a checkpoint"));
  return row;
}

// The body, which is protected.
Status take_body(std::string_view body, CheckpointManifest& manifest) {
  Reader in(body);
  manifest.committed = Sequence{in.varint()};
  manifest.rows = in.varint();
  manifest.row_bytes = in.varint();
  manifest.inodes = in.varint();
  manifest.live_bytes = in.varint();
  const uint64_t parts = in.varint();
  if (parts > kMaxCheckpointParts || parts * kPartBytes != in.remaining()) in.fail();
  while (in.remaining() > 0) {
    CheckpointPart part;
    part.object_bytes = in.u64();
    part.sum = in.u64();
    manifest.parts.push_back(part);
  }
  return in.finish("the manifest of a checkpoint");
}

}  // namespace

CheckpointPart part_of(ByteView object) {
  return {.object_bytes = object.size(), .sum = codec::xxh64(object)};
}

Status CheckpointPartWriter::append(const CheckpointRow& row) {
  const uint64_t length =
      sizeof(uint32_t) + 1 + kMaxVarintBytes + row.key.size() + row.value.size();
  if (length > kMaxRowItemBytes) return Error(Code::kTooBig, "a row has more than 256 MiB");
  std::string key;
  Writer(key).sized(row.key);
  item_.clear();
  Writer out(item_);
  out.u32(static_cast<uint32_t>(sizeof(uint32_t) + 1 + key.size() + row.value.size()));
  out.u8(row.family);
  out.raw(as_bytes(key));
  out.raw(as_bytes(row.value));
  object_.append(as_bytes(item_));
  return {};
}

std::string CheckpointPartWriter::finish(const codec::Protection& protection) {
  return object_.finish(header_, protection);
}

Status visit_checkpoint_part(ByteView object, const CheckpointPlace& place, uint32_t part,
                             const codec::Protection& protection,
                             const std::function<Status(const CheckpointRow& row)>& visit) {
  const RowObjectPlace part_place{RowObjectKind::kCheckpointPart, place.volume, place.epoch, part};
  const RowObjectHeader header = TRY(open_row_object(object, part_place, protection));
  if (header.last_batch != place.batch) {
    return Error(Code::kCorrupt, "part of another checkpoint than its name says");
  }
  bool first = true;
  uint8_t family_before = 0;
  std::string key_before;
  return visit_row_items(object, protection, [&](ByteView item) -> Status {
    const CheckpointRow row = TRY(decode_row(item));
    if (!first &&
        std::pair(row.family, row.key) <= std::pair(family_before, std::string_view(key_before))) {
      return Error(Code::kCorrupt, "rows of a checkpoint are not in order");
    }
    first = false;
    family_before = row.family;
    key_before = row.key;
    return visit(row);
  });
}

std::string encode_checkpoint_manifest(const CheckpointManifest& manifest,
                                       const codec::Protection& protection) {
  CHECK(manifest.parts.size() <= kMaxCheckpointParts);
  std::string body;
  Writer fields(body);
  fields.varint(manifest.committed.value);
  fields.varint(manifest.rows);
  fields.varint(manifest.row_bytes);
  fields.varint(manifest.inodes);
  fields.varint(manifest.live_bytes);
  fields.varint(manifest.parts.size());
  for (const CheckpointPart& part : manifest.parts) {
    fields.u64(part.object_bytes);
    fields.u64(part.sum);
  }

  std::string object;
  begin_frame(object, kManifestMagic, protection.sealed());
  Writer out(object);
  out.id(manifest.place.volume);
  out.u32(manifest.place.epoch);
  out.u64(manifest.place.batch);
  out.u64(std::bit_cast<uint64_t>(manifest.time.ns));
  const std::string associated = object;
  protection.protect(as_bytes(body), as_bytes(associated), object);
  end_frame(object);
  return object;
}

Result<CheckpointManifest> decode_checkpoint_manifest(ByteView object, const CheckpointPlace& place,
                                                      const codec::Protection& protection) {
  if (object.size() > kMaxManifestBytes) return Error(Code::kCorrupt, "a manifest is too long");
  const ObjectFrame frame = TRY(open_frame(object, kManifestMagic, "manifest of a checkpoint"));
  TRY(check_sealing(frame.sealed, protection, "manifest of a checkpoint"));
  Reader in(frame.fields);
  CheckpointManifest manifest;
  manifest.place.volume = in.id<VolumeId>();
  manifest.place.epoch = in.u32();
  manifest.place.batch = in.u64();
  manifest.time.ns = std::bit_cast<int64_t>(in.u64());
  const ByteView stored = in.rest();
  TRY(in.finish("manifest of a checkpoint"));
  if (stored.size() < protection.overhead_bytes()) {
    return Error(Code::kCorrupt, "manifest of a checkpoint is cut off");
  }
  std::string body(stored.size() - protection.overhead_bytes(), '\0');
  TRY(protection.open(stored, object.first(kManifestFixedBytes), as_writable_bytes(body)));
  if (manifest.place != place) {
    return Error(Code::kCorrupt, "manifest of another checkpoint than its name says");
  }
  TRY(take_body(body, manifest));
  return manifest;
}

}  // namespace nacre::wire
