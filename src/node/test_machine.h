// A machine with a simulated disk and a volume whose bucket is in memory, and words to use it. For
// tests.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bucket/memory_bucket.h"
#include "fs/live_tree.h"
#include "node/create_volume.h"
#include "node/volume_directory.h"
#include "os/sim_disk.h"

namespace nacre::node {

// A connection to a bucket that others have, too.
class Connection final : public bucket::Bucket {
 public:
  explicit Connection(bucket::Bucket& bucket) : bucket_(bucket) {}

  Status put(const std::string& key, std::span<const ByteView> parts) override {
    return bucket_.put(key, parts);
  }
  Status read(const std::string& key, uint64_t offset, MutableBytes into) override {
    return bucket_.read(key, offset, into);
  }
  Result<std::string> get(const std::string& key, uint64_t limit) override {
    return bucket_.get(key, limit);
  }
  Result<bucket::ObjectInfo> info(const std::string& key) override { return bucket_.info(key); }
  Status list(const std::string& prefix,
              const std::function<bool(const bucket::ObjectInfo&)>& visit) override {
    return bucket_.list(prefix, visit);
  }
  Status remove(const std::string& key) override { return bucket_.remove(key); }
  Result<size_t> abort_stale_uploads(const std::string& prefix, std::chrono::seconds age) override {
    return bucket_.abort_stale_uploads(prefix, age);
  }
  void stop() override {}

 private:
  bucket::Bucket& bucket_;
};

// A machine with a disk of its own, and words to use the volume on it.
class Machine {
 public:
  static constexpr const char* kPath = "/srv/volume";

  Machine(bucket::Bucket& bucket, uint64_t seed, uint64_t cache_bytes = 64 * kMiB)
      : bucket_(bucket), cache_bytes_(cache_bytes), random_(seed) {}

  RemoteSettings remote() const {
    RemoteSettings remote{.bucket = {.bucket = "bucket"}, .endpoint = {.host = "host"}};
    remote.cache_bytes = cache_bytes_;
    return remote;
  }
  Connect connect() {
    return [this](const RemoteSettings&) -> Result<std::unique_ptr<bucket::Bucket>> {
      return std::unique_ptr<bucket::Bucket>(std::make_unique<Connection>(bucket_));
    };
  }
  Result<wire::VolumeSuperblock> create(const BucketSecret& secret = {}, bool force = false) {
    CreateOptions options;
    options.block_size = 64 * kKiB;
    options.remote = remote();
    options.secret = secret;
    options.connect = connect();
    options.force = force;
    return create_volume(host(), kPath, options);
  }
  Result<RecoveredVolume> recover(const BucketSecret& secret = {}, bool force = false) {
    return recover_volume(
        host(), kPath, {.remote = remote(), .secret = secret, .connect = connect(), .force = force},
        {});
  }
  Status try_open(bool read_only = false) {
    directory_.reset();
    directory_ = TRY(VolumeDirectory::open(
        host(), kPath, {.read_only = read_only, .background = false, .connect = connect()}));
    return {};
  }
  void open(bool read_only = false) {
    const Status opened = try_open(read_only);
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
  }
  void crash() {
    directory_.reset();
    disk_.crash();
  }
  void close() {
    ASSERT_TRUE(directory_->close().ok());
    directory_.reset();
  }

  void write(const std::string& name, const std::string& text) {
    fs::LiveTree tree(directory_->volume());
    auto found = tree.lookup(kRootInode, name);
    const InodeId ino =
        found.ok() ? found->attr.ino
                   : tree.make_node({}, kRootInode, name, {.mode = 0644, .target = {}})->attr.ino;
    ASSERT_TRUE(tree.write(ino, 0, as_bytes(text), {}).ok());
    tree.forget(ino, 1);
    files_[name] = text;
  }
  void remove(const std::string& name) {
    fs::LiveTree tree(directory_->volume());
    ASSERT_TRUE(tree.unlink(kRootInode, name).ok());
    files_.erase(name);
  }
  Status commit() { return directory_->volume().commit(); }
  // All that is committed goes to the bucket.
  Status upload() {
    TieredBlocks& tiered = *directory_->tiered();
    const uint64_t last = tiered.last_batch();
    tiered.tier().uploader().flush();
    while (TRY(tiered.tier().uploader().step())) {
    }
    return tiered.shipper()->ship_up_to(last);
  }
  // Nothing of the past is kept.
  Status prune() {
    TRY(commit());
    TRY(directory_->keeper().prune(directory_->volume().committed()));
    return commit();
  }
  // The bucket is cleaned of what nobody needs, and its rows know of it.
  Status compact() {
    while (TRY(directory_->tiered()->compactor()->step())) {
    }
    return upload();
  }
  void expect_sound() {
    std::string found;
    keeper::CheckOptions options;
    options.deep = true;
    const auto checked = directory_->keeper().check(
        options, {}, [&](const keeper::Finding& finding) { found += finding.what + "\n"; });
    ASSERT_TRUE(checked.ok()) << checked.error().to_string();
    EXPECT_TRUE(checked->clean()) << found;
  }
  void evict_all() {
    std::vector<BlockId> blocks;
    ASSERT_TRUE(directory_->tiered()
                    ->tier()
                    .list([&](BlockId id, const block::BlockInfo&) {
                      blocks.push_back(id);
                      return true;
                    })
                    .ok());
    for (const BlockId block : blocks) (void)directory_->tiered()->tier().evict(block);
  }
  Result<std::string> read(const std::string& name) {
    fs::LiveTree tree(directory_->volume());
    const auto found = TRY(tree.lookup(kRootInode, name));
    std::string text(found.attr.size, '\0');
    const auto read = tree.read(found.attr.ino, 0, as_writable_bytes(text));
    tree.forget(found.attr.ino, 1);
    text.resize(TRY(read));
    return text;
  }
  void expect_files(const std::map<std::string, std::string>& files) {
    for (const auto& [name, text] : files) {
      const auto there = read(name);
      ASSERT_TRUE(there.ok()) << name << ": " << there.error().to_string();
      EXPECT_TRUE(*there == text) << name;
    }
  }

  const std::map<std::string, std::string>& files() const { return files_; }
  VolumeDirectory& directory() { return *directory_; }
  device::Host host() { return {disk_, clock_, random_}; }
  os::ManualClock& clock() { return clock_; }
  os::SimDisk& disk() { return disk_; }

 private:
  bucket::Bucket& bucket_;
  const uint64_t cache_bytes_;
  os::SimDisk disk_{7, 2 * kGiB};
  os::ManualClock clock_;
  os::SeededRandom random_;
  std::unique_ptr<VolumeDirectory> directory_;
  std::map<std::string, std::string> files_;
};

inline std::string noise(uint64_t seed, size_t size) {
  os::SeededRandom random(seed);
  std::string bytes;
  while (bytes.size() < size) bytes += static_cast<char>(random.next());
  return bytes;
}

}  // namespace nacre::node
