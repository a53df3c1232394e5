// nacre volume create, recover; set and destroy have files of their own
#include <fmt/format.h>
#include <unistd.h>

#include "base/units.h"
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/passphrase.h"
#include "cli/progress_bar.h"
#include "cli/target.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "node/create_volume.h"
#include "node/log.h"

namespace nacre::cli {
namespace {

struct Arguments {
  std::string directory;
  std::string block_size;
  std::string compress;
  bool dedup = false;
  std::string capacity;
  std::vector<std::string> devices;
  bool force = false;
  std::string remote;
  std::string endpoint;
  std::string region;
  std::string credentials;
  std::string ca_file;
  std::string cache_size;
  std::string offline = "fail";
  bool virtual_hosted = false;
  bool sync_remote = false;
  bool encrypt = false;
  std::string key_file;
  std::string at;
};

// What stands after --remote and goes with it. None for a volume without a bucket.
Result<std::optional<node::RemoteSettings>> remote_of(const Arguments& given) {
  if (given.remote.empty()) return std::optional<node::RemoteSettings>();
  if (given.endpoint.empty() || given.cache_size.empty()) {
    return Error(Code::kInvalid,
                 "with --remote, tell where the bucket is by --endpoint URL, and how much of this "
                 "disk the volume may take by --cache-size");
  }
  node::RemoteSettings remote{.bucket = TRY(bucket::parse_bucket_url(given.remote)),
                              .endpoint = TRY(bucket::parse_endpoint(given.endpoint)),
                              .region = given.region,
                              .virtual_hosted = given.virtual_hosted,
                              .cache_bytes = TRY(parse_size(given.cache_size)),
                              .wait_while_away = given.offline == "wait",
                              .sync_remote = given.sync_remote};
  if (remote.cache_bytes < node::kLeastCacheBytes) {
    return Error(Code::kInvalid, "a cache has at least " + format_size(node::kLeastCacheBytes));
  }
  if (!given.credentials.empty()) remote.credentials_file = TRY(absolute_path(given.credentials));
  if (!given.ca_file.empty()) remote.ca_file = TRY(absolute_path(given.ca_file));
  remote.compression =
      TRY(codec::parse_compression(given.compress.empty() ? "zstd" : given.compress));
  return std::optional(std::move(remote));
}

Result<node::CreateOptions> options_of(const Arguments& given) {
  node::CreateOptions options;
  if (!given.block_size.empty()) {
    options.block_size = TRY(parse_size(given.block_size));
    if (options.block_size == 0) return Error(Code::kInvalid, "blocks of 0 bytes hold nothing");
  }
  options.compression =
      TRY(codec::parse_compression(given.compress.empty() ? "none" : given.compress));
  options.dedup = given.dedup;
  options.remote = TRY(remote_of(given));
  options.secret = TRY(read_secret(given.encrypt, given.key_file, Ask::kTwice));
  if (!given.capacity.empty()) {
    options.capacity_bytes = TRY(parse_size(given.capacity));
    if (options.capacity_bytes == 0) return Error(Code::kInvalid, "a capacity of 0 holds nothing");
  }
  for (const std::string& device : given.devices) {
    options.devices.push_back(TRY(absolute_path(device)));
  }
  options.force = given.force;
  options.root_uid = ::geteuid();
  options.root_gid = ::getegid();
  return options;
}

Status recover(const Arguments& given) {
  node::RecoverOptions options{.force = given.force, .at = given.at};
  options.remote = *TRY(remote_of(given));
  options.secret = TRY(read_secret(given.encrypt, given.key_file, Ask::kOnce));
  const std::string directory = TRY(absolute_path(given.directory));
  node::log_for_command();
  ProgressBar bar(os::real_clock(), is_terminal(STDERR_FILENO));
  const auto recovered =
      node::recover_volume(this_machine(), directory, options, [&](uint64_t done, uint64_t total) {
        bar.show(total > 0 ? node::Progress{"reading rows", done, total, "bytes"}
                           : node::Progress{"restoring", done, 0, "files"});
      });
  bar.clear();
  if (!recovered.ok()) return recovered.error();
  fmt::print("recovered the volume {}: {} inodes, as of {}, the last commit in the bucket\n",
             printable(directory), recovered->state.inodes, local_time(recovered->state.time));
  if (recovered->returned_to) {
    fmt::print("its present is what it was as of sequence {}; what came later is in history\n",
               recovered->returned_to->value);
  }
  fmt::print("mount it with `nacre mount {} MOUNTPOINT`; no other copy of it may write any more\n",
             printable(given.directory));
  return {};
}

Status create(const Arguments& given) {
  const node::CreateOptions options = TRY(options_of(given));
  const std::string directory = TRY(absolute_path(given.directory));
  node::log_for_command();
  TRY(node::create_volume(this_machine(), directory, options));
  fmt::print("made the volume {}: mount it with `nacre mount {} MOUNTPOINT`\n",
             printable(directory), printable(given.directory));
  return {};
}

// Where the bucket is, and how the volume uses it.
void add_remote_options(CLI::App& command, const std::shared_ptr<Arguments>& given) {
  CLI::Option* const remote = command.add_option(
      "--remote", given->remote, "s3://BUCKET[/PREFIX]: its data lives there, and DIR is a cache");
  command.add_option("--endpoint", given->endpoint, "https://HOST[:PORT] of the bucket")
      ->needs(remote);
  command.add_option("--region", given->region, "Of the bucket; default: as the endpoint says")
      ->needs(remote);
  command
      .add_option("--credentials", given->credentials,
                  "A TOML file with key_id and application_key; default: the environment or "
                  "~/.aws/credentials")
      ->needs(remote);
  command.add_option("--ca-file", given->ca_file, "Certificates to trust instead of the system's")
      ->needs(remote);
  command.add_option("--cache-size", given->cache_size, "The most that DIR takes of this disk")
      ->needs(remote);
  command
      .add_option("--offline", given->offline,
                  "What reads do while the bucket is away and the data is not here")
      ->check(CLI::IsMember({"fail", "wait"}))
      ->capture_default_str()
      ->needs(remote);
  command
      .add_flag("--virtual-hosted", given->virtual_hosted,
                "The bucket is reached as https://BUCKET.HOST")
      ->needs(remote);
  command
      .add_flag(
          "--encrypt", given->encrypt,
          "What goes to the bucket is sealed under a passphrase: NACRE_PASSPHRASE, or asked for")
      ->needs(remote);
  command
      .add_option("--key-file", given->key_file, "Sealed by this file of 32 or more random bytes")
      ->needs(remote);
  command.add_flag("--sync-remote", given->sync_remote, "fsync waits for the bucket")
      ->needs(remote);
}

}  // namespace

void add_volume(CLI::App& program, int& exit_code) {
  CLI::App& volume = *program.add_subcommand("volume", "Make, change and destroy volumes");
  volume.require_subcommand(1);
  volume.footer("Example:\n  nacre volume create /srv/vol");
  CLI::App& command = *volume.add_subcommand("create", "Make a volume in a directory");
  const auto given = std::make_shared<Arguments>();
  command
      .add_option("DIR", given->directory,
                  "Its directory, new or empty: for rows, and for data where no device is given")
      ->required();
  command.add_option(
      "--block-size", given->block_size,
      "Largest block: a power of two from 64KiB on; default: 4MiB, less on small volumes");
  command.add_option("--compress", given->compress,
                     "none, lz4 or zstd; default: none, and zstd in a bucket");
  command.add_flag("--dedup", given->dedup, "Store identical content once");
  command.add_option("--capacity", given->capacity,
                     "The most it may take; default: what the disk can spare");
  command.add_option(
      "--device", given->devices,
      "A block device, image file or directory for the data; may be given several times");
  command.add_flag("--force", given->force, "Destroy what is there");
  add_remote_options(command, given);
  command.footer(
      "Examples:\n"
      "  nacre volume create /srv/vol\n"
      "  nacre volume create /srv/vol --compress zstd --capacity 200GiB\n"
      "  nacre volume create /srv/vol --device /dev/sdb --device /dev/sdc\n"
      "  nacre volume create /srv/vol --remote s3://my-bucket/vol --cache-size 20GiB \\\n"
      "      --endpoint https://s3.eu-central-003.backblazeb2.com");
  on_command(command, exit_code, [given] { return create(*given); });

  CLI::App& recover_command =
      *volume.add_subcommand("recover", "Make a volume anew of what its bucket has");
  const auto wanted = std::make_shared<Arguments>();
  recover_command.add_option("DIR", wanted->directory, "Its directory, new or empty")->required();
  recover_command.add_flag("--force", wanted->force, "Destroy what is there");
  recover_command.add_option("--at", wanted->at,
                             "The present becomes what it was: a time, '2 hours ago', a sequence "
                             "or a snapshot's name");
  add_remote_options(recover_command, wanted);
  recover_command.get_option("--remote")->required();
  recover_command.footer(
      "With --at all of history is there, too, what came after that moment included.\n\n"
      "Example:\n"
      "  nacre volume recover /srv/vol --remote s3://my-bucket/vol --cache-size 20GiB \\\n"
      "      --endpoint https://s3.eu-central-003.backblazeb2.com");
  on_command(recover_command, exit_code, [wanted] { return recover(*wanted); });

  add_volume_set(volume, exit_code);
  add_volume_destroy(volume, exit_code);
}

}  // namespace nacre::cli
