#include "device/superblocks.h"

namespace nacre::device {
namespace {

Result<wire::Superblock> read_copy(Backing& backing, int copy) {
  const std::string page = TRY(backing.read_superblock(copy));
  return wire::decode_superblock(as_bytes(page));
}

Error both_bad(const std::string& device_name, const Error& first, const Error& second) {
  const Code code = first.code() == second.code() ? first.code() : Code::kCorrupt;
  std::string reasons = first.context();
  if (second.context() != first.context()) reasons += "; " + second.context();
  return Error(code, "device " + device_name + ": " + reasons);
}

}  // namespace

Result<FoundSuperblock> read_superblocks(Backing& backing, const std::string& device_name) {
  Result<wire::Superblock> copies[] = {read_copy(backing, 0), read_copy(backing, 1)};
  for (const Result<wire::Superblock>& copy : copies) {
    if (!copy.ok() && copy.code() == Code::kNewerFormat) {
      return Error(Code::kNewerFormat, "device " + device_name + ": " + copy.error().context());
    }
  }
  if (!copies[0].ok() && !copies[1].ok()) {
    return both_bad(device_name, copies[0].error(), copies[1].error());
  }
  FoundSuperblock found;
  if (copies[0].ok() && copies[1].ok()) {
    const bool second_is_newer = copies[1]->generation > copies[0]->generation;
    found.superblock = second_is_newer ? *copies[1] : *copies[0];
    found.bad_copies = copies[0]->generation == copies[1]->generation ? 0 : 1;
    found.write_first = second_is_newer ? 0 : 1;
    return found;
  }
  const int good = copies[0].ok() ? 0 : 1;
  found.superblock = *copies[good];
  found.bad_copies = 1;
  found.write_first = 1 - good;
  return found;
}

Status write_superblocks(Backing& backing, const wire::Superblock& superblock, int first) {
  const std::string page = wire::encode_superblock(superblock);
  TRY(backing.write_superblock(first, as_bytes(page)));
  return backing.write_superblock(1 - first, as_bytes(page));
}

}  // namespace nacre::device
