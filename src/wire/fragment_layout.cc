#include "wire/fragment_layout.h"

#include "codec/checksum.h"
#include "wire/cursor.h"

namespace nacre::wire {
namespace {

constexpr uint8_t kNoteVersion = 1;
constexpr uint8_t kManifestVersion = 1;
constexpr uint32_t kManifestMagic = 0x464D434E;  // "NCMF"

Error newer(const char* what) {
  return Error(Code::kNewerFormat, std::string(what) + " was written by a later version of Nacre");
}

}  // namespace

std::string encode_fragment_note(const FragmentNote& note) {
  std::string bytes;
  Writer out(bytes);
  out.u8(kNoteVersion);
  out.u8(static_cast<uint8_t>(note.kind));
  out.u8(note.code.k);
  out.u8(note.code.m);
  out.u32(note.block_bytes);
  out.u64(note.fragment_xxh64);
  out.id(note.object);
  out.u64(static_cast<uint64_t>(note.written.ns));
  return bytes;
}

Result<FragmentNote> decode_fragment_note(ByteView bytes) {
  Reader in(bytes);
  const uint8_t version = in.u8();
  if (in.ok() && version > kNoteVersion) return newer("a fragment");
  const uint8_t kind = in.u8();
  FragmentNote note{.kind = static_cast<BlockKind>(kind)};
  note.code.k = in.u8();
  note.code.m = in.u8();
  note.block_bytes = in.u32();
  note.fragment_xxh64 = in.u64();
  note.object = in.id<BlockId>();
  note.written = {static_cast<int64_t>(in.u64())};
  const bool known = kind >= static_cast<uint8_t>(BlockKind::kData) &&
                     kind <= static_cast<uint8_t>(BlockKind::kDeleted);
  if (version != kNoteVersion || !known || !note.code.is_valid()) in.fail();
  TRY(in.finish("the note of a fragment"));
  return note;
}

std::string encode_manifest(const Manifest& manifest) {
  std::string bytes;
  Writer out(bytes);
  out.u32(kManifestMagic);
  out.u8(kManifestVersion);
  out.zeros(3);
  out.u64(manifest.object_bytes);
  out.u32(manifest.part_bytes);
  out.u32(static_cast<uint32_t>(manifest.parts.size()));
  for (const BlockId part : manifest.parts) out.id(part);
  out.u64(codec::xxh64(as_bytes(bytes)));
  return bytes;
}

Result<Manifest> decode_manifest(ByteView bytes) {
  Reader in(bytes);
  const uint32_t magic = in.u32();
  const uint8_t version = in.u8();
  if (magic == kManifestMagic && version > kManifestVersion) return newer("a manifest");
  in.zeros(3);
  Manifest manifest{.object_bytes = in.u64(), .part_bytes = in.u32()};
  const uint32_t count = in.u32();
  if (magic != kManifestMagic || version != kManifestVersion || count > kMaxParts ||
      in.remaining() != uint64_t{count} * 16 + sizeof(uint64_t)) {
    in.fail();
  }
  if (in.ok()) manifest.parts.reserve(count);
  for (uint32_t i = 0; i < count && in.ok(); ++i) manifest.parts.push_back(in.id<BlockId>());
  const uint64_t sum = in.u64();
  if (in.ok()) {
    const uint64_t unit = manifest.part_bytes;
    const uint64_t parts =
        unit == 0 ? 0 : manifest.object_bytes / unit + (manifest.object_bytes % unit != 0);
    if (sum != codec::xxh64(bytes.first(bytes.size() - sizeof(sum))) || parts != count ||
        (unit == 0 && manifest.object_bytes != 0)) {
      in.fail();
    }
  }
  TRY(in.finish("a manifest"));
  return manifest;
}

}  // namespace nacre::wire
