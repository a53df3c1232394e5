// Moves inline bytes into blocks: small writes that an fsync carried in its commit would stay in
// the rows for ever.
//
// They are found by reading the change feed from a mark that is kept in the volume: each inline row
// stands under the commit that wrote it. A batch moves when it fills a block, or when its oldest
// commit is half a minute old. Rows keep their begin; nobody sees the move.
#pragma once

#include <optional>
#include <vector>

#include "base/ids.h"
#include "fs/volume.h"

namespace nacre::keeper {

// Not thread-safe: one at a time works on a volume. It may be dropped at any time.
class InlineMover {
 public:
  static constexpr uint64_t kStaysBytes = 512;  // a row this small is as good as a share of a block
  static constexpr int64_t kOldNs = int64_t{30} * 1'000'000'000;

  explicit InlineMover(fs::Volume& volume) : volume_(volume) {}

  struct Step {
    uint64_t rows = 0;   // moved
    uint64_t bytes = 0;  // moved
    bool more = false;   // there is more to do at once
  };
  // Reads some of the feed, and moves what is due: with `now_due`, everything it found.
  Result<Step> step(bool now_due = false);
  // The last commit of those whose inline rows were all moved, as far as was seen.
  Result<Sequence> moved();

 private:
  // A row seen in the feed.
  struct Found {
    InodeId ino;
    uint64_t offset = 0;
    Sequence begin;
    uint64_t length = 0;
  };
  // Where it goes.
  struct Packed {
    Found found;
    wire::ContentPlace place;  // its block is zero until it is put
    std::optional<codec::Fingerprint> fingerprint;
    bool was_stored = false;  // the bytes were in a block already
  };

  Status load_mark();
  // True when the end of the feed was reached.
  Result<bool> scan();
  Status scan_key(Sequence sequence, const std::string& key);
  bool due() const;
  Result<Step> move();
  // Back to the mark.
  void forget_found();
  Status put(std::vector<Packed>& packed, std::vector<std::pair<BlockId, uint64_t>>& blocks);
  // False when something that was found in a block is gone from there.
  Result<bool> repoint(meta::CommitBuilder& builder, const std::vector<Packed>& packed, Step& step);

  fs::Volume& volume_;
  bool loaded_ = false;
  Sequence mark_;     // as stored: everything up to here was moved
  Sequence scanned_;  // of these commits, all large inline rows are in found_
  std::vector<Found> found_;
  uint64_t found_bytes_ = 0;
  std::optional<Timestamp> oldest_;  // commit in found_
};

}  // namespace nacre::keeper
