#include "node/service.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <exception>

#include "meta/moments.h"
#include "node/commands.h"

namespace nacre::node {
namespace {

constexpr std::array kCommands = {
    Command{"status", false, run_status},
    Command{"history", false, run_history},
    Command{"deleted", false, run_deleted},
    Command{"restore", false, run_restore},  // out of the volume it changes nothing
    Command{"snapshot_create", true, run_snapshot_create},
    Command{"snapshot_list", false, run_snapshot_list},
    Command{"snapshot_delete", true, run_snapshot_delete},
    Command{"retention_show", false, run_retention_show},
    Command{"retention_set", true, run_retention_set},
    Command{"confirm_clock", true, run_confirm_clock},
    Command{"prune", true, run_prune},
    Command{"compact", true, run_compact},
    Command{"check", false, run_check},
    Command{"forget", true, run_forget},
    Command{"flush", false, run_flush},
    Command{"tier_status", false, run_tier_status},
    Command{"tier_pause", true, run_tier_pause},
    Command{"tier_resume", true, run_tier_resume},
    Command{"tier_flush", true, run_tier_flush},
    Command{"tier_compact", true, run_tier_compact},
    Command{"tier_evict", true, run_tier_evict},
    Command{"tier_pin", true, run_tier_pin},
    Command{"tier_unpin", true, run_tier_unpin},
    Command{"tier_fetch", true, run_tier_fetch},
    Command{"volume_set", true, run_volume_set},
    Command{"mount", false, run_mount},
    Command{"unmount", false, run_unmount},
};

}  // namespace

std::span<const Command> commands() { return kCommands; }

Result<Json> Service::handle(const Request& request, Events& events) {
  const auto* command = std::ranges::find(kCommands, request.command, &Command::name);
  if (command == kCommands.end()) {
    return Error(Code::kInvalid, fmt::format("unknown command `{}`", request.command));
  }
  if (command->changes && directory_.read_only()) {
    return Error(Code::kReadOnly, directory_.path() + " is open read-only");
  }
  Arguments arguments(request.arguments);
  Call call{.directory = directory_,
            .mounts = mounts_,
            .arguments = arguments,
            .events = events,
            .snapshot_mutex = snapshot_mutex_};
  try {
    auto answer = command->run(call);
    if (!answer.ok()) spdlog::info("{}: {}", request.command, answer.error().to_string());
    return answer;
  } catch (const std::exception& unexpected) {  // of the JSON library, or out of memory
    return Error(Code::kIo, fmt::format("{} failed: {}", request.command, unexpected.what()));
  }
}

Status settle(Call& call) {
  if (call.directory.read_only()) return {};
  if (call.mounts != nullptr) TRY(call.mounts->write_back());
  return call.volume().commit();
}

Result<TieredBlocks*> tiered_of(Call& call) {
  if (call.directory.tiered() != nullptr) return call.directory.tiered();
  return Error(Code::kUnsupported,
               call.directory.path() + " has no bucket: all of it is on the disk");
}

Json json_of_time(Call& call, Sequence sequence) {
  const auto time = meta::time_of(call.directory.rows(), sequence);
  return time.ok() ? Json(meta::format_time(*time)) : Json();
}

std::string_view name_of(meta::FileType type) {
  switch (type) {
    case meta::FileType::kRegular:
      return "file";
    case meta::FileType::kDirectory:
      return "directory";
    case meta::FileType::kSymlink:
      return "symlink";
    case meta::FileType::kFifo:
      return "fifo";
    case meta::FileType::kSocket:
      return "socket";
    case meta::FileType::kCharDevice:
      return "character device";
    case meta::FileType::kBlockDevice:
      return "block device";
  }
  return "unknown";
}

}  // namespace nacre::node
