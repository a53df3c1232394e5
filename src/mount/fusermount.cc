#include "mount/fusermount.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/errno.h"

extern char** environ;

namespace nacre::mount {
namespace {

constexpr const char* kProgram = "fusermount3";
constexpr const char* kSocketVariable = "_FUSE_COMMFD";
constexpr int kSocketFd = 3;  // its number in the child

struct Pair {
  os::Fd ours;
  os::Fd theirs;
};

Result<Pair> make_pair_of(int (*make)(int*)) {
  int ends[2];
  if (make(ends) != 0) return error_from_errno(errno, "talk to fusermount3");
  return Pair{os::Fd(ends[0]), os::Fd(ends[1])};
}

int make_pipe(int* ends) { return ::pipe2(ends, O_CLOEXEC); }
int make_socket(int* ends) { return ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends); }

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> list;
  list.reserve(words.size() + 1);
  for (std::string& word : words) list.push_back(word.data());
  list.push_back(nullptr);
  return list;
}

// Starts the program with stderr to `errors` and, if given, `socket` as kSocketFd.
Result<pid_t> start(std::vector<std::string> arguments, int errors, int socket) {
  arguments.insert(arguments.begin(), kProgram);
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable)
    variables.emplace_back(*variable);
  variables.push_back(fmt::format("{}={}", kSocketVariable, kSocketFd));

  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
  if (socket >= 0) ::posix_spawn_file_actions_adddup2(&actions, socket, kSocketFd);
  pid_t pid = 0;
  const int failure = ::posix_spawnp(&pid, kProgram, &actions, nullptr, pointers(arguments).data(),
                                     pointers(variables).data());
  ::posix_spawn_file_actions_destroy(&actions);
  if (failure == ENOENT) {
    return Error(
        Code::kUnsupported,
        "fusermount3 is not installed; mounting as an ordinary user needs the package fuse3");
  }
  if (failure != 0) return error_from_errno(failure, kProgram);
  return pid;
}

std::string read_all(int fd) {
  std::string text;
  std::array<char, 512> piece;
  while (true) {
    const ssize_t count =
        os::retry_interrupted([&] { return ::read(fd, piece.data(), piece.size()); });
    if (count <= 0) break;
    text.append(piece.data(), static_cast<size_t>(count));
  }
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

bool succeeded(pid_t pid) {
  int status = 0;
  const pid_t waited = os::retry_interrupted([&] { return ::waitpid(pid, &status, 0); });
  return waited == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// The descriptor that the program sends over the socket; invalid if it sends none.
os::Fd receive_fd(int socket) {
  char byte = 0;
  iovec part = {&byte, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control = {};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t count =
      os::retry_interrupted([&] { return ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC); });
  const cmsghdr* head = CMSG_FIRSTHDR(&message);
  if (count <= 0 || head == nullptr || head->cmsg_type != SCM_RIGHTS) return os::Fd();
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(head), sizeof(fd));
  return os::Fd(fd);
}

Error refusal(const std::string& mountpoint, const std::string& said) {
  if (said.find("user_allow_other") != std::string::npos) {
    return Error(Code::kNotPermitted,
                 "allow_other as an ordinary user needs the line `user_allow_other` in "
                 "/etc/fuse.conf");
  }
  if (said.find("busy") != std::string::npos) return Error(Code::kBusy, said);
  return Error(Code::kNotPermitted,
               said.empty() ? fmt::format("fusermount3 failed at {}", mountpoint) : said);
}

}  // namespace

Result<os::Fd> fusermount_attach(const std::string& mountpoint, const std::string& options) {
  Pair errors = TRY(make_pair_of(make_pipe));
  Pair socket = TRY(make_pair_of(make_socket));
  const pid_t pid =
      TRY(start({"-o", options, "--", mountpoint}, errors.theirs.get(), socket.theirs.get()));
  errors.theirs.reset();
  socket.theirs.reset();
  os::Fd connection = receive_fd(socket.ours.get());
  const std::string said = read_all(errors.ours.get());
  const bool success = succeeded(pid);
  if (!success || !connection.valid()) return refusal(mountpoint, said);
  return connection;
}

Status fusermount_detach(const std::string& mountpoint, bool lazy) {
  Pair errors = TRY(make_pair_of(make_pipe));
  std::vector<std::string> arguments = {"-u"};
  if (lazy) arguments.emplace_back("-z");
  arguments.insert(arguments.end(), {"--", mountpoint});
  const pid_t pid = TRY(start(std::move(arguments), errors.theirs.get(), -1));
  errors.theirs.reset();
  const std::string said = read_all(errors.ours.get());
  if (!succeeded(pid)) return refusal(mountpoint, said);
  return {};
}

}  // namespace nacre::mount
