// A disk that fails when it is told to: a FUSE mount with one file, `disk`, over a file of the
// host.
//
//   faulty_disk BACKING MOUNTPOINT
//
// While BACKING.reads-fail exists, reads of the disk end with EIO; while BACKING.writes-fail does,
// writes and syncs do. Nothing of it is cached, so that both begin at once. It ends when it is
// unmounted.
#define FUSE_USE_VERSION 314
#include <fcntl.h>
#include <fuse.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <string>

namespace {

constexpr const char* kDisk = "/disk";

struct Disk {
  std::string backing;
  int fd = -1;
};

const Disk& disk() { return *static_cast<const Disk*>(fuse_get_context()->private_data); }

bool fails(const char* what) { return ::access((disk().backing + what).c_str(), F_OK) == 0; }

bool is_disk(const char* path) { return std::strcmp(path, kDisk) == 0; }

// What a system call gave, as FUSE wants it.
int answer(ssize_t result) { return result < 0 ? -errno : static_cast<int>(result); }

int get_attributes(const char* path, struct stat* status, fuse_file_info*) {
  if (is_disk(path)) return answer(::fstat(disk().fd, status));
  if (std::strcmp(path, "/") != 0) return -ENOENT;
  *status = {};
  status->st_mode = S_IFDIR | 0755;
  status->st_nlink = 2;
  return 0;
}

int list(const char*, void* into, fuse_fill_dir_t fill, off_t, fuse_file_info*,
         fuse_readdir_flags) {
  for (const char* name : {".", "..", kDisk + 1}) fill(into, name, nullptr, 0, {});
  return 0;
}

int open_disk(const char* path, fuse_file_info* file) {
  if (!is_disk(path)) return -EISDIR;
  file->direct_io = 1;
  return 0;
}

int read_disk(const char*, char* into, size_t size, off_t offset, fuse_file_info*) {
  if (fails(".reads-fail")) return -EIO;
  return answer(::pread(disk().fd, into, size, offset));
}

int write_disk(const char*, const char* bytes, size_t size, off_t offset, fuse_file_info*) {
  if (fails(".writes-fail")) return -EIO;
  return answer(::pwrite(disk().fd, bytes, size, offset));
}

int sync_disk(const char*, int, fuse_file_info*) {
  if (fails(".writes-fail")) return -EIO;
  return answer(::fdatasync(disk().fd));
}

}  // namespace

int main(int count, char** words) {
  if (count != 3) {
    std::fprintf(stderr, "usage: faulty_disk BACKING MOUNTPOINT\n");
    return 2;
  }
  Disk disk{.backing = words[1]};
  disk.fd = ::open(words[1], O_RDWR | O_CLOEXEC);
  if (disk.fd < 0) {
    std::perror(words[1]);
    return 1;
  }
  fuse_operations operations = {};
  operations.getattr = get_attributes;
  operations.readdir = list;
  operations.open = open_disk;
  operations.read = read_disk;
  operations.write = write_disk;
  operations.fsync = sync_disk;
  // In the background, as soon as it is mounted.
  char* arguments[] = {words[0], words[2]};
  return fuse_main(static_cast<int>(std::size(arguments)), arguments, &operations, &disk);
}
