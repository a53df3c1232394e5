// One run of check(): what all its stages share. Each stage is a function of its own file, in the
// order of check.cc.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "keeper/check.h"
#include "keeper/check_facts.h"
#include "keeper/mending.h"
#include "wire/rows.h"
#include "wire/tier_rows.h"

namespace nacre::keeper {

struct CheckRun {
  CheckRun(fs::Volume& volume_checked, const CheckOptions& options_given,
           const CheckProgress& progress_given, const CheckReport& report_given)
      : volume(volume_checked),
        rows(volume_checked.rows()),
        options(options_given),
        progress(progress_given),
        report(report_given) {}

  fs::Volume& volume;
  kv::Store& rows;
  const CheckOptions& options;
  const CheckProgress& progress;
  const CheckReport& report;
  std::unique_ptr<kv::Snapshot> at;  // all rows are read as of this moment
  CheckSummary summary;
  Mending mending;

  wire::StateRow state;
  std::vector<Sequence> snapshots;  // ascending
  std::set<InodeId> orphans;
  InodeTable inodes;
  BlockTable blocks;
  // Blocks stored before `at`, with their bytes; ascending.
  std::vector<std::pair<BlockId, uint64_t>> stored;
  std::map<wire::PackId, PackFacts> packs;
  uint64_t highest_inode = 0;
  uint64_t live_bytes = 0;
  std::vector<uint64_t> past_hashes;  // of all past keys; sorted by the stage that needs it

  void found(Severity severity, FindingKind kind, std::string where, std::string what,
             bool repairable);
  void error(FindingKind kind, std::string where, std::string what, bool repairable = false) {
    found(Severity::kError, kind, std::move(where), std::move(what), repairable);
  }
  void warning(FindingKind kind, std::string where, std::string what, bool repairable = false) {
    found(Severity::kWarning, kind, std::move(where), std::move(what), repairable);
  }

  // Calls `visit` for each row of the range as of `at`, and reports progress.
  using RowVisitor = std::function<Status(std::string_view key, std::string_view value)>;
  Status each(std::string_view stage, kv::Family family, const kv::Range& range,
              const RowVisitor& visit);
  // Reports a row that was written by a commit which never was.
  void check_begin(std::string_view key, Sequence begin);
  void saw_inode(InodeId ino);

  // "inode 5 (/a/b)".
  std::string describe(InodeId ino);
  // "entry 'x' of inode 5 (/a/b)".
  std::string describe_name(InodeId parent, std::string_view name);

 private:
  std::string path_of(InodeId ino);
  uint64_t paths_told_ = 0;
};

// The key in hexadecimal.
std::string describe_key(std::string_view key);
std::string describe_block(BlockId block);

// The stages.
Status check_volume_rows(CheckRun& run);  // check_volume_rows.cc: snapshots, orphans, marks
Status check_inodes(CheckRun& run);       // check_names.cc
Status check_names(CheckRun& run);        // check_names.cc
Status check_tree(CheckRun& run);         // check_tree.cc: reachability, links, sizes
Status check_extents(CheckRun& run);      // check_content.cc
Status check_attributes(CheckRun& run);   // check_content.cc
Status check_past(CheckRun& run);         // check_past.cc
Status check_feed(CheckRun& run);         // check_feed.cc
Status check_counters(CheckRun& run);     // check_volume_rows.cc: what all rows together must give
Status check_books(CheckRun& run);        // check_books.cc: block and owner rows
// Deep: whether bytes of the block have the fingerprints that rows give them.
Status check_fingerprints(CheckRun& run, BlockId block);  // check_fingerprints.cc
void check_packs(CheckRun& run);     // check_packs.cc: where blocks lie in a bucket
Status check_stored(CheckRun& run);  // check_stored.cc: blocks against the block store
Status check_bytes(CheckRun& run);   // check_stored.cc: deep

// Takes a row of fingerprints, when those of all blocks were read; false if it is none.
Result<bool> read_fingerprint_row(CheckRun& run, std::string_view key, std::string_view value);
// Takes a row that says where a block lies, or of a pack; false if it is none of these.
bool read_pack_row(CheckRun& run, std::string_view key, std::string_view value);

// A share of BlockTally::mix for one owner row.
uint64_t mix_of(const wire::OwnerKey& owner, const wire::OwnerRow& range);
void tally_extent(CheckRun& run, InodeId ino, uint64_t offset, const wire::ExtentRow& row);

}  // namespace nacre::keeper
