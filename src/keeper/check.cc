#include "keeper/check.h"

#include <algorithm>

#include "keeper/check_run.h"

namespace nacre::keeper {

std::string_view name_of(FindingKind kind) {
  switch (kind) {
    case FindingKind::kUndecodable:
      return "undecodable";
    case FindingKind::kState:
      return "state";
    case FindingKind::kFutureRow:
      return "future-row";
    case FindingKind::kHistoryOrder:
      return "history-order";
    case FindingKind::kHistoryUnguarded:
      return "history-unguarded";
    case FindingKind::kHistoryLeft:
      return "history-left";
    case FindingKind::kFeed:
      return "feed";
    case FindingKind::kNameTarget:
      return "name-target";
    case FindingKind::kNamePlace:
      return "name-place";
    case FindingKind::kNameType:
      return "name-type";
    case FindingKind::kLinkCount:
      return "link-count";
    case FindingKind::kParentPointer:
      return "parent-pointer";
    case FindingKind::kUnreachable:
      return "unreachable";
    case FindingKind::kDirectoryLoop:
      return "directory-loop";
    case FindingKind::kDirectorySize:
      return "directory-size";
    case FindingKind::kInode:
      return "inode";
    case FindingKind::kOrphan:
      return "orphan";
    case FindingKind::kExtentPlace:
      return "extent-place";
    case FindingKind::kExtentOwner:
      return "extent-owner";
    case FindingKind::kAllocated:
      return "allocated";
    case FindingKind::kAttributeFlag:
      return "attribute-flag";
    case FindingKind::kAcl:
      return "acl";
    case FindingKind::kOwnerRow:
      return "owner-row";
    case FindingKind::kBlockCounts:
      return "block-counts";
    case FindingKind::kBlockMissing:
      return "block-missing";
    case FindingKind::kBlockDamaged:
      return "block-damaged";
    case FindingKind::kBlockUnowned:
      return "block-unowned";
    case FindingKind::kRowStore:
      return "row-store";
    case FindingKind::kCounter:
      return "counter";
    case FindingKind::kFingerprint:
      return "fingerprint";
    case FindingKind::kPack:
      return "pack";
  }
  return "unknown";
}

namespace {

// A block that is being stored now belongs to the commit that follows: those stored before a commit
// began have their rows after it.
Status look_at_one_moment(CheckRun& run) {
  TRY(run.volume.blocks().list([&](BlockId block, const block::BlockInfo& info) {
    run.stored.emplace_back(block, info.logical_bytes);
    return true;
  }));
  std::sort(run.stored.begin(), run.stored.end());
  TRY(run.volume.commit());
  run.at = run.rows.snapshot();
  const auto state = TRY(run.rows.get(kv::Family::kVolume, wire::kStateKey, run.at.get()));
  if (!state) return Error(Code::kCorrupt, "the state row is missing");
  run.state = TRY(wire::decode_state(*state));
  return {};
}

Status mend_exclusively(CheckRun& run) {
  const auto body = [&run] { return mend(run.volume, run.mending); };
  return run.options.exclusively ? run.options.exclusively(body) : body();
}

Status run_stages(CheckRun& run) {
  for (const auto stage :
       {check_volume_rows, check_inodes, check_names, check_tree, check_extents, check_attributes,
        check_past, check_feed, check_counters, check_books, check_stored}) {
    TRY(stage(run));
  }
  return run.options.deep ? check_bytes(run) : Status();
}

}  // namespace

Result<CheckSummary> check(fs::Volume& volume, const CheckOptions& options,
                           const CheckProgress& progress, const CheckReport& report) {
  if (options.repair && volume.settings().read_only) {
    return Error(Code::kReadOnly, "to repair, open the volume for writing");
  }
  CheckRun run(volume, options, progress, report);
  TRY(look_at_one_moment(run));
  if (auto checked = run_stages(run); !checked.ok()) {
    if (checked.code() != Code::kCorrupt) return std::move(checked).error();
    // What comes after the damage was not seen: nothing may be concluded from that.
    run.error(FindingKind::kRowStore, "the row store", checked.error().to_string());
    if (options.repair) return std::move(checked).error();
    return run.summary;
  }
  if (options.repair) TRY(mend_exclusively(run));
  return run.summary;
}

}  // namespace nacre::keeper
