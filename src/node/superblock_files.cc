#include "node/superblock_files.h"

#include <fmt/format.h>

#include <array>

namespace nacre::node {
namespace {

constexpr const char* kNewSuffix = ".new";

std::string path_of(const std::string& directory, const char* name) {
  return fmt::format("{}/{}", directory, name);
}

Result<std::string> read_file(os::FileSystem& files, const std::string& path) {
  const auto file = TRY(files.open(path, os::OpenMode::kRead));
  const uint64_t size = TRY(file->size());
  if (size > wire::kMaxVolumeSuperblockBytes) {
    return Error(Code::kCorrupt,
                 fmt::format("it has {}, more than any superblock", format_size(size)));
  }
  std::string bytes(size, '\0');
  bytes.resize(TRY(file->read_at(0, as_writable_bytes(bytes))));
  return bytes;
}

Result<wire::VolumeSuperblock> read_copy(os::FileSystem& files, const std::string& directory,
                                         const char* name) {
  const std::string path = path_of(directory, name);
  const auto bytes = read_file(files, path);
  if (!bytes.ok() && bytes.code() == Code::kNotFound)
    return Error(Code::kNotFound, path + ": it is missing");
  if (!bytes.ok()) return Error(bytes.code(), path + ": " + bytes.error().context());
  auto superblock = wire::decode_volume_superblock(as_bytes(*bytes));
  if (!superblock.ok()) {
    return Error(superblock.code(), path + ": " + superblock.error().context());
  }
  return superblock;
}

Status replace_file(os::FileSystem& files, const std::string& directory, const char* name,
                    const std::string& bytes) {
  const std::string path = path_of(directory, name);
  const std::string fresh = path + kNewSuffix;
  {
    const auto file = TRY(files.open(fresh, os::OpenMode::kCreate));
    TRY(file->truncate(0));
    TRY(file->write_at(0, as_bytes(bytes)));
    TRY(file->sync());
  }
  TRY(files.rename(fresh, path));
  return files.sync_directory(directory);
}

}  // namespace

Result<FoundSuperblock> read_superblock(os::FileSystem& files, const std::string& directory) {
  const auto first = read_copy(files, directory, kSuperblockName);
  const auto second = read_copy(files, directory, kSuperblockCopyName);
  for (const auto* copy : {&first, &second}) {
    if (!copy->ok() && copy->code() == Code::kNewerFormat) return copy->error();
  }
  if (first.ok() && second.ok()) {
    if (*first == *second) return FoundSuperblock{*first, {}};
    const bool first_newer = first->generation >= second->generation;
    return FoundSuperblock{
        first_newer ? *first : *second,
        {path_of(directory, first_newer ? kSuperblockCopyName : kSuperblockName) +
         ": it is older than the other copy"}};
  }
  if (first.ok()) return FoundSuperblock{*first, {second.error().context()}};
  if (second.ok()) return FoundSuperblock{*second, {first.error().context()}};
  const bool none = first.code() == Code::kNotFound && second.code() == Code::kNotFound;
  if (none && read_destroyed(files, directory).ok()) {
    return Error(Code::kNotFound,
                 fmt::format("the volume in {} was being destroyed: `nacre volume destroy {}` ends "
                             "that",
                             directory, directory));
  }
  if (none) {
    return Error(Code::kNotFound,
                 fmt::format("{} holds no volume: make one with `nacre volume create {}`",
                             directory, directory));
  }
  // A copy that is only missing explains nothing.
  const Error& why = first.code() == Code::kNotFound ? second.error() : first.error();
  return Error(
      why.code(),
      fmt::format("{}, and the copy {} is of no use either: put one of the two back from a "
                  "backup; nothing else of the volume needs to be touched",
                  why.context(), &why == &first.error() ? kSuperblockCopyName : kSuperblockName));
}

Result<bool> has_superblock(os::FileSystem& files, const std::string& directory) {
  for (const char* name : {kSuperblockName, kSuperblockCopyName}) {
    if (TRY(files.kind(path_of(directory, name))) != os::PathKind::kMissing) return true;
  }
  return false;
}

Status write_superblock(os::FileSystem& files, const std::string& directory,
                        const wire::VolumeSuperblock& superblock) {
  const std::string bytes = wire::encode_volume_superblock(superblock);
  TRY(replace_file(files, directory, kSuperblockCopyName, bytes));
  return replace_file(files, directory, kSuperblockName, bytes);
}

Status remove_superblock(os::FileSystem& files, const std::string& directory) {
  for (const char* name : {kSuperblockName, kSuperblockCopyName, kDestroyedName}) {
    const std::string path = path_of(directory, name);
    if (TRY(files.kind(path)) != os::PathKind::kMissing) TRY(files.remove_file(path));
  }
  return files.sync_directory(directory);
}

Status mark_destroyed(os::FileSystem& files, const std::string& directory,
                      const wire::VolumeSuperblock& superblock) {
  TRY(replace_file(files, directory, kDestroyedName, wire::encode_volume_superblock(superblock)));
  for (const char* name : {kSuperblockName, kSuperblockCopyName}) {
    const std::string path = path_of(directory, name);
    if (TRY(files.kind(path)) != os::PathKind::kMissing) TRY(files.remove_file(path));
  }
  return files.sync_directory(directory);
}

Result<wire::VolumeSuperblock> read_destroyed(os::FileSystem& files, const std::string& directory) {
  return read_copy(files, directory, kDestroyedName);
}

}  // namespace nacre::node
