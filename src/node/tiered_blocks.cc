#include "node/tiered_blocks.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "bucket/retrying_bucket.h"
#include "bucket/s3_bucket.h"
#include "node/volume_paths.h"
#include "tier/ownership.h"
#include "wire/bucket_names.h"

namespace nacre::node {
namespace {

// What of the cache the row log may take while the bucket is away.
constexpr uint64_t kRowLogShare = 16;

// Every call ends with the error for which there is no bucket.
class AbsentBucket final : public bucket::Bucket {
 public:
  explicit AbsentBucket(Error error) : error_(std::move(error)) {}

  Status put(const std::string&, std::span<const ByteView>) override { return error_; }
  Status read(const std::string&, uint64_t, MutableBytes) override { return error_; }
  Result<std::string> get(const std::string&, uint64_t) override { return error_; }
  Result<bucket::ObjectInfo> info(const std::string&) override { return error_; }
  Status list(const std::string&, const std::function<bool(const bucket::ObjectInfo&)>&) override {
    return error_;
  }
  Status remove(const std::string&) override { return error_; }
  Result<size_t> abort_stale_uploads(const std::string&, std::chrono::seconds) override {
    return error_;
  }
  void stop() override {}

 private:
  const Error error_;
};

}  // namespace

Result<std::unique_ptr<bucket::Bucket>> connect_bucket(const RemoteSettings& settings) {
  bucket::S3Options options{.endpoint = settings.endpoint,
                            .bucket = settings.bucket,
                            .region = settings.region,
                            .virtual_hosted = settings.virtual_hosted,
                            .ca_file = settings.ca_file};
  auto credentials = bucket::find_credentials({.file = settings.credentials_file});
  if (!credentials.ok()) return Error(Code::kAccess, credentials.error().context());
  options.credentials = credentials.take();
  bucket::RetryOptions retry{.tries_max = 4, .patience = std::chrono::seconds(20)};
  retry.pacing = options.pacing;
  auto s3 = TRY(bucket::S3Bucket::open(std::move(options)));
  return std::unique_ptr<bucket::Bucket>(
      std::make_unique<bucket::RetryingBucket>(std::move(s3), retry));
}

Result<std::unique_ptr<TieredBlocks>> TieredBlocks::open(const Parts& parts,
                                                         const RemoteSettings& settings,
                                                         const wire::VolumeSuperblock& superblock,
                                                         const Options& options) {
  std::unique_ptr<TieredBlocks> opened(new TieredBlocks(parts, settings, options.connect));
  auto bucket = options.connect(settings);
  if (!bucket.ok()) {
    spdlog::warn("{} is out of reach: {}", settings.bucket.to_string(), bucket.error().context());
    bucket = std::unique_ptr<bucket::Bucket>(std::make_unique<AbsentBucket>(bucket.error()));
  }
  opened->bucket_ = std::make_unique<bucket::ReplaceableBucket>(bucket.take());
  if (!options.read_only) {
    opened->logged_ = TRY(tier::LoggedRows::open(
        parts.rows, parts.host.files, parts.host.clock, row_log_path(parts.directory),
        {.volume = superblock.volume,
         .epoch = settings.epoch,
         .most_bytes = settings.cache_bytes / kRowLogShare}));
  }
  opened->format_ = {.volume = superblock.volume, .compression = settings.compression};
  if (settings.key) opened->format_.protection = codec::Protection(*settings.key);
  tier::TierOptions tier{.format = opened->format_,
                         .wait_while_away = settings.wait_while_away,
                         .sync_remote = settings.sync_remote,
                         .read_only = options.read_only,
                         .background = options.background && !options.read_only};
  opened->pins_ = std::make_unique<Pins>(opened->rows(), parts.host.clock);
  TieredBlocks* const raw = opened.get();
  opened->tier_ = TRY(tier::TierStore::open({.local = parts.local,
                                             .parts = parts.local,
                                             .bucket = *opened->bucket_,
                                             .rows = opened->rows(),
                                             .clock = parts.host.clock,
                                             .random = parts.host.random,
                                             .last_batch = [raw] { return raw->last_batch(); },
                                             .may_write = [raw] { return raw->may_write(); },
                                             .set_limit = [raw] { raw->apply_limit(); },
                                             .staying = [raw] { return raw->pins_->blocks(); }},
                                            tier));
  opened->recall_heat();
  if (options.read_only) return opened;
  opened->shipper_ = std::make_unique<tier::RowShipper>(
      tier::RowShipper::Parts{*opened->logged_, opened->tier_->locations(), *opened->bucket_,
                              parts.host.clock, [raw] { return raw->tier_->settled_batch(); },
                              [raw] { raw->tier_->uploader().flush(); }},
      opened->format_,
      tier::ShipOptions{.epoch = settings.epoch, .background = options.background});
  opened->compactor_ = std::make_unique<tier::PackCompactor>(
      tier::PackCompactor::Parts{.local = parts.local,
                                 .bucket = *opened->bucket_,
                                 .locations = opened->tier_->locations(),
                                 .clock = parts.host.clock,
                                 .random = parts.host.random,
                                 .last_batch = [raw] { return raw->last_batch(); },
                                 .may_write = [raw] { return raw->may_write(); },
                                 .must_wait = [raw] { return raw->compaction_waits(); }},
      opened->format_, tier::CompactOptions{.background = options.background});
  return opened;
}

TieredBlocks::~TieredBlocks() {
  if (bucket_ != nullptr) bucket_->stop();
  compactor_.reset();
  shipper_.reset();
  if (logged_ != nullptr && tier_ != nullptr) {
    const Status kept = keep_heat();
    if (!kept.ok()) spdlog::warn("what was read often is forgotten: {}", kept.error().to_string());
  }
  tier_.reset();
}

// What is not there or damaged is no loss: the cache learns anew.
void TieredBlocks::recall_heat() {
  const auto read = [&]() -> Result<std::vector<wire::BlockHeat>> {
    const auto file = TRY(parts_.host.files.open(heat_path(parts_.directory), os::OpenMode::kRead));
    std::string bytes(std::min<uint64_t>(TRY(file->size()), wire::kMaxHeatBytes + 1), '\0');
    bytes.resize(TRY(file->read_at(0, as_writable_bytes(bytes))));
    return wire::decode_heat(as_bytes(bytes));
  };
  const auto heat = read();
  if (heat.ok()) {
    tier_->recall(*heat);
  } else if (heat.code() != Code::kNotFound) {
    spdlog::warn("{}: {}", heat_path(parts_.directory), heat.error().to_string());
  }
}

Status TieredBlocks::keep_heat() {
  const std::string path = heat_path(parts_.directory);
  const std::string fresh = path + ".new";
  {
    const auto file = TRY(parts_.host.files.open(fresh, os::OpenMode::kCreate));
    TRY(file->truncate(0));
    TRY(file->write_at(0, as_bytes(wire::encode_heat(tier_->heat()))));
    TRY(file->sync());
  }
  return parts_.host.files.rename(fresh, path);
}

RemoteSettings TieredBlocks::settings() const {
  const os::Lock lock(settings_mutex_);
  return settings_;
}

Status TieredBlocks::change(const SettingsChange& change) {
  const os::Lock changing(change_mutex_);
  RemoteSettings changed = settings();
  changed.cache_bytes = change.cache_bytes.value_or(changed.cache_bytes);
  changed.credentials_file = change.credentials_file.value_or(changed.credentials_file);
  changed.wait_while_away = change.wait_while_away.value_or(changed.wait_while_away);
  changed.sync_remote = change.sync_remote.value_or(changed.sync_remote);
  std::unique_ptr<bucket::Bucket> connected;
  if (change.credentials_file) connected = TRY(connect_accepted(changed));
  TRY(write_remote_settings(parts_.host.files, parts_.directory, changed));
  {
    const os::Lock lock(settings_mutex_);
    settings_ = changed;
  }
  tier_->set_wait_while_away(changed.wait_while_away);
  tier_->set_sync_remote(changed.sync_remote);
  apply_limit();
  if (connected == nullptr) return {};
  bucket_->replace(std::move(connected));
  tier_->uploader().flush();
  return {};
}

// The bucket may be away; that it refuses is told before anything is changed.
Result<std::unique_ptr<bucket::Bucket>> TieredBlocks::connect_accepted(
    const RemoteSettings& settings) const {
  auto connected = TRY(connect_(settings));
  const auto asked = connected->get(wire::volume_object_name(1), wire::kMaxDescriptorObjectBytes);
  if (!asked.ok() && asked.code() == Code::kAccess) return asked.error();
  return connected;
}

Status TieredBlocks::may_write() {
  return tier::check_epoch(*bucket_, format_.volume, settings().epoch);
}

// A copy of the volume whose rows may be older than the bucket's knows nothing of its newest packs.
bool TieredBlocks::compaction_waits() {
  const tier::UploadStatus upload = tier_->uploader().status();
  return upload.paused || upload.hurried || !shipper_->status().compared;
}

// Blocks may take what rows leave of the cache.
void TieredBlocks::apply_limit() {
  const auto rows = this->rows().usage();
  if (!rows.ok()) return;
  const uint64_t taken = rows->disk_bytes + kOtherFilesBytes;
  const uint64_t cache_bytes = settings().cache_bytes;
  const uint64_t left = cache_bytes - std::min(cache_bytes, taken);
  const auto& devices = parts_.local.devices();
  for (const auto& device : devices) device->limit(left / devices.size());
}

uint64_t TieredBlocks::host_bytes() {
  const auto rows = this->rows().usage();
  uint64_t bytes = rows.ok() ? rows->disk_bytes : 0;
  for (const auto& device : parts_.local.devices()) bytes += device->host_bytes();
  return bytes;
}

}  // namespace nacre::node
