// Storing identical content once: runs of new content are looked for by their fingerprints among
// what was put since the last commits, and among committed rows, before they are put.
//
// What is found must still be there when it is referred to. Blocks of the same cut are: its commit
// takes both. Of older ones upkeep may give one up at any moment; so who settles a piece on an
// older block asks for it under the lock, and has it kept (shared_blocks_) until the commit.
#include <algorithm>

#include "fs/volume.h"
#include "meta/content_finder.h"

namespace nacre::fs {

namespace {

constexpr uint64_t kShortestRun = 512;  // less is not worth its rows

}  // namespace

bool Volume::is_run(uint64_t offset, uint64_t length) const {
  return settings_.run_bytes > 0 && offset % settings_.run_bytes == 0 && length >= kShortestRun &&
         length <= settings_.run_bytes;
}

codec::Fingerprint Volume::fingerprint(std::span<const ByteView> parts) const {
  return codec::keyed_hash(std::as_bytes(std::span(settings_.name_key)), parts);
}

// No piece reaches over a multiple of run_bytes.
std::vector<Volume::Run> Volume::runs_of(std::vector<Stored>& pieces) const {
  std::vector<Run> runs;
  for (size_t first = 0, end = 0; first < pieces.size(); first = end) {
    const Stored& begin = pieces[first];
    std::vector<ByteView> parts;
    uint64_t length = 0;
    const auto continues = [&](const Stored& next) {
      return next.ino == begin.ino && next.offset == begin.offset + length &&
             next.offset / settings_.run_bytes == begin.offset / settings_.run_bytes;
    };
    for (end = first; end < pieces.size() && continues(pieces[end]); ++end) {
      parts.push_back(pieces[end].piece.view());
      length += parts.back().size();
    }
    if (!is_run(begin.offset, length)) continue;
    runs.push_back({first, end, {{}, 0, length}, fingerprint(parts)});
    for (size_t i = first, rest = length; i < end; rest -= pieces[i++].piece.length) {
      pieces[i].together = rest;
    }
  }
  return runs;
}

// Looks among what no commit has made rows of yet.
Volume::Found Volume::find_recent(Layer layer, Run& run) const {
  const os::SharedLock lock(lock_);
  const auto find_in = [&](const ContentPlaces& places) {
    const auto found = places.find(run.fingerprint);
    if (found == places.end() || found->second.length != run.place.length) return false;
    run.place = found->second;
    return true;
  };
  if (layer == Layer::kActive && find_in(active_content_)) return Found::kInThisCut;
  if (!find_in(closed_content_)) return Found::kNowhere;
  return layer == Layer::kClosed ? Found::kInThisCut : Found::kInOlderBlock;
}

// Sees to it that the bytes of all pieces are in blocks, and says where each is.
Status Volume::store(Layer layer, std::vector<Stored>& pieces, NewBlocks& fresh) {
  if (settings_.run_bytes == 0) return put_blocks(pieces, fresh.blocks);
  std::vector<Run> runs = runs_of(pieces);
  std::unordered_map<codec::Fingerprint, Run*> firsts;  // to be put
  std::vector<Run*> twins;                              // of these
  const auto mark = [&](const Run& run, Found found) {
    uint64_t offset = run.place.offset;
    for (size_t i = run.first; i < run.end; ++i) {
      pieces[i].found = found;
      pieces[i].block = run.place.block;
      pieces[i].block_offset = offset;
      offset += pieces[i].piece.length;
    }
  };
  meta::ContentFinder committed(rows_store_);
  for (Run& run : runs) {
    Found found = find_recent(layer, run);
    if (found == Found::kNowhere) {
      if (const auto place = TRY(committed.find(run.fingerprint, run.place.length))) {
        found = Found::kInOlderBlock;
        run.place = *place;
      } else if (!firsts.emplace(run.fingerprint, &run).second) {
        found = Found::kInThisCut;
        twins.push_back(&run);
      }
    }
    mark(run, found);
  }
  TRY(put_blocks(pieces, fresh.blocks));
  for (const auto& [fingerprint, run] : firsts) {
    run->place.block = pieces[run->first].block;
    run->place.offset = pieces[run->first].block_offset;
    fresh.content.emplace(fingerprint, run->place);
  }
  for (Run* const twin : twins) {
    twin->place = firsts.at(twin->fingerprint)->place;
    mark(*twin, Found::kInThisCut);
  }
  return {};
}

// At a cut: content put for it is found by what comes later, where a closed delta shows its block.
// Any other block goes with the commit.
void Volume::close_content(const std::vector<InodeId>& files) {
  closed_content_ = std::move(active_content_);
  active_content_.clear();
  closed_content_blocks_.clear();
  if (closed_content_.empty()) return;
  for (const InodeId ino : files) {
    for (const auto& [offset, piece] : contents_.find(ino)->second.closed.pieces()) {
      if (piece.kind == Piece::Kind::kBlock) closed_content_blocks_.insert(piece.block);
    }
  }
  std::erase_if(closed_content_, [&](const auto& entry) REQUIRES(lock_) {
    return !closed_content_blocks_.contains(entry.second.block);
  });
}

// Whether a block of an earlier cut is still there. `known` holds what was asked before under the
// same lock.
Result<bool> Volume::is_in_use(BlockId block, std::unordered_map<BlockId, bool>& known) const {
  if (closed_content_blocks_.contains(block)) return true;
  const auto [asked, first] = known.emplace(block, false);
  if (first) {
    asked->second = TRY(rows_store_.get(kv::Family::kBlocks, wire::block_key(block))).has_value();
  }
  return asked->second;
}

}  // namespace nacre::fs
