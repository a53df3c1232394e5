#include "os/unix_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <cstring>

#include "base/errno.h"

namespace nacre::os {
namespace {

constexpr int kBacklog = 64;

Error failed(const char* operation, const std::string& path) {
  return error_from_errno(errno, std::string(operation) + " " + path);
}

// Where a socket file is, and an address for it that fits into a sockaddr_un.
struct Place {
  Fd directory;
  std::string name;
  sockaddr_un address = {};

  const sockaddr* generic() const { return reinterpret_cast<const sockaddr*>(&address); }
};

Result<Place> find_place(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  Place place;
  place.name = slash == std::string::npos ? path : path.substr(slash + 1);
  place.directory = Fd(
      retry_interrupted([&] { return ::open(parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC); }));
  if (!place.directory.valid()) return failed("open directory", parent);

  std::string text = path;
  if (text.size() >= sizeof(place.address.sun_path)) {
    // An address holds 107 bytes. The kernel also takes the way through the open directory.
    text = "/proc/self/fd/" + std::to_string(place.directory.get()) + "/" + place.name;
  }
  if (text.size() >= sizeof(place.address.sun_path)) {
    return Error(Code::kNameTooLong, "socket " + path);
  }
  place.address.sun_family = AF_UNIX;
  std::ranges::copy(text, place.address.sun_path);
  return place;
}

Result<Fd> make_socket() {
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return error_from_errno(errno, "make a socket");
  return fd;
}

Status remove_stale_socket(const Place& place, const std::string& path) {
  struct stat info = {};
  if (::fstatat(place.directory.get(), place.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return {};
    return failed("stat", path);
  }
  if (!S_ISSOCK(info.st_mode)) {
    return Error(Code::kExists, "listen at " + path + ": something else than a socket is there");
  }
  if (::unlinkat(place.directory.get(), place.name.c_str(), 0) != 0) return failed("remove", path);
  return {};
}

}  // namespace

Result<size_t> Stream::read_some(MutableBytes into) {
  const ssize_t n =
      retry_interrupted([&] { return ::recv(fd_.get(), into.data(), into.size(), 0); });
  if (n < 0) return error_from_errno(errno, "read from a socket");
  return static_cast<size_t>(n);
}

Status Stream::write_all(ByteView data) {
  while (!data.empty()) {
    const ssize_t n = retry_interrupted(
        [&] { return ::send(fd_.get(), data.data(), data.size(), MSG_NOSIGNAL); });
    if (n < 0) return error_from_errno(errno, "write to a socket");
    data = data.subspan(static_cast<size_t>(n));
  }
  return {};
}

void Stream::shutdown() { ::shutdown(fd_.get(), SHUT_RDWR); }

Result<uid_t> Stream::peer_uid() const {
  ucred peer = {};
  socklen_t length = sizeof(peer);
  if (::getsockopt(fd_.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) {
    return error_from_errno(errno, "ask who is at the other end of a socket");
  }
  return peer.uid;
}

Result<std::unique_ptr<Stream>> connect(const std::string& path) {
  const Place place = TRY(find_place(path));
  Fd fd = TRY(make_socket());
  if (retry_interrupted(
          [&] { return ::connect(fd.get(), place.generic(), sizeof(place.address)); }) != 0) {
    if (errno == ECONNREFUSED)
      return Error(Code::kNotFound, "connect " + path + ": nobody listens");
    return failed("connect", path);
  }
  return std::make_unique<Stream>(std::move(fd));
}

Listener::Listener(Fd socket, Fd directory, std::string name, std::string path)
    : socket_(std::move(socket)),
      directory_(std::move(directory)),
      name_(std::move(name)),
      path_(std::move(path)) {}

Listener::~Listener() { close(); }

Result<std::unique_ptr<Listener>> Listener::listen(const std::string& path, mode_t mode) {
  Place place = TRY(find_place(path));
  TRY(remove_stale_socket(place, path));
  Fd fd = TRY(make_socket());
  // bind() gives the file the socket's own mode less the umask; fchmodat() then undoes the umask.
  if (::fchmod(fd.get(), mode) != 0 ||
      ::bind(fd.get(), place.generic(), sizeof(place.address)) != 0) {
    return failed("bind", path);
  }
  std::unique_ptr<Listener> listener(
      new Listener(std::move(fd), std::move(place.directory), std::move(place.name), path));
  const int directory = listener->directory_.get();
  const char* const name = listener->name_.c_str();
  struct stat info = {};
  if (::fstatat(directory, name, &info, AT_SYMLINK_NOFOLLOW) != 0) return failed("stat", path);
  listener->inode_ = info.st_ino;
  if (::fchmodat(directory, name, mode, 0) != 0) return failed("change mode of", path);
  if (::listen(listener->socket_.get(), kBacklog) != 0) return failed("listen at", path);
  return listener;
}

Result<std::unique_ptr<Stream>> Listener::accept() {
  for (;;) {
    Fd fd(retry_interrupted(
        [&] { return ::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC); }));
    if (closed_.load()) return std::unique_ptr<Stream>();
    if (fd.valid()) return std::make_unique<Stream>(std::move(fd));
    if (errno != ECONNABORTED) return failed("accept at", path_);
  }
}

void Listener::close() {
  if (closed_.exchange(true)) return;
  ::shutdown(socket_.get(), SHUT_RDWR);  // wakes accept()
  struct stat info = {};
  const bool there = ::fstatat(directory_.get(), name_.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0;
  // Another listener may have taken the place.
  if (there && info.st_ino == inode_) ::unlinkat(directory_.get(), name_.c_str(), 0);
}

}  // namespace nacre::os
