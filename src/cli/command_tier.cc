// nacre tier status, flush, pause, resume, evict, fetch
#include <fmt/format.h>
#include <unistd.h>

#include "base/units.h"
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/pause.h"
#include "cli/target.h"
#include "cli/terminal.h"
#include "cli/tier_report.h"

namespace nacre::cli {
namespace {

constexpr int64_t kWatchNs = 1'000'000'000;
constexpr const char* kVolume = "MOUNTPOINT|DIR";

struct Arguments {
  std::string place;
  bool json = false;
  bool watch = false;
  bool prometheus = false;
};

// The command of a volume, or of a path in it.
Result<node::Json> run(const char* command, const Arguments& given, bool changes, bool of_path) {
  Watcher watcher;
  if (!of_path) return ask(TRY(find_volume(given.place)), {command}, watcher, changes);
  const Target target = TRY(find_target(given.place));
  const node::Json arguments{{"path", node::json_of_bytes(target.path)},
                             {"mountpoints", node::json_of_texts(target.mountpoints)}};
  return ask(target.volume, {command, arguments}, watcher, changes);
}

Status show(const Arguments& given) {
  for (;;) {
    const node::Json status = TRY(run("tier_status", given, false, false));
    if (given.watch && is_terminal(STDOUT_FILENO)) fmt::print("\033[H\033[2J");
    if (given.prometheus) {
      fmt::print("{}", tier_metrics(status, TRY(find_volume(given.place))));
    } else if (given.json) {
      print_json(status);
    } else {
      fmt::print("{}", tier_text(status));
    }
    if (!given.watch) return {};
    std::fflush(stdout);
    Patience pause(os::real_clock(), kWatchNs);
    while (pause.wait()) {
    }
  }
}

Status flush(const Arguments& given) {
  const node::Json answer = TRY(run("tier_flush", given, true, false));
  if (given.json) {
    print_json(answer);
  } else {
    fmt::print("everything is in the bucket; {} were uploaded\n", size_cell(answer, "bytes"));
  }
  return {};
}

Status compact(const Arguments& given) {
  const node::Json answer = TRY(run("tier_compact", given, true, false));
  if (given.json) {
    print_json(answer);
    return {};
  }
  fmt::print("{} packs written anew; the bucket's packs had {} and have {}\n",
             number(answer, "packs_written"), size_cell(answer, "bytes_before"),
             size_cell(answer, "bytes_after"));
  return {};
}

Status pause(const Arguments& given) {
  const node::Json answer = TRY(run("tier_pause", given, true, false));
  if (given.json) print_json(answer);
  return {};
}

Status resume(const Arguments& given) {
  const node::Json answer = TRY(run("tier_resume", given, true, false));
  if (given.json) print_json(answer);
  return {};
}

Status evict(const Arguments& given) {
  const node::Json answer = TRY(run("tier_evict", given, true, true));
  if (given.json) {
    print_json(answer);
    return {};
  }
  fmt::print("{} blocks left the disk\n", cell(answer, "blocks"));
  if (const uint64_t kept = number(answer, "not_uploaded")) {
    print_warning(fmt::format("{} are not in the bucket yet, and stay: nacre tier flush", kept));
  }
  if (const uint64_t pinned = number(answer, "pinned")) {
    print_warning(fmt::format("{} are pinned, and stay: nacre tier unpin", pinned));
  }
  return {};
}

Status fetch(const Arguments& given) {
  const node::Json answer = TRY(run("tier_fetch", given, true, true));
  if (given.json) {
    print_json(answer);
  } else {
    fmt::print("{} are on the disk, as far as there is room\n", size_cell(answer, "bytes"));
  }
  return {};
}

Status pin(const Arguments& given) {
  const node::Json answer = TRY(run("tier_pin", given, true, true));
  if (given.json) {
    print_json(answer);
  } else {
    fmt::print("{} are on the disk, and stay there\n", size_cell(answer, "bytes"));
  }
  return {};
}

Status unpin(const Arguments& given) {
  const node::Json answer = TRY(run("tier_unpin", given, true, true));
  if (given.json) print_json(answer);
  return {};
}

}  // namespace

void add_tier(CLI::App& program, int& exit_code) {
  CLI::App& tier =
      *program.add_subcommand("tier", "What of a volume is on the disk, and what in its bucket");
  tier.require_subcommand(1);
  const auto given = std::make_shared<Arguments>();
  const auto add = [&](const char* name, const char* what, const char* place, const char* of,
                       auto body) -> CLI::App& {
    CLI::App& command = *tier.add_subcommand(name, what);
    command.add_option(place, given->place, of)->required();
    command.add_flag("--json", given->json, "For scripts");
    command.footer(fmt::format("Example:\n  nacre tier {} /mnt", name));
    on_command(command, exit_code, [given, body] { return body(*given); });
    return command;
  };
  CLI::App& status =
      add("status", "Show what is where, and how it moves", kVolume, "Of the volume", show);
  CLI::Option* const watch = status.add_flag("--watch", given->watch, "Again every second");
  status.add_flag("--prometheus", given->prometheus, "As metrics, for a textfile collector")
      ->excludes(watch)
      ->excludes(status.get_option("--json"));
  add("flush", "Wait until all is in the bucket", kVolume, "Of the volume", flush);
  add("pause", "Upload nothing until resume, or until the volume is unmounted", kVolume,
      "Of the volume", pause);
  add("resume", "Upload again", kVolume, "Of the volume", resume);
  add("compact", "Free the bucket of what nobody needs, now", kVolume, "Of the volume", compact);
  add("evict", "Take a file, or all below a directory, off the disk", "PATH", "In the volume",
      evict);
  add("fetch", "Bring a file, or all below a directory, to the disk", "PATH", "In the volume",
      fetch);
  add("pin", "Bring a file, or all below a directory, to the disk, and keep it there", "PATH",
      "In the volume", pin);
  add("unpin", "Let what was pinned leave the disk again", "PATH", "In the volume", unpin);
  add_tier_worker(tier, exit_code);
  tier.footer(
      "Examples:\n"
      "  nacre tier status /mnt\n"
      "  nacre tier flush /mnt\n"
      "  nacre tier evict /mnt/films");
}

}  // namespace nacre::cli
