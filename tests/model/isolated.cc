#include "model/isolated.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

namespace nacre::model {

namespace {

void send(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count <= 0) return;
    text.remove_prefix(static_cast<size_t>(count));
  }
}

std::string receive(int fd) {
  std::string text;
  char part[4096];
  for (ssize_t count = 0; (count = ::read(fd, part, sizeof(part))) > 0;) {
    text.append(part, static_cast<size_t>(count));
  }
  return text;
}

}  // namespace

std::string run_isolated(const std::function<std::string()>& body) {
  int ends[2];
  if (::pipe(ends) != 0) return "no pipe";
  const pid_t child = ::fork();
  if (child < 0) return "no process";
  if (child == 0) {
    ::close(ends[0]);
    send(ends[1], body());
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string text = receive(ends[0]);
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) return std::string("died: ") + ::strsignal(WTERMSIG(status));
  if (WEXITSTATUS(status) != 0) return "exited with " + std::to_string(WEXITSTATUS(status));
  return text;
}

}  // namespace nacre::model
