#include "wire/bucket_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/check.h"
#include "wire/cursor.h"
#include "wire/object_frame.h"
#include "wire/volume_layout.h"

namespace nacre::wire {
namespace {

constexpr std::string_view kVolumeMagic = "NCBV";
constexpr std::string_view kEpochMagic = "NCBE";
constexpr std::string_view kVolumeObject = "descriptor of a volume";
constexpr std::string_view kEpochName = "epoch";
constexpr uint8_t kNotSealed = 0;

bool is_printable(char letter) { return letter > ' ' && letter <= '~'; }

void put_key(Writer& out, const std::optional<codec::WrappedKey>& key) {
  if (!key) return out.u8(kNotSealed);
  out.u8(static_cast<uint8_t>(key->wrapping));
  out.u32(key->cost.passes);
  out.u32(key->cost.memory_kib);
  out.raw(key->salt);
  out.raw(key->sealed);
}

Result<std::optional<codec::WrappedKey>> take_key(Reader& in) {
  const uint8_t wrapping = in.u8();
  if (wrapping == kNotSealed) return std::optional<codec::WrappedKey>();
  codec::WrappedKey key{.wrapping = static_cast<codec::KeyWrapping>(wrapping)};
  if (key.wrapping != codec::KeyWrapping::kPassphrase &&
      key.wrapping != codec::KeyWrapping::kKeyFile) {
    return Error(Code::kNewerFormat,
                 fmt::format("the key is wrapped in a way ({}) that this version of Nacre does not "
                             "know",
                             wrapping));
  }
  key.cost.passes = in.u32();
  key.cost.memory_kib = in.u32();
  std::ranges::copy(in.raw(key.salt.size()), key.salt.begin());
  std::ranges::copy(in.raw(key.sealed.size()), key.sealed.begin());
  return std::optional(key);
}

struct Descriptor {
  BucketVolume volume;
  ByteView open_bytes = {};       // everything in front of the protected name key
  ByteView stored_name_key = {};  // points into the object
};

Result<Descriptor> decode_descriptor(ByteView object) {
  if (object.size() > kMaxDescriptorObjectBytes) {
    return Error(Code::kCorrupt, "a descriptor is too long");
  }
  const ObjectFrame frame = TRY(open_frame(object, kVolumeMagic, kVolumeObject));
  Reader in(frame.fields);
  Descriptor found;
  BucketVolume& volume = found.volume;
  volume.features.compat = in.u64();
  volume.features.ro_compat = in.u64();
  volume.features.incompat = in.u64();
  // Before anything that such a feature might have changed.
  if (const uint64_t unknown = volume.features.incompat & ~kKnownBucketFeatures.incompat) {
    return Error(Code::kNewerFormat,
                 fmt::format("incompatible features {:#x} are unknown: the volume was written by a "
                             "later version of Nacre; use that one",
                             unknown));
  }
  volume.volume = in.id<VolumeId>();
  volume.created.ns = std::bit_cast<int64_t>(in.u64());
  volume.generation = in.u32();
  const uint8_t block_size_log2 = in.u8();
  const uint8_t compression = in.u8();
  volume.key = TRY(take_key(in));
  const codec::Protection summed;
  const size_t key_bytes =
      sizeof(NameKey) + (frame.sealed ? codec::Sealer::kOverheadBytes : summed.overhead_bytes());
  const size_t open_bytes = object.size() - kFrameEndBytes - in.remaining();
  found.stored_name_key = in.raw(key_bytes);
  TRY(in.finish(kVolumeObject));
  found.open_bytes = object.first(open_bytes);
  if (frame.sealed != volume.key.has_value() || block_size_log2 < std::countr_zero(kMinBlockSize) ||
      block_size_log2 > std::countr_zero(kMaxBlockSize)) {
    return Error(Code::kCorrupt, "the descriptor describes an impossible volume");
  }
  volume.block_size = uint64_t{1} << block_size_log2;
  volume.compression = TRY(codec::compression_of(compression));
  return found;
}

}  // namespace

std::string key_associated(VolumeId volume) {
  std::string associated;
  Writer(associated).id(volume);
  return associated;
}

std::string encode_bucket_volume(const BucketVolume& volume, const NameKey& name_key,
                                 const codec::Protection& protection) {
  CHECK(volume.key.has_value() == protection.sealed());
  std::string object;
  begin_frame(object, kVolumeMagic, protection.sealed());
  Writer out(object);
  out.u64(volume.features.compat);
  out.u64(volume.features.ro_compat);
  out.u64(volume.features.incompat);
  out.id(volume.volume);
  out.u64(std::bit_cast<uint64_t>(volume.created.ns));
  out.u32(volume.generation);
  out.u8(static_cast<uint8_t>(std::countr_zero(volume.block_size)));
  out.u8(static_cast<uint8_t>(volume.compression));
  put_key(out, volume.key);
  const std::string open_bytes = object;
  protection.protect(std::as_bytes(std::span(name_key)), as_bytes(open_bytes), object);
  end_frame(object);
  return object;
}

Result<BucketVolume> decode_bucket_volume(ByteView object) {
  return TRY(decode_descriptor(object)).volume;
}

Result<NameKey> open_name_key(ByteView object, const codec::Protection& protection) {
  const Descriptor found = TRY(decode_descriptor(object));
  TRY(check_sealing(found.volume.key.has_value(), protection, kVolumeObject));
  NameKey name_key;
  TRY(protection.open(found.stored_name_key, found.open_bytes,
                      std::as_writable_bytes(std::span(name_key))));
  return name_key;
}

std::string encode_epoch(const EpochObject& epoch) {
  std::string host = epoch.host.substr(0, kMaxHostNameBytes);
  std::ranges::replace_if(host, [](char letter) { return !is_printable(letter); }, '?');
  std::string object;
  begin_frame(object, kEpochMagic, /*sealed=*/false);
  Writer out(object);
  out.id(epoch.volume);
  out.u32(epoch.epoch);
  out.u64(std::bit_cast<uint64_t>(epoch.begun.ns));
  out.id(epoch.writer);
  out.sized(host);
  end_frame(object);
  return object;
}

Result<EpochObject> decode_epoch(ByteView object, VolumeId volume, uint32_t epoch) {
  if (object.size() > kMaxDescriptorObjectBytes) {
    return Error(Code::kCorrupt, "an epoch is too long");
  }
  const ObjectFrame frame = TRY(open_frame(object, kEpochMagic, kEpochName));
  if (frame.sealed) return Error(Code::kNewerFormat, "the epoch is sealed");
  Reader in(frame.fields);
  EpochObject found;
  found.volume = in.id<VolumeId>();
  found.epoch = in.u32();
  found.begun.ns = std::bit_cast<int64_t>(in.u64());
  found.writer = in.id<WriterId>();
  found.host = in.sized_text(kMaxHostNameBytes);
  if (!std::ranges::all_of(found.host, is_printable)) in.fail();
  TRY(in.finish(kEpochName));
  if (found.volume != volume || found.epoch != epoch) {
    return Error(Code::kCorrupt, fmt::format("the object named epoch {} is epoch {} of volume {}",
                                             epoch, found.epoch, to_hex(found.volume)));
  }
  return found;
}

}  // namespace nacre::wire
