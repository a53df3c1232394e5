// nacre tier status, flush, pause, resume, evict, fetch
#include <fmt/format.h>
#include <unistd.h>

#include "base/units.h"
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/pause.h"
#include "cli/table.h"
#include "cli/target.h"
#include "cli/terminal.h"
#include "cli/text.h"

namespace nacre::cli {
namespace {

constexpr int64_t kWatchNs = 1'000'000'000;
constexpr const char* kVolume = "MOUNTPOINT|DIR";

struct Arguments {
  std::string place;
  bool json = false;
  bool watch = false;
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

std::string age_cell(const node::Json& dirty) {
  if (!dirty.contains("oldest_ns") || !dirty["oldest_ns"].is_number()) return "";
  return ", the oldest for " + duration_text(dirty["oldest_ns"].get<int64_t>() / 1'000'000'000);
}

std::string upload_text(const node::Json& upload) {
  if (flag(upload, "paused")) return "paused: nacre tier resume goes on";
  const std::string trouble = cell(upload, "trouble");
  if (!trouble.empty()) return "waits: " + printable(trouble);
  const uint64_t rate = number(upload, "bytes_per_second");
  return rate == 0 ? "well" : format_size(rate) + "/s";
}

void print_status(const node::Json& status) {
  const node::Json& cache = part(status, "cache");
  const node::Json& dirty = part(status, "dirty");
  const node::Json& remote = part(status, "remote");
  const node::Json& fetch = part(status, "fetch");
  const auto line = [](const char* name, const std::string& text) {
    fmt::print("{:<10} {}\n", name, text);
  };
  line("bucket", fmt::format("{} at {}{}", cell(status, "bucket"), cell(status, "endpoint"),
                             flag(status, "sealed") ? ", sealed" : ""));
  line("disk",
       fmt::format("{} of {}", size_cell(cache, "used_bytes"), size_cell(cache, "target_bytes")));
  line("to upload", fmt::format("{} in {} blocks{}", size_cell(dirty, "bytes"),
                                cell(dirty, "blocks"), age_cell(dirty)));
  line("uploads", upload_text(part(status, "upload")));
  line("in bucket",
       fmt::format("{} in {} blocks; {} in {} packs", size_cell(remote, "bytes"),
                   cell(remote, "blocks"), size_cell(remote, "pack_bytes"), cell(remote, "packs")));
  const node::Json& rows = part(status, "rows");
  const std::string trouble = cell(rows, "trouble");
  line("safe",
       fmt::format("up to {}{}", time_cell(rows, "shipped_time"),
                   trouble.empty() || trouble == "-" ? "" : "; waits: " + printable(trouble)));
  if (status.contains("pins")) {
    for (const node::Json& pin : status["pins"]) {
      line("pinned",
           fmt::format("{}, {}, of which {} are to be fetched", printable(cell(pin, "path")),
                       size_cell(pin, "bytes"), size_cell(pin, "missing_bytes")));
    }
  }
  const node::Json& compaction = part(status, "compaction");
  if (const uint64_t packs = number(compaction, "packs_written")) {
    line("compacted",
         fmt::format("{} packs written anew, {}", packs, size_cell(compaction, "bytes_written")));
  }
  line("evicted",
       fmt::format("{} blocks since the volume was opened", cell(cache, "blocks_evicted")));
  line("fetched",
       fmt::format("{} in {} requests", size_cell(fetch, "bytes"), cell(fetch, "requests")));
  if (const uint64_t damaged = number(part(status, "upload"), "damaged_blocks")) {
    line("damaged",
         fmt::format("{} blocks are damaged on the disk and cannot be uploaded", damaged));
  }
}

Status show(const Arguments& given) {
  for (;;) {
    const node::Json status = TRY(run("tier_status", given, false, false));
    if (given.watch && is_terminal(STDOUT_FILENO)) fmt::print("\033[H\033[2J");
    if (given.json) {
      print_json(status);
    } else {
      print_status(status);
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
  add("status", "Show what is where, and how it moves", kVolume, "Of the volume", show)
      .add_flag("--watch", given->watch, "Again every second");
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
  tier.footer(
      "Examples:\n"
      "  nacre tier status /mnt\n"
      "  nacre tier flush /mnt\n"
      "  nacre tier evict /mnt/films");
}

}  // namespace nacre::cli
