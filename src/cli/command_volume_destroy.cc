// nacre volume destroy
#include <fmt/format.h>
#include <unistd.h>

#include <optional>

#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/output.h"
#include "cli/progress_bar.h"
#include "cli/target.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "node/destroy_volume.h"
#include "node/log.h"

namespace nacre::cli {
namespace {

struct Arguments {
  std::string directory;
  bool remote = false;
  bool yes = false;
  bool force = false;
  bool json = false;
};

std::string question(const std::string& directory, const std::optional<std::string>& bucket,
                     bool remote) {
  if (!bucket)
    return fmt::format("Destroy the volume {} with all its files?", printable(directory));
  if (remote) {
    return fmt::format("Destroy the volume {} with all its files, here and in {}?",
                       printable(directory), printable(*bucket));
  }
  return fmt::format("Remove the copy of the volume in {}, which stays in {}?",
                     printable(directory), printable(*bucket));
}

void print_destroyed(const node::DestroyedVolume& destroyed, const std::string& directory,
                     const std::optional<node::RemoteSettings>& settings, bool remote) {
  fmt::print("destroyed {}{}\n", printable(directory),
             remote ? fmt::format(" and {} objects in {}", destroyed.objects,
                                  printable(settings->bucket.to_string()))
                    : "");
  if (settings && !remote) {
    fmt::print(
        "its bucket has it still: `nacre volume recover DIR --remote {} --endpoint {} "
        "--cache-size {}` brings it back\n",
        printable(settings->bucket.to_string()), printable(settings->endpoint.to_string()),
        format_size(settings->cache_bytes));
  }
  for (const std::string& what : destroyed.left) print_warning(what);
  const size_t foreign = destroyed.foreign_objects.size();
  if (foreign == 0) return;
  print_warning(fmt::format("{} object{} in the bucket {} not the volume's and stay{}: '{}'{}",
                            foreign, foreign == 1 ? "" : "s", foreign == 1 ? "is" : "are",
                            foreign == 1 ? "s" : "", destroyed.foreign_objects.front(),
                            foreign == 1 ? "" : " and more"));
}

Status destroy(const Arguments& given) {
  const std::string directory = TRY(absolute_path(given.directory));
  const auto read = node::read_remote_settings(this_machine().files, directory);
  std::optional<node::RemoteSettings> settings;
  if (read.ok()) settings = *read;
  if (!given.yes) {
    const auto bucket = settings ? std::optional(settings->bucket.to_string()) : std::nullopt;
    TRY(confirm(question(directory, bucket, given.remote), "destroy removes",
                "nothing was destroyed"));
  }
  node::log_for_command();
  ProgressBar bar(os::real_clock(), is_terminal(STDERR_FILENO));
  const auto destroyed = node::destroy_volume(
      this_machine(), directory, {.remote = given.remote, .force = given.force},
      [&](uint64_t done, uint64_t total) { bar.show({"removing", done, total, "objects"}); });
  bar.clear();
  if (!destroyed.ok()) return destroyed.error();
  if (given.json) {
    print_json({{"objects", destroyed->objects},
                {"foreign_objects", node::json_of_texts(destroyed->foreign_objects)},
                {"left", node::json_of_texts(destroyed->left)}});
  } else {
    print_destroyed(*destroyed, directory, settings, given.remote);
  }
  return {};
}

}  // namespace

void add_volume_destroy(CLI::App& volume, int& exit_code) {
  CLI::App& command = *volume.add_subcommand("destroy", "Destroy a volume, or its copy here");
  const auto given = std::make_shared<Arguments>();
  command.add_option("DIR", given->directory, "The volume's directory")->required();
  command.add_flag("--remote", given->remote, "What is in its bucket goes as well");
  command.add_flag("--yes", given->yes, "Do not ask");
  command.add_flag("--force", given->force,
                   "Although not all is in the bucket, or another machine has taken it over");
  command.add_flag("--json", given->json, "For scripts");
  command.footer(
      "Without --remote a volume with a bucket loses its copy here alone, if all of it is in the\n"
      "bucket. What was interrupted is ended by the same command again.\n\n"
      "Examples:\n"
      "  nacre volume destroy /srv/vol\n"
      "  nacre volume destroy /srv/vol --remote --yes");
  on_command(command, exit_code, [given] { return destroy(*given); });
}

}  // namespace nacre::cli
