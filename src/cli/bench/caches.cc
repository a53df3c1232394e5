#include "cli_bench/caches.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "base/bytes.h"
#include "cli_bench/file.h"

namespace nacre::cli::bench {
namespace {

// Long enough for a daemon to take the forgets of some ten thousand inodes.
constexpr int kDigestMs = 100;

Status drop_kernel_caches() {
  File control = TRY(File::open("/proc/sys/vm/drop_caches", O_WRONLY));
  TRY(control.write(as_bytes("3\n")));
  return control.close();
}

// Best effort: a file that is gone or cannot be opened has no pages that matter.
void drop_pages_below(const std::string& directory) {
  std::error_code error;
  std::filesystem::recursive_directory_iterator at(directory, error), end;
  while (!error && at != end) {
    if (at->is_regular_file(error)) {
      Result<File> file = File::open(at->path().string(), O_RDONLY);
      if (file.ok()) file->forget_pages();
    }
    at.increment(error);
  }
}

}  // namespace

Status settle(const std::string& directory) {
  const Status synced = TRY(open_directory(directory)).sync();
  const bool offered = synced.ok() || synced.code() != Code::kInvalid;
  if (offered) TRY(synced);
  ::sync();
  ::sync();
  return {};
}

Status start_afresh(const std::string& directory) {
  TRY(settle(directory));
  static_cast<void>(drop_kernel_caches().ok());  // only root may
  return {};
}

Result<Caches> drop_caches(const std::string& directory) {
  if (!drop_kernel_caches().ok()) {
    drop_pages_below(directory);
    return Caches::kLukewarm;
  }
  // A daemon lets go of the files below it only when it is told to forget its own: twice.
  ::poll(nullptr, 0, kDigestMs);
  TRY(drop_kernel_caches());
  ::poll(nullptr, 0, kDigestMs);
  return Caches::kCold;
}

}  // namespace nacre::cli::bench
