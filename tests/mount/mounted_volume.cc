#include "mounted_volume.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>

#include "node/control_client.h"
#include "node/volume_paths.h"

namespace nacre::mount_test {

namespace {

class NoEvents final : public node::Events {
 public:
  bool progress(const node::Progress&) override { return true; }
  bool item(node::Json) override { return true; }
};

// A process that has ended but was not waited for still has a directory in /proc.
bool is_running(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string text;
  std::getline(file, text);
  const size_t name_end = text.rfind(')');
  return name_end != std::string::npos && name_end + 2 < text.size() && text[name_end + 2] != 'Z' &&
         text[name_end + 2] != 'X';
}

}  // namespace

Status MountedVolume::run(const std::vector<std::string>& words) {
  std::vector<char*> arguments = {const_cast<char*>(nacre_.c_str())};
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::execv(nacre_.c_str(), arguments.data());
    ::_exit(127);
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child) return Error(Code::kIo, "no process");
  if (status == 0) return {};
  return Error(Code::kIo,
               fmt::format("nacre {} ended with status {}", words.front(), WEXITSTATUS(status)));
}

Status MountedVolume::remount() {
  TRY(run({"unmount", mountpoint_}));
  std::vector<std::string> words = {"mount", directory_, mountpoint_};
  words.insert(words.end(), mount_words_.begin(), mount_words_.end());
  return run(words);
}

Status MountedVolume::kill() {
  pid_t pid = 0;
  std::ifstream(node::lock_path(directory_)) >> pid;
  if (pid <= 1 || ::kill(pid, SIGKILL) != 0) return Error(Code::kIo, "there is no daemon");
  while (is_running(pid)) ::usleep(1000);
  return {};
}

Result<node::Json> MountedVolume::ask(const std::string& command, node::Json arguments) {
  NoEvents events;
  const auto client = TRY(node::ControlClient::connect(node::socket_path(directory_)));
  return client->call({command, std::move(arguments)}, events);
}

Result<Sequence> MountedVolume::ask_for_sequence(const std::string& command, node::Json arguments,
                                                 const char* field) {
  const node::Json answer = TRY(ask(command, std::move(arguments)));
  const auto found = answer.find(field);
  if (found == answer.end() || !found->is_number_unsigned()) {
    return Error(Code::kIo, command + " answers without " + field);
  }
  return Sequence{found->get<uint64_t>()};
}

Result<Sequence> MountedVolume::flush() {
  return ask_for_sequence("flush", node::Json::object(), "sequence");
}

Result<Sequence> MountedVolume::make_snapshot(const std::string& name) {
  return ask_for_sequence("snapshot_create", {{"name", name}}, "sequence");
}

Status MountedVolume::delete_snapshot(const std::string& name) {
  TRY(ask("snapshot_delete", {{"name", name}}));
  return {};
}

Status MountedVolume::compact() {
  TRY(ask("compact", node::Json::object()));
  return {};
}

Status MountedVolume::evict(const std::string& path) {
  TRY(compact());
  TRY(ask("tier_flush", node::Json::object()));
  TRY(ask("tier_evict", {{"path", path}, {"mountpoints", node::Json::array()}}));
  return {};
}

Result<Sequence> MountedVolume::prune(Sequence before) {
  return ask_for_sequence("prune", {{"before", std::to_string(before.value)}}, "floor");
}

}  // namespace nacre::mount_test
