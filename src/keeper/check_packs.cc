// Checks of a volume with a bucket: where its blocks lie there, and what the packs are said to
// hold. The bucket itself is not asked.
#include <fmt/format.h>

#include "keeper/check_run.h"

namespace nacre::keeper {
namespace {

std::string describe_pack(wire::PackId pack) { return "pack " + to_hex(pack); }

void undecodable(CheckRun& run, std::string_view key) {
  run.error(FindingKind::kUndecodable, describe_key(key), "this row of a bucket does not decode");
}

void read_location(CheckRun& run, std::string_view key, std::string_view value) {
  const auto block = wire::decode_location_key(key);
  if (!block.ok()) return undecodable(run, key);
  const auto location = wire::decode_location(value, *block);
  if (!location.ok()) return undecodable(run, key);
  PackFacts& facts = run.packs[location->pack];
  ++facts.located_blocks;
  facts.located_bytes += location->block.stored_bytes();
}

void read_pack(CheckRun& run, std::string_view key, std::string_view value) {
  const auto pack = wire::decode_pack_key(key);
  const auto row = wire::decode_pack(value);
  if (!pack.ok() || !row.ok()) return undecodable(run, key);
  PackFacts& facts = run.packs[*pack];
  facts.has_row = true;
  facts.row_blocks = row->blocks;
  facts.row_bytes = row->live_bytes;
}

}  // namespace

bool read_pack_row(CheckRun& run, std::string_view key, std::string_view value) {
  if (key.empty()) return false;
  switch (key.front()) {
    case wire::kLocationRowKind:
      read_location(run, key, value);
      return true;
    case wire::kPackRowKind:
      read_pack(run, key, value);
      return true;
    case wire::kPackMemberRowKind: {
      const auto member = wire::decode_pack_member_key(key);
      if (!member.ok() || !wire::decode_member(value).ok()) {
        undecodable(run, key);
      } else {
        ++run.packs[member->pack].members;
      }
      return true;
    }
    case wire::kPinRowKind:
      if (!wire::decode_pin_key(key).ok()) undecodable(run, key);
      return true;
    case wire::kDeadPackRowKind:
      if (!wire::decode_pack_key(key).ok() || !wire::decode_dead_pack(value).ok()) {
        undecodable(run, key);
      }
      return true;
    default:
      return false;
  }
}

void check_packs(CheckRun& run) {
  for (const auto& [pack, facts] : run.packs) {
    if (!facts.has_row) {
      run.error(FindingKind::kPack, describe_pack(pack),
                fmt::format("{} blocks lie in it, but it has no row", facts.located_blocks));
    } else if (facts.row_blocks != facts.located_blocks || facts.row_bytes != facts.located_bytes ||
               facts.members != facts.located_blocks) {
      run.error(FindingKind::kPack, describe_pack(pack),
                fmt::format("its row says {} blocks of {} bytes; {} of {} bytes lie in it, and its "
                            "list has {}",
                            facts.row_blocks, facts.row_bytes, facts.located_blocks,
                            facts.located_bytes, facts.members));
    }
  }
}

}  // namespace nacre::keeper
