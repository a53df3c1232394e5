#include "node/change_secret.h"

#include <fmt/format.h>

#include "node/superblock_files.h"
#include "tier/ownership.h"
#include "wire/bucket_names.h"

namespace nacre::node {
namespace {

Error explained(const Error& error, std::string_view what) {
  return Error(error.code(), fmt::format("{}: {}", error.context(), what));
}

// Of two who put it at once the later has it.
Status put_verified(bucket::Bucket& bucket, const std::string& name, const std::string& object) {
  const ByteView bytes = as_bytes(object);
  TRY(bucket.put(name, {&bytes, 1}));
  if (TRY(bucket.get(name, wire::kMaxDescriptorObjectBytes)) == object) return {};
  return Error(Code::kBusy, "somebody else changes the secret of the volume at this moment");
}

}  // namespace

Status change_secret(os::FileSystem& files, const std::string& directory,
                     const BucketSecret& secret, const Connect& connect) {
  const wire::VolumeSuperblock superblock = TRY(read_superblock(files, directory)).superblock;
  if (!superblock.is_tiered()) {
    return Error(Code::kUnsupported, directory + " has no bucket, and so nothing that is sealed");
  }
  const RemoteSettings settings = TRY(read_remote_settings(files, directory));
  if (!settings.key) {
    return Error(Code::kUnsupported,
                 "the bucket of " + directory +
                     " is not sealed, and cannot be any more: make a new volume with --encrypt or "
                     "--key-file, and copy the files");
  }
  const auto bucket = TRY(connect(settings));
  TRY(tier::check_epoch(*bucket, superblock.volume, settings.epoch));
  const tier::FoundVolume found = TRY(tier::find_volume(*bucket));
  wire::BucketVolume volume = found.volume;
  if (volume.volume != superblock.volume) {
    return Error(Code::kExists,
                 fmt::format("the bucket holds another volume by now: {}", to_hex(volume.volume)));
  }
  if (volume.must_stay_read_only()) {
    return Error(Code::kReadOnly, "a later version of Nacre wrote this bucket: use that one");
  }
  const codec::Protection protection(*settings.key);
  TRY(wire::open_name_key(as_bytes(found.object), protection));  // what is wrapped is not forged
  ++volume.generation;
  volume.key = TRY(wrap_key(*settings.key, superblock.volume, secret));
  const std::string object = wire::encode_bucket_volume(volume, superblock.name_key, protection);
  const Status put = put_verified(*bucket, wire::volume_object_name(volume.generation), object);
  if (!put.ok()) {
    return explained(put.error(),
                     "the volume can be recovered with the old passphrase or key file, or "
                     "already with the new one; try again");
  }
  const Status removed = tier::remove_descriptors_before(*bucket, volume.generation);
  if (!removed.ok()) {
    return explained(removed.error(),
                     "the new passphrase or key file holds, but the old one can still open the "
                     "bucket's key; try again");
  }
  return {};
}

}  // namespace nacre::node
