#include "os/sim_disk.h"

#include <algorithm>
#include <limits>
#include <set>

#include "base/check.h"
#include "os/mutex.h"
#include "os/random.h"
#include "os/sim_namespace.h"

namespace nacre::os {
namespace {

constexpr uint64_t kMaxOffset = std::numeric_limits<int64_t>::max();

Error power_is_off(const std::string& what) {
  return Error(Code::kIo, what + ": the power is off");
}

Error named(const char* operation, const Error& error) {
  return Error(error.code(), std::string(operation) + " " + error.context());
}

}  // namespace

// Shared by the disk and its handles, which may outlive it.
struct SimDisk::State {
  State(uint64_t seed, uint64_t capacity) : random(seed), capacity_bytes(capacity) {}

  // Guards everything, the nodes too. Nothing else is locked under it but the random numbers.
  Mutex mutex;
  SeededRandom random GUARDED_BY(mutex);
  SimNamespace names GUARDED_BY(mutex);
  uint64_t capacity_bytes GUARDED_BY(mutex);
  uint64_t used_bytes GUARDED_BY(mutex) = 0;
  uint64_t operations GUARDED_BY(mutex) = 0;
  uint64_t strike_at GUARDED_BY(mutex) = 0;  // the operation that an armed crash strikes; 0: none
  bool down GUARDED_BY(mutex) = false;
  uint64_t crashes GUARDED_BY(mutex) = 0;  // handles and locks of earlier lives are dead
  std::set<const SimNode*> locked GUARDED_BY(mutex);

  // Counts an operation, and fails it if the armed crash strikes here. Called when a change is done
  // (it is pending, so it may survive) but before a sync takes effect.
  Status count(const std::string& what) REQUIRES(mutex) {
    ++operations;
    if (operations != strike_at) return {};
    down = true;
    return power_is_off(what);
  }

  Status check_power(const std::string& what) REQUIRES(mutex) {
    if (down) return power_is_off(what);
    return {};
  }

  bool has_room(const SimFileContent& content, uint64_t offset, uint64_t length) REQUIRES(mutex) {
    if (length > used_bytes + capacity_bytes) return false;  // too long to look at piece by piece
    const uint64_t growth = content.growth_bytes(offset, length);
    return growth == 0 || used_bytes + growth <= capacity_bytes;
  }

  // Counts out the content of a file that has no name and no handle any more.
  void release_if_unused(const SimNode& node) REQUIRES(mutex) {
    if (node.links == 0 && node.handles == 0) used_bytes -= node.content.allocated_bytes();
  }

  Result<SimNodeRef> create(const std::string& path, bool directory) REQUIRES(mutex) {
    SimNodeRef node = TRY(names.create(path, directory));
    TRY(count("create " + path));
    return node;
  }

  Result<SimNodeRef> find_file(const std::string& path) REQUIRES(mutex) {
    SimNodeRef node = TRY(names.find(path));
    if (node->is_directory) return Error(Code::kIsDirectory, path);
    return node;
  }

  Result<SimNodeRef> find_or_create_file(const std::string& path) REQUIRES(mutex) {
    auto found = find_file(path);
    if (found.ok() || found.code() != Code::kNotFound) return found;
    return create(path, false);
  }
};

class SimDisk::SimFile final : public File {
 public:
  // The caller holds the state's mutex.
  SimFile(std::shared_ptr<State> state, SimNodeRef node, std::string path, bool writable,
          uint64_t life)
      : state_(std::move(state)),
        node_(std::move(node)),
        path_(std::move(path)),
        writable_(writable),
        life_(life) {
    ++node_->handles;
  }

  ~SimFile() override {
    const Lock lock(state_->mutex);
    if (life_ != state_->crashes) return;
    --node_->handles;
    state_->release_if_unused(*node_);
  }

  Result<size_t> read_at(uint64_t offset, MutableBytes into) override {
    const Lock lock(state_->mutex);
    TRY(check_alive("read"));
    const SimFileContent& content = node_->content;
    if (offset >= content.size()) return size_t{0};
    const uint64_t count = std::min<uint64_t>(into.size(), content.size() - offset);
    for (const SimNode::Range& bad : node_->unreadable) {
      if (offset < bad.offset + bad.length && bad.offset < offset + count) {
        return Error(Code::kIo, "read " + path_ + ": unreadable medium");
      }
    }
    content.read(offset, into.first(count));
    return size_t{count};
  }

  Status write_at(uint64_t offset, ByteView data) override {
    return write_parts_at(offset, {&data, 1});
  }

  Status write_parts_at(uint64_t offset, std::span<const ByteView> parts) override {
    uint64_t length = 0;
    for (const ByteView part : parts) length += part.size();
    return change("write", offset, length, [&](SimFileContent& content) {
      if (length > 0) content.write(offset, parts);
    });
  }

  Status sync() override {
    const Lock lock(state_->mutex);
    TRY(check_alive("sync"));
    TRY(state_->count("sync " + path_));
    node_->content.sync();
    return {};
  }

  void start_writeback(uint64_t, uint64_t) override {}

  Status allocate(uint64_t offset, uint64_t length) override {
    return change("allocate", offset, length, [&](SimFileContent& content) {
      if (length > 0) content.allocate(offset, length);
    });
  }

  Status truncate(uint64_t size) override {
    return change("truncate", size, 0, [&](SimFileContent& content) { content.truncate(size); });
  }

  Result<uint64_t> size() override {
    const Lock lock(state_->mutex);
    TRY(check_alive("size of"));
    return node_->content.size();
  }

 private:
  Status check_alive(const char* operation) REQUIRES(state_->mutex) {
    if (!state_->down && life_ == state_->crashes) return {};
    return power_is_off(std::string(operation) + " " + path_);
  }

  // Makes a change that needs space for the range, if there is room.
  template <class Apply>
  Status change(const char* operation, uint64_t offset, uint64_t length, Apply apply) {
    const Lock lock(state_->mutex);
    const std::string what = std::string(operation) + " " + path_;
    TRY(check_alive(operation));
    if (!writable_) return Error(Code::kIo, what + ": open for reading only");
    if (offset > kMaxOffset || length > kMaxOffset - offset) return Error(Code::kTooBig, what);
    SimFileContent& content = node_->content;
    if (!state_->has_room(content, offset, length)) return Error(Code::kNoSpace, what);
    state_->used_bytes -= content.allocated_bytes();
    apply(content);
    state_->used_bytes += content.allocated_bytes();
    Status counted = state_->count(what);
    if (!counted.ok()) content.tear_latest_change();
    return counted;
  }

  const std::shared_ptr<State> state_;
  const SimNodeRef node_;
  const std::string path_;
  const bool writable_;
  const uint64_t life_;
};

class SimDisk::SimLock final : public FileLock {
 public:
  SimLock(std::shared_ptr<State> state, SimNodeRef node, uint64_t life)
      : state_(std::move(state)), node_(std::move(node)), life_(life) {}
  ~SimLock() override {
    const Lock lock(state_->mutex);
    if (life_ == state_->crashes) state_->locked.erase(node_.get());
  }

 private:
  const std::shared_ptr<State> state_;
  const SimNodeRef node_;  // kept, so that no other node gets its address
  const uint64_t life_;
};

SimDisk::SimDisk(uint64_t seed, uint64_t capacity_bytes)
    : state_(std::make_shared<State>(seed, capacity_bytes)) {}
SimDisk::~SimDisk() = default;

Result<std::unique_ptr<File>> SimDisk::open(const std::string& path, OpenMode mode) {
  const Lock lock(state_->mutex);
  TRY(state_->check_power("open " + path));
  auto node = mode == OpenMode::kCreateNew ? state_->create(path, false)
              : mode == OpenMode::kCreate  ? state_->find_or_create_file(path)
                                           : state_->find_file(path);
  if (!node.ok()) return named("open", node.error());
  return std::unique_ptr<File>(std::make_unique<SimFile>(state_, node.take(), path,
                                                         mode != OpenMode::kRead, state_->crashes));
}

Result<std::vector<std::string>> SimDisk::list(const std::string& path) {
  const Lock lock(state_->mutex);
  TRY(state_->check_power("list " + path));
  const auto node = state_->names.find(path);
  if (!node.ok()) return named("list", node.error());
  if (!(*node)->is_directory) return Error(Code::kNotDirectory, "list " + path);
  std::vector<std::string> names;
  for (const auto& [name, child] : (*node)->entries) names.push_back(name);
  return names;
}

Status SimDisk::create_directories(const std::string& path) {
  const Lock lock(state_->mutex);
  TRY(state_->check_power("create directory " + path));
  for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string prefix = path.substr(0, end);
    const auto found = state_->names.find(prefix);
    if (!found.ok()) {
      const auto made = state_->create(prefix, true);
      if (!made.ok()) return named("create directory", made.error());
    } else if (!(*found)->is_directory) {
      const bool last = end == std::string::npos;
      return Error(last ? Code::kExists : Code::kNotDirectory, "create directory " + path);
    }
    if (end == std::string::npos) return {};
  }
}

Status SimDisk::remove_file(const std::string& path) {
  const Lock lock(state_->mutex);
  TRY(state_->check_power("remove " + path));
  const auto removed = state_->names.remove_file(path);
  if (!removed.ok()) return named("remove", removed.error());
  state_->release_if_unused(**removed);
  return state_->count("remove " + path);
}

Status SimDisk::remove_directory(const std::string& path) {
  const Lock lock(state_->mutex);
  TRY(state_->check_power("remove directory " + path));
  const Status removed = state_->names.remove_directory(path);
  if (!removed.ok()) return named("remove directory", removed.error());
  return state_->count("remove directory " + path);
}

Status SimDisk::rename(const std::string& from, const std::string& to) {
  const Lock lock(state_->mutex);
  TRY(state_->check_power("rename " + from));
  const auto replaced = state_->names.rename(from, to);
  if (!replaced.ok()) return named("rename", replaced.error());
  if (*replaced) state_->release_if_unused(**replaced);
  return state_->count("rename " + from);
}

Status SimDisk::link(const std::string& from, const std::string& to) {
  const Lock lock(state_->mutex);
  TRY(state_->check_power("link " + from));
  const Status linked = state_->names.link(from, to);
  if (!linked.ok()) return named("link", linked.error());
  return state_->count("link " + from);
}

Status SimDisk::sync_directory(const std::string& path) {
  const Lock lock(state_->mutex);
  TRY(state_->check_power("sync directory " + path));
  TRY(state_->count("sync directory " + path));
  const Status synced = state_->names.sync_directory(path);
  if (!synced.ok()) return named("sync directory", synced.error());
  return {};
}

Result<PathKind> SimDisk::kind(const std::string& path) {
  const Lock lock(state_->mutex);
  TRY(state_->check_power("stat " + path));
  const auto node = state_->names.find(path);
  if (node.ok()) return (*node)->is_directory ? PathKind::kDirectory : PathKind::kFile;
  if (node.code() == Code::kNameTooLong) return named("stat", node.error());
  return PathKind::kMissing;
}

Result<HostSpace> SimDisk::space(const std::string& path) {
  const Lock lock(state_->mutex);
  TRY(state_->check_power("free space of " + path));
  const auto node = state_->names.find(path);
  if (!node.ok()) return named("free space of", node.error());
  const uint64_t used = std::min(state_->used_bytes, state_->capacity_bytes);
  return HostSpace{.total_bytes = state_->capacity_bytes,
                   .free_bytes = state_->capacity_bytes - used};
}

Result<std::unique_ptr<FileLock>> SimDisk::lock(const std::string& path) {
  const Lock lock(state_->mutex);
  TRY(state_->check_power("lock " + path));
  auto node = state_->find_or_create_file(path);
  if (!node.ok()) return named("open lock", node.error());
  if (!state_->locked.insert(node->get()).second) {
    return Error(Code::kBusy, "lock " + path + ": already in use");
  }
  return std::unique_ptr<FileLock>(std::make_unique<SimLock>(state_, node.take(), state_->crashes));
}

void SimDisk::crash() {
  const Lock lock(state_->mutex);
  ++state_->crashes;
  state_->down = false;
  state_->strike_at = 0;
  state_->locked.clear();
  state_->used_bytes = 0;
  static constexpr uint64_t kSurvivalPercents[] = {0, 15, 50, 85, 100};
  const uint64_t percent = kSurvivalPercents[state_->random.next() % std::size(kSurvivalPercents)];
  state_->names.crash(state_->random, [&](SimNode& file) NO_THREAD_SAFETY_ANALYSIS {
    file.content.crash(state_->random, percent);
    state_->used_bytes += file.content.allocated_bytes();
  });
}

void SimDisk::crash_after(uint64_t operations) {
  CHECK(operations > 0);
  const Lock lock(state_->mutex);
  state_->strike_at = state_->operations + operations;
}

bool SimDisk::is_down() const {
  const Lock lock(state_->mutex);
  return state_->down;
}

uint64_t SimDisk::operations() const {
  const Lock lock(state_->mutex);
  return state_->operations;
}

Status SimDisk::rot(const std::string& path, uint64_t offset) {
  const Lock lock(state_->mutex);
  const auto node = state_->find_file(path);
  if (!node.ok()) return named("rot", node.error());
  SimFileContent& content = (*node)->content;
  if (offset >= content.durable_size()) return Error(Code::kOutOfRange, "rot " + path);
  state_->used_bytes -= content.allocated_bytes();
  content.rot(offset, static_cast<unsigned>(state_->random.next() % 8));
  state_->used_bytes += content.allocated_bytes();  // a hole that rots is one no more
  return {};
}

void SimDisk::fail_reads(const std::string& path, uint64_t offset, uint64_t length) {
  const Lock lock(state_->mutex);
  const auto node = state_->find_file(path);
  CHECK(node.ok());
  (*node)->unreadable.push_back(
      {offset, std::min(length, kMaxOffset - std::min(offset, kMaxOffset))});
}

void SimDisk::set_capacity(uint64_t capacity_bytes) {
  const Lock lock(state_->mutex);
  state_->capacity_bytes = capacity_bytes;
}

}  // namespace nacre::os
