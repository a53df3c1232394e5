#include "tier/destruction.h"

#include <array>

#include "os/mutex.h"
#include "os/thread.h"
#include "wire/bucket_names.h"

namespace nacre::tier {
namespace {

constexpr unsigned kThreads = 8;  // requests under way
// A listing may lack what was put last, and name what is gone.
constexpr int kListings = 3;

// In this order.
enum Stage { kManifests, kData, kEpochs, kDescriptors, kStages };

Stage stage_of(wire::ObjectKind kind) {
  switch (kind) {
    case wire::ObjectKind::kCheckpointManifest:
      return kManifests;
    case wire::ObjectKind::kEpoch:
      return kEpochs;
    case wire::ObjectKind::kVolume:
      return kDescriptors;
    default:
      return kData;
  }
}

struct Listing {
  std::array<std::vector<std::string>, kStages> own;
  std::vector<std::string> foreign;

  uint64_t own_count() const {
    uint64_t count = 0;
    for (const auto& names : own) count += names.size();
    return count;
  }
};

Result<Listing> list_all(bucket::Bucket& bucket) {
  Listing found;
  TRY(bucket.list("", [&](const bucket::ObjectInfo& object) {
    const auto name = wire::parse_object_name(object.key);
    (name ? found.own[stage_of(name->kind)] : found.foreign).push_back(object.key);
    return true;
  }));
  return found;
}

// Removes names on several threads, up to the first failure.
class Removal {
 public:
  Removal(bucket::Bucket& bucket, std::function<void()> removed)
      : bucket_(bucket), removed_(std::move(removed)) {}

  Status run(const std::vector<std::string>& names) {
    {
      std::array<os::Thread, kThreads> threads;
      for (os::Thread& thread : threads) {
        thread = os::Thread("nacre-remove", [&] { work(names); });
      }
    }
    const os::Lock lock(mutex_);
    next_ = 0;
    return failed_;
  }

 private:
  void work(const std::vector<std::string>& names) {
    for (;;) {
      size_t at = 0;
      {
        const os::Lock lock(mutex_);
        if (!failed_.ok() || next_ == names.size()) return;
        at = next_++;
      }
      Status removed = bucket_.remove(names[at]);
      const os::Lock lock(mutex_);
      if (removed.ok()) {
        removed_();
      } else {
        failed_ = std::move(removed);
      }
    }
  }

  bucket::Bucket& bucket_;
  const std::function<void()> removed_;
  os::Mutex mutex_;  // held while `removed` is called
  size_t next_ GUARDED_BY(mutex_) = 0;
  Status failed_ GUARDED_BY(mutex_);
};

}  // namespace

Result<EmptiedBucket> empty_bucket(bucket::Bucket& bucket, bool has_volume,
                                   const std::function<Status()>& may_go_on,
                                   const std::function<void(uint64_t, uint64_t)>& progress) {
  EmptiedBucket emptied;
  Listing found = TRY(list_all(bucket));
  emptied.foreign = found.foreign;
  if (!has_volume) return emptied;
  uint64_t total = found.own_count();
  Removal removal(bucket, [&] {
    ++emptied.objects;
    if (progress) progress(emptied.objects, total);
  });
  for (int listing = 1;; ++listing) {
    TRY(removal.run(found.own[kManifests]));
    TRY(may_go_on());
    TRY(removal.run(found.own[kData]));
    const bool found_any = !found.own[kManifests].empty() || !found.own[kData].empty();
    if (!found_any || listing == kListings) break;
    found = TRY(list_all(bucket));
    total = emptied.objects + found.own_count();
  }
  TRY(removal.run(found.own[kEpochs]));
  TRY(removal.run(found.own[kDescriptors]));
  return emptied;
}

}  // namespace nacre::tier
