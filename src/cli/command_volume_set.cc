// nacre volume set
#include <fmt/format.h>

#include "base/units.h"
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/passphrase.h"
#include "cli/target.h"
#include "cli/text.h"
#include "node/change_secret.h"
#include "node/log.h"

namespace nacre::cli {
namespace {

struct Arguments {
  std::string volume;
  std::string cache_size;
  std::string offline;
  std::string sync_remote;
  std::string credentials;
  bool passphrase = false;
  std::string key_file;
  bool json = false;
};

Result<node::Json> settings_of(const Arguments& given) {
  node::Json settings = node::Json::object();
  if (!given.cache_size.empty()) settings["cache_bytes"] = TRY(parse_size(given.cache_size));
  if (!given.offline.empty()) settings["offline"] = given.offline;
  if (!given.sync_remote.empty()) settings["sync_remote"] = given.sync_remote;
  if (!given.credentials.empty()) {
    settings["credentials_file"] = node::json_of_bytes(TRY(absolute_path(given.credentials)));
  }
  return settings;
}

void print_settings(const node::Json& settings) {
  const std::string credentials = cell(settings, "credentials_file");
  fmt::print("cache size {}, offline {}, sync-remote {}, credentials {}\n",
             size_cell(settings, "cache_bytes"), cell(settings, "offline"),
             flag(settings, "sync_remote") ? "yes" : "no",
             credentials.empty() ? "of the environment" : credentials);
  if (number(settings, "used_bytes") <= number(settings, "cache_bytes")) return;
  print_warning(
      fmt::format("the volume takes {} of the disk still: it shrinks as what is not in "
                  "the bucket yet is uploaded",
                  size_cell(settings, "used_bytes")));
}

Status set(const Arguments& given) {
  const std::string volume = TRY(find_volume(given.volume));
  const node::BucketSecret secret = TRY(read_secret(given.passphrase, given.key_file, Ask::kTwice));
  const node::Json settings = TRY(settings_of(given));
  if (settings.empty() && secret.empty()) {
    return Error(Code::kInvalid, "say what is to be changed; see nacre volume set --help");
  }
  node::Json answer = node::Json::object();
  if (!settings.empty()) {
    Watcher watcher;
    answer = TRY(ask(volume, {"volume_set", settings}, watcher, true));
  }
  if (!secret.empty()) {
    node::log_for_command();
    TRY(node::change_secret(this_machine().files, volume, secret));
    answer["secret"] = given.passphrase ? "passphrase" : "key file";
  }
  if (given.json) {
    print_json(answer);
    return {};
  }
  if (!settings.empty()) print_settings(answer);
  if (!secret.empty()) {
    fmt::print("the bucket is sealed by the new {}; the old one opens it no more\n",
               cell(answer, "secret"));
  }
  return {};
}

}  // namespace

void add_volume_set(CLI::App& volume, int& exit_code) {
  CLI::App& command =
      *volume.add_subcommand("set", "Change how a volume uses its bucket, mounted or not");
  const auto given = std::make_shared<Arguments>();
  command.add_option("MOUNTPOINT|DIR", given->volume, "Of the volume")->required();
  command.add_option("--cache-size", given->cache_size, "The most that DIR takes of this disk");
  command
      .add_option("--offline", given->offline,
                  "What reads do while the bucket is away and the data is not here")
      ->check(CLI::IsMember({"fail", "wait"}));
  command.add_option("--sync-remote", given->sync_remote, "Whether fsync waits for the bucket")
      ->check(CLI::IsMember({"yes", "no"}));
  command.add_option("--credentials", given->credentials,
                     "A TOML file with key_id and application_key; the same one is read anew");
  command.add_flag("--passphrase", given->passphrase,
                   "Seal the bucket's key under a new passphrase: NACRE_PASSPHRASE, or asked for");
  command.add_option("--key-file", given->key_file,
                     "Seal the bucket's key by this file of 32 or more random bytes");
  command.add_flag("--json", given->json, "For scripts");
  command.footer(
      "What is not given stays as it is. A new passphrase or key file replaces the old one; no\n"
      "data is written again.\n\n"
      "Examples:\n"
      "  nacre volume set /mnt --cache-size 50GiB\n"
      "  nacre volume set /srv/vol --offline wait\n"
      "  nacre volume set /srv/vol --passphrase");
  on_command(command, exit_code, [given] { return set(*given); });
}

}  // namespace nacre::cli
