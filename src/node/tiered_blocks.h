// What a tiered volume has beside the devices: its bucket, the row log, and the store that moves
// blocks between devices and bucket. Thread-safe. Everything given to open() outlives it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "block/local_store.h"
#include "bucket/replaceable_bucket.h"
#include "device/device.h"
#include "kv/store.h"
#include "node/pins.h"
#include "node/remote_settings.h"
#include "os/mutex.h"
#include "tier/logged_rows.h"
#include "tier/pack_compactor.h"
#include "tier/row_shipper.h"
#include "tier/tier_store.h"
#include "wire/volume_layout.h"

namespace nacre::node {

// Of the cache: for superblocks, the lock and the log of the daemon.
inline constexpr uint64_t kOtherFilesBytes = 2 * kMiB;

// Connects to a bucket; nothing is asked of it yet.
using Connect = std::function<Result<std::unique_ptr<bucket::Bucket>>(const RemoteSettings&)>;
// With credentials as they are found, and bounded retries. kAccess when there are none that can be
// used.
Result<std::unique_ptr<bucket::Bucket>> connect_bucket(const RemoteSettings& settings);

// What is not given stays as it is.
struct SettingsChange {
  std::optional<uint64_t> cache_bytes = {};
  std::optional<std::string> credentials_file = {};  // read anew, even if it is the same
  std::optional<bool> wait_while_away = {};
  std::optional<bool> sync_remote = {};
};

class TieredBlocks {
 public:
  struct Parts {
    device::Host host;
    std::string directory;  // of the volume
    kv::Store& rows;
    block::LocalStore& local;
  };
  struct Options {
    Connect connect = connect_bucket;
    bool background = true;
    bool read_only = false;  // nothing is uploaded, and nothing that is fetched is kept
  };
  // Without a connection, as for lack of credentials, every call to the bucket ends with the error
  // of connecting; what is on the devices can be used.
  static Result<std::unique_ptr<TieredBlocks>> open(const Parts& parts,
                                                    const RemoteSettings& settings,
                                                    const wire::VolumeSuperblock& superblock,
                                                    const Options& options);
  // Ends transfers; what is not in the bucket stays on the devices.
  ~TieredBlocks();

  // To be used instead of those below.
  kv::Store& rows() { return logged_ ? static_cast<kv::Store&>(*logged_) : parts_.rows; }
  block::Store& blocks() { return *tier_; }

  tier::TierStore& tier() { return *tier_; }
  Pins& pins() { return *pins_; }
  // Null when it is open read-only, as the next one.
  tier::RowShipper* shipper() { return shipper_.get(); }
  tier::PackCompactor* compactor() { return compactor_.get(); }
  RemoteSettings settings() const;
  // From now on, and whenever the volume is opened. On an error all is as it was: kAccess for
  // credentials that are none, or that the bucket refuses.
  Status change(const SettingsChange& change);
  // The number of the last batch of rows.
  uint64_t last_batch() const { return logged_ ? logged_->last() : 0; }
  // What the volume takes of the host now, by its own account.
  uint64_t host_bytes();

 private:
  TieredBlocks(const Parts& parts, const RemoteSettings& settings, Connect connect)
      : parts_(parts), connect_(std::move(connect)), settings_(settings) {}
  Status may_write();
  bool compaction_waits();
  Result<std::unique_ptr<bucket::Bucket>> connect_accepted(const RemoteSettings& settings) const;
  void apply_limit();
  void recall_heat();
  Status keep_heat();

  const Parts parts_;
  const Connect connect_;
  os::Mutex change_mutex_;  // one changes settings at a time; held across I/O; before the other
  mutable os::Mutex settings_mutex_;  // a leaf
  RemoteSettings settings_ GUARDED_BY(settings_mutex_);
  std::unique_ptr<bucket::ReplaceableBucket> bucket_;
  std::unique_ptr<tier::LoggedRows> logged_;
  tier::PackFormat format_;
  std::unique_ptr<Pins> pins_;
  std::unique_ptr<tier::TierStore> tier_;
  std::unique_ptr<tier::RowShipper> shipper_;
  std::unique_ptr<tier::PackCompactor> compactor_;
};

}  // namespace nacre::node
