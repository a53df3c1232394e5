#include "block/objects.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "block/ordered_pipeline.h"
#include "os/mutex.h"
#include "os/thread.h"

namespace nacre::block {
namespace {

// Ids tried before a put is allowed to be degraded.
constexpr int kIds = 3;

using SharedBuffer = std::shared_ptr<const rpc::Buffer>;

SharedBuffer buffer_of(const std::string& text) {
  auto buffer = std::make_shared<rpc::Buffer>(text.size());
  std::memcpy(buffer->bytes().data(), text.data(), text.size());
  return buffer;
}

rpc::Buffer flat(const rpc::Payload& payload) {
  rpc::Buffer bytes(payload.size());
  MutableBytes left = bytes.bytes();
  for (const ByteView part : payload.parts) {
    std::memcpy(left.data(), part.data(), part.size());
    left = left.subspan(part.size());
  }
  return bytes;
}

Status give(const rpc::Payload& payload, const Objects::Sink& sink) {
  for (const ByteView part : payload.parts) TRY(sink(part));
  return {};
}

// Tells the nodes for as long as it lives that somebody puts the object, however slowly.
class SignsOfLife {
 public:
  SignsOfLife(ClusterBlocks& blocks, BlockId object, int64_t period_ns)
      : thread_("signs-of-life", [this, &blocks, object, period_ns] {
          const os::Lock lock(mutex_);
          while (!ended_) {
            blocks.keep(object);
            changed_.wait_for(mutex_, std::chrono::nanoseconds(period_ns));
          }
        }) {}
  ~SignsOfLife() {
    {
      const os::Lock lock(mutex_);
      ended_ = true;
      changed_.notify_all();
    }
    thread_.join();
  }
  SignsOfLife(const SignsOfLife&) = delete;
  SignsOfLife& operator=(const SignsOfLife&) = delete;

 private:
  os::Mutex mutex_;
  os::CondVar changed_;
  bool ended_ GUARDED_BY(mutex_) = false;
  os::Thread thread_;
};

// A part of an object that a get touches.
struct Slice {
  BlockId part = {};
  uint64_t part_bytes = 0;
  uint64_t offset = 0;  // within the part
  uint64_t length = 0;
};

}  // namespace

// Null at the end.
Result<SharedBuffer> Objects::next_part(const Source& source) const {
  rpc::Buffer buffer(options_.part_bytes);
  const size_t count = TRY(source(buffer.bytes()));
  if (count == 0) return SharedBuffer();
  if (count == buffer.size()) return std::make_shared<const rpc::Buffer>(std::move(buffer));
  auto cut = std::make_shared<rpc::Buffer>(count);
  std::memcpy(cut->bytes().data(), buffer.view().data(), count);
  return SharedBuffer(std::move(cut));
}

// A block that cannot be stored where chance has put it gets another id. Only when that does not
// help either may a fragment be missing.
Result<BlockId> Objects::put_block(codec::ErasureCode code, const SharedBuffer& block,
                                   const BlockWords& words) {
  for (int i = 1;; ++i) {
    const BlockId id = TRY(blocks_.choose_id(code));
    const bool last = i == kIds;
    const Status put =
        blocks_.put(id, block, words,
                    last ? ClusterBlocks::Degraded::kAllowed : ClusterBlocks::Degraded::kNever);
    if (put.ok()) return id;
    const bool elsewhere = is_out_of_reach(put.code()) || put.code() == Code::kNoSpace ||
                           put.code() == Code::kIo || put.code() == Code::kNotFound;
    if (last || !elsewhere) return put.error();
  }
}

Result<BlockId> Objects::put(codec::ErasureCode code, const Source& source) {
  SharedBuffer first = TRY(next_part(source));
  SharedBuffer second;
  if (first != nullptr && first->size() == options_.part_bytes) second = TRY(next_part(source));
  if (first != nullptr && second == nullptr) return put_block(code, first, {});
  // Every part names it, so that parts whose object never came to be are known for what they are.
  const BlockId object = TRY(blocks_.choose_id(code));
  const SignsOfLife signs(blocks_, object, options_.sign_of_life_ns);
  wire::Manifest manifest;
  if (first != nullptr) {
    manifest = TRY(put_parts(code, object, {std::move(first), std::move(second)}, source));
  }
  const Status put = put_manifest(object, manifest);
  if (put.ok()) return object;
  (void)remove_parts(manifest.parts);
  return put.error();
}

Result<wire::Manifest> Objects::put_parts(codec::ErasureCode code, BlockId object,
                                          std::vector<SharedBuffer> begun, const Source& source) {
  struct Stored {
    BlockId id = {};
    size_t bytes = 0;
  };
  wire::Manifest manifest{.part_bytes = options_.part_bytes};
  os::Mutex mutex;
  std::vector<BlockId> stored;  // in any order: what is to go when something fails
  size_t fed = 0;
  bool ended = false;
  const Feed<SharedBuffer> feed = [&]() -> Result<std::optional<SharedBuffer>> {
    if (ended) return std::optional<SharedBuffer>();
    SharedBuffer part =
        fed < begun.size() ? std::exchange(begun[fed], nullptr) : TRY(next_part(source));
    ++fed;
    // A short part is the last.
    ended = part == nullptr || part->size() < options_.part_bytes;
    if (part == nullptr) return std::optional<SharedBuffer>();
    return std::optional(std::move(part));
  };
  const Step<SharedBuffer, Stored> step = [&](const SharedBuffer& part) -> Result<Stored> {
    const BlockId id =
        TRY(put_block(code, part, {.kind = wire::BlockKind::kPart, .object = object}));
    const os::Lock lock(mutex);
    stored.push_back(id);
    return Stored{id, part->size()};
  };
  const Take<Stored> take = [&](const Stored& part) -> Status {
    if (manifest.parts.size() == wire::kMaxParts) {
      return Error(Code::kTooBig, fmt::format("an object has at most {} parts", wire::kMaxParts));
    }
    manifest.parts.push_back(part.id);
    manifest.object_bytes += part.bytes;
    return {};
  };
  const Status done = run_ordered(options_.parallel, feed, step, take);
  if (done.ok()) return manifest;
  (void)remove_parts(stored);
  return done.error();
}

// Under the id that the parts name.
Status Objects::put_manifest(BlockId object, const wire::Manifest& manifest) {
  const SharedBuffer block = buffer_of(wire::encode_manifest(manifest));
  const BlockWords words{.kind = wire::BlockKind::kManifest};
  return blocks_.put(object, block, words, ClusterBlocks::Degraded::kAllowed);
}

Result<wire::Manifest> Objects::read_manifest(BlockId id, ClusterBlocks::Start& start) {
  if (start.bytes.size() < start.note.block_bytes) {
    const uint64_t bytes = start.note.block_bytes;
    start.bytes = flat(TRY(blocks_.read(id, bytes, 0, bytes)));
  }
  return wire::decode_manifest(start.bytes.view());
}

Result<wire::Manifest> Objects::manifest_of(BlockId id) {
  ClusterBlocks::Start start = TRY(blocks_.read_start(id, options_.part_bytes));
  if (start.note.kind == wire::BlockKind::kManifest) return read_manifest(id, start);
  return Error(Code::kInvalid, "object " + to_hex(id) + " has no parts");
}

Status Objects::get(BlockId id, uint64_t offset, uint64_t length, const Sink& sink) {
  const uint64_t wanted = offset == 0 ? std::min<uint64_t>(length, options_.part_bytes) : 4096;
  ClusterBlocks::Start start = TRY(blocks_.read_start(id, std::max<uint64_t>(wanted, 4096)));
  const auto past_end = [&](uint64_t bytes) {
    return Error(Code::kOutOfRange, fmt::format("object {} has {} bytes", to_hex(id), bytes));
  };
  if (start.note.kind == wire::BlockKind::kManifest) {
    const wire::Manifest manifest = TRY(read_manifest(id, start));
    if (offset > manifest.object_bytes) return past_end(manifest.object_bytes);
    return get_parts(manifest, offset, std::min(length, manifest.object_bytes - offset), sink);
  }
  const uint64_t bytes = start.note.block_bytes;
  if (offset > bytes) return past_end(bytes);
  length = std::min(length, bytes - offset);
  if (offset + length <= start.bytes.size()) {
    return sink(start.bytes.view().subspan(offset, length));
  }
  return give(TRY(blocks_.read(id, bytes, offset, length)), sink);
}

Status Objects::get_parts(const wire::Manifest& manifest, uint64_t offset, uint64_t length,
                          const Sink& sink) {
  const uint64_t end = offset + length;
  uint64_t at = offset;
  const Feed<Slice> feed = [&]() -> Result<std::optional<Slice>> {
    if (at == end) return std::optional<Slice>();
    const uint64_t unit = manifest.part_bytes;
    const uint64_t number = at / unit;
    const uint64_t begins = number * unit;
    Slice slice{.part = manifest.parts[number],
                .part_bytes = std::min(unit, manifest.object_bytes - begins),
                .offset = at - begins};
    slice.length = std::min(end - at, slice.part_bytes - slice.offset);
    at += slice.length;
    return std::optional(slice);
  };
  const Step<Slice, rpc::Payload> step = [&](const Slice& slice) {
    return blocks_.read(slice.part, slice.part_bytes, slice.offset, slice.length);
  };
  const Take<rpc::Payload> take = [&](const rpc::Payload& bytes) { return give(bytes, sink); };
  const uint64_t parts = length / std::max(manifest.part_bytes, 1u) + 1;
  return run_ordered(static_cast<unsigned>(std::min<uint64_t>(options_.parallel, parts)), feed,
                     step, take);
}

Result<ObjectStatus> Objects::query(BlockId id) {
  ObjectStatus status{.first = TRY(blocks_.query(id))};
  if (status.first.note.kind != wire::BlockKind::kManifest) {
    status.bytes = status.first.note.block_bytes;
    return status;
  }
  ClusterBlocks::Start start{.note = status.first.note};
  wire::Manifest manifest = TRY(read_manifest(id, start));
  status.bytes = manifest.object_bytes;
  status.part_bytes = manifest.part_bytes;
  status.parts = std::move(manifest.parts);
  return status;
}

// The manifest goes last: as long as it is there, a delete that was cut off can be done again.
Status Objects::remove(BlockId id) {
  Result<ClusterBlocks::Start> start = blocks_.read_start(id, options_.part_bytes);
  if (!start.ok() && start.code() == Code::kNotFound) return blocks_.remove(id);
  if (!start.ok()) return start.error();
  if (start->note.kind == wire::BlockKind::kPart) {
    return Error(Code::kInvalid,
                 fmt::format("{} is a part of an object; delete the object", to_hex(id)));
  }
  if (start->note.kind == wire::BlockKind::kManifest) {
    TRY(remove_parts(TRY(read_manifest(id, *start)).parts));
  }
  return blocks_.remove(id);
}

Status Objects::remove_parts(const std::vector<BlockId>& parts) {
  size_t next = 0;
  const Feed<BlockId> feed = [&]() -> Result<std::optional<BlockId>> {
    if (next == parts.size()) return std::optional<BlockId>();
    return std::optional(parts[next++]);
  };
  const Step<BlockId, bool> step = [&](BlockId part) -> Result<bool> {
    TRY(blocks_.remove(part));
    return true;
  };
  return run_ordered<BlockId, bool>(options_.parallel, feed, step, [](bool) { return Status(); });
}

}  // namespace nacre::block
