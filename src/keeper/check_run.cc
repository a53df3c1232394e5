#include "keeper/check_run.h"

#include <fmt/format.h>

#include "codec/checksum.h"

namespace nacre::keeper {

namespace {

constexpr uint64_t kRowsPerProgress = 1024;
constexpr uint64_t kPathsTold =
    1'000;  // finding a path costs reads: after so many, numbers must do
constexpr size_t kDeepestPath = 1'000;

}  // namespace

void CheckRun::found(Severity severity, FindingKind kind, std::string where, std::string what,
                     bool repairable) {
  const bool repaired = repairable && options.repair;
  ++(severity == Severity::kError ? summary.errors : summary.warnings);
  if (repaired) ++summary.repaired;
  if (report) report({severity, kind, std::move(what), std::move(where), repairable, repaired});
}

Status CheckRun::each(std::string_view stage, kv::Family family, const kv::Range& range,
                      const RowVisitor& visit) {
  uint64_t done = 0;
  const auto all = rows.iterate(family, range, at.get());
  for (all->seek_to_first(); all->valid(); all->next()) {
    if (done % kRowsPerProgress == 0 && progress && !progress({stage, done, 0})) {
      return Error(Code::kBusy, "the check was stopped");
    }
    ++done;
    TRY(visit(all->key(), all->value()));
  }
  return all->status();
}

void CheckRun::check_begin(std::string_view key, Sequence begin) {
  if (begin.value != 0 && begin <= state.committed) return;
  error(FindingKind::kFutureRow, describe_key(key),
        fmt::format("it was written by commit {}, and the last one was {}", begin.value,
                    state.committed.value));
}

void CheckRun::saw_inode(InodeId ino) {
  constexpr uint64_t kCounterBits = (uint64_t{1} << 51) - 1;
  highest_inode = std::max(highest_inode, ino.value & kCounterBits);
}

std::string CheckRun::path_of(InodeId ino) {
  std::string path;
  for (size_t depth = 0; ino != kRootInode; ++depth) {
    if (depth == kDeepestPath) return {};  // a loop, most likely
    const InodeFacts* facts = inodes.find(ino);
    if (facts == nullptr || facts->names == 0) return {};
    const auto dentry =
        rows.get(kv::Family::kLive, wire::dentry_key(facts->named_in, facts->cookie), at.get());
    if (!dentry.ok() || !*dentry) return {};
    const auto row = wire::decode_dentry(**dentry);
    if (!row.ok()) return {};
    path.insert(0, "/" + row->name);
    ino = facts->named_in;
  }
  return path.empty() ? "/" : path;
}

std::string CheckRun::describe(InodeId ino) {
  std::string text = fmt::format("inode {}", ino.value);
  if (paths_told_ >= kPathsTold) return text;
  ++paths_told_;
  if (const std::string path = path_of(ino); !path.empty()) text += " (" + path + ")";
  return text;
}

std::string CheckRun::describe_name(InodeId parent, std::string_view name) {
  return fmt::format("entry '{}' of {}", name, describe(parent));
}

std::string describe_key(std::string_view key) {
  std::string text = "row ";
  for (const char byte : key) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

std::string describe_block(BlockId block) { return "block " + to_hex(block); }

uint64_t mix_of(const wire::OwnerKey& owner, const wire::OwnerRow& range) {
  const uint64_t fields[] = {owner.ino.value, owner.offset, owner.begin.value, range.block_offset,
                             range.length};
  return codec::xxh64(std::as_bytes(std::span(fields)));
}

void tally_extent(CheckRun& run, InodeId ino, uint64_t offset, const wire::ExtentRow& row) {
  if (row.kind != wire::ExtentKind::kBlock) return;
  BlockTally& tally = run.blocks[row.block].extents;
  ++tally.references;
  tally.bytes += row.length;
  tally.mix += mix_of({row.block, ino, offset, row.begin}, {row.block_offset, row.length});
}

}  // namespace nacre::keeper
