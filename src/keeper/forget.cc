#include "keeper/forget.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "keeper/patient_upkeep.h"
#include "meta/types.h"

namespace nacre::keeper {

namespace {

constexpr uint64_t kRowsPerStep = 5'000;

class Forgetting {
 public:
  Forgetting(fs::Volume& volume, InodeId ino, const ForgetOptions& options,
             const std::function<bool(const Forgotten&)>& go_on)
      : volume_(volume), ino_(ino), options_(options), go_on_(go_on) {}

  Result<Forgotten> run(Compactor& compactor) {
    TRY(volume_.commit());
    TRY(look());
    Status erased = erase_rows();
    TRY(free_blocks(compactor));  // of what was erased, even if it is not all
    TRY(std::move(erased));
    return done_;
  }

 private:
  using Visitor =
      std::function<Status(meta::CommitBuilder&, std::string_view key, std::string_view value)>;

  Status look() {
    const std::string key = wire::inode_key(ino_);
    const auto live = TRY(volume_.rows().get(kv::Family::kLive, key));
    alive_ = live.has_value();
    std::string value = live.value_or("");
    if (!alive_) {
      const auto past = volume_.rows().iterate(kv::Family::kPast, kv::prefix_range(key));
      past->seek_to_first();
      TRY(past->status());
      if (!past->valid()) return Error(Code::kNotFound, "no such inode, now or in history");
      value = past->value();
    }
    const auto row = wire::decode_inode(value);
    if (row.ok() && row->type == static_cast<uint8_t>(meta::FileType::kDirectory)) {
      return Code::kIsDirectory;
    }
    return {};
  }

  Status erase_rows() {
    // First of all old views stop looking at the content.
    TRY(walk(wire::inode_key(ino_), [this](auto& builder, auto key, auto value) {
      return forget_version(builder, key, value);
    }));
    TRY(walk(wire::extent_prefix(ino_), [this](auto& builder, auto key, auto value) {
      return forget_extent(builder, key, value);
    }));
    TRY(walk(wire::xattr_prefix(ino_),
             [](auto& builder, auto key, auto value) { return builder.drop_past(key, value); }));
    return options_.whole ? forget_names() : Status();
  }

  // Every past row whose key starts so, a batch at a time.
  Status walk(const std::string& prefix, const Visitor& visit) {
    std::string from = prefix;
    for (bool more = true; more;) {
      const Forgotten before = done_;
      std::string next;
      TRY(patient_upkeep(volume_, [&](meta::CommitBuilder& builder) -> Status {
            done_ = before;
            more = false;
            uint64_t seen = 0;
            const auto rows =
                volume_.rows().iterate(kv::Family::kPast, {from, kv::prefix_end(prefix)});
            for (rows->seek_to_first(); rows->valid(); rows->next()) {
              if (seen++ == kRowsPerStep) {
                next = rows->key();
                more = true;
                return {};
              }
              TRY(visit(builder, rows->key(), rows->value()));
            }
            return rows->status();
          }).status);
      from = next;
      if (go_on_ && !go_on_(done_)) return Error(Code::kBusy, "stopped: ask again to finish");
    }
    return {};
  }

  Status forget_version(meta::CommitBuilder& builder, std::string_view key,
                        std::string_view value) {
    ++done_.versions;
    auto row = wire::decode_inode(value);
    if (!row.ok() || (options_.whole && !alive_)) {
      builder.mend(kv::Family::kPast, std::string(key), std::nullopt);
      return {};
    }
    row->size = row->allocated_bytes = 0;
    row->target.clear();
    row->flags = 0;
    builder.mend(kv::Family::kPast, std::string(key), wire::encode(*row));
    return {};
  }

  Status forget_extent(meta::CommitBuilder& builder, std::string_view key, std::string_view value) {
    ++done_.extents;
    const auto row = wire::decode_extent(value);
    if (!row.ok()) {
      builder.mend(kv::Family::kPast, std::string(key), std::nullopt);
      return {};
    }
    if (row->kind == wire::ExtentKind::kBlock && !blocks_.contains(row->block)) {
      const auto stored = TRY(volume_.rows().get(kv::Family::kBlocks, wire::block_key(row->block)));
      const auto block = wire::decode_block(stored.value_or(""));
      blocks_[row->block] = block.ok() ? block->stored_bytes : 0;
    }
    return builder.drop_past(key, value);
  }

  Status forget_names() {
    const std::string all(1, static_cast<char>(wire::RowKind::kDentry));
    return walk(all, [this](auto& builder, auto key, auto value) -> Status {
      const auto row = wire::decode_dentry(value);
      if (!row.ok() || row->ino != ino_ || TRY(has_next_slot(key))) return {};
      ++done_.names;
      return builder.drop_past(key, value);
    });
  }

  // Names of one hash are found by walking their slots: one that others stand behind must stay.
  Result<bool> has_next_slot(std::string_view past_key) {
    const auto past = TRY(wire::decode_past_key(past_key));
    const auto entry = TRY(wire::decode_live_key(past.live_key));
    if ((entry.position + 1) % wire::kCookieSlots == 0) return false;
    const std::string next = wire::dentry_key(entry.ino, entry.position + 1);
    if (TRY(volume_.rows().get(kv::Family::kLive, next))) return true;
    const auto rows = volume_.rows().iterate(kv::Family::kPast, kv::prefix_range(next));
    rows->seek_to_first();
    TRY(rows->status());
    return rows->valid();
  }

  // Blocks without any reference left went with the rows; others are rewritten.
  Status free_blocks(Compactor& compactor) {
    std::vector<BlockId> left;
    for (const auto& [block, bytes] : blocks_) {
      if (TRY(volume_.rows().get(kv::Family::kBlocks, wire::block_key(block)))) {
        left.push_back(block);
      } else {
        ++done_.blocks_freed;
        done_.bytes_freed += bytes;
      }
    }
    const auto rewritten = TRY(compactor.rewrite(left));
    done_.blocks_freed += rewritten.blocks_freed;
    done_.bytes_freed +=
        rewritten.bytes_freed - std::min(rewritten.bytes_freed, rewritten.bytes_written);
    done_.damaged = rewritten.damaged;
    for (const std::string& prefix :
         {wire::inode_key(ino_), wire::extent_prefix(ino_), wire::xattr_prefix(ino_)}) {
      TRY(volume_.rows().compact(kv::Family::kPast, kv::prefix_range(prefix)));
    }
    const block::Space space = volume_.blocks().space();
    TRY(volume_.blocks().clean(space.used_bytes - std::min(space.used_bytes, space.live_bytes)));
    return {};
  }

  fs::Volume& volume_;
  const InodeId ino_;
  const ForgetOptions options_;
  const std::function<bool(const Forgotten&)>& go_on_;
  bool alive_ = false;
  Forgotten done_;
  std::map<BlockId, uint64_t> blocks_;  // that held forgotten bytes, and their sizes
};

}  // namespace

Result<Forgotten> forget(fs::Volume& volume, Compactor& compactor, InodeId ino,
                         const ForgetOptions& options,
                         const std::function<bool(const Forgotten&)>& go_on) {
  return Forgetting(volume, ino, options, go_on).run(compactor);
}

}  // namespace nacre::keeper
