#include "bucket/secret_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/bytes.h"
#include "base/units.h"
#include "os/fd.h"

namespace nacre::bucket {
namespace {

constexpr size_t kBytesMax = 64 * kKiB;

Error refused(const std::string& path, int number) {
  const Code code = number == ENOENT || number == ENOTDIR ? Code::kNotFound
                    : number == EACCES                    ? Code::kAccess
                                                          : Code::kIo;
  return Error(code, fmt::format("{}: {}", path, std::strerror(number)));
}

Status check_private(const std::string& path, const struct stat& found) {
  if (found.st_uid != ::geteuid()) {
    return Error(Code::kInvalid,
                 fmt::format("{} belongs to user {}, not to you (user {}): secrets are read from "
                             "your own file only",
                             path, found.st_uid, ::geteuid()));
  }
  if ((found.st_mode & 0077) != 0) {
    return Error(Code::kInvalid,
                 fmt::format("{} has mode {:04o}, so others can get at the secret in it: run "
                             "`chmod 600 {}`",
                             path, found.st_mode & 07777, path));
  }
  return {};
}

}  // namespace

Result<std::string> read_secret_file(const std::string& path, Privacy privacy) {
  // A FIFO would be waited for without O_NONBLOCK.
  const os::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return refused(path, errno);
  struct stat found = {};
  if (::fstat(fd.get(), &found) != 0) return refused(path, errno);
  if (!S_ISREG(found.st_mode)) return Error(Code::kInvalid, path + " is not a regular file");
  if (privacy == Privacy::kRequired) TRY(check_private(path, found));
  std::string text(kBytesMax + 1, '\0');
  size_t length = 0;
  while (length < text.size()) {
    const ssize_t count = os::retry_interrupted(
        [&] { return ::read(fd.get(), text.data() + length, text.size() - length); });
    if (count < 0) return refused(path, errno);
    if (count == 0) break;
    length += static_cast<size_t>(count);
  }
  if (length > kBytesMax) {
    return Error(Code::kInvalid, path + " is too big for a file of credentials");
  }
  text.resize(length);
  return text;
}

}  // namespace nacre::bucket
