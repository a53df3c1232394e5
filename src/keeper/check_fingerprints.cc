// Checks of the books of content that is stored once: a row for each fingerprint, one for each
// place that has one, and both tell of each other.
#include <fmt/format.h>

#include "keeper/check_run.h"
#include "wire/fingerprint_rows.h"

namespace nacre::keeper {

namespace {

// Nothing reads worse without the row: it goes, and later content of that kind is stored anew.
void drop(CheckRun& run, Severity severity, std::string_view key, std::string_view value,
          std::string where, std::string what) {
  run.found(severity, FindingKind::kFingerprint, std::move(where), std::move(what), true);
  run.mending.fingerprints.emplace(key, value);
}

Status read_fingerprint(CheckRun& run, std::string_view key, std::string_view value) {
  const auto fingerprint = wire::decode_fingerprint_key(key);
  const auto place = wire::decode_content_place(value);
  if (!fingerprint.ok() || !place.ok()) {
    drop(run, Severity::kWarning, key, value, describe_key(key), "this row does not decode");
    return {};
  }
  const auto block = run.blocks.find(place->block);
  const bool there = block != run.blocks.end() && block->second.has_row;
  if (!there || place->offset > block->second.stored_bytes ||
      place->length > block->second.stored_bytes - place->offset) {
    drop(run, Severity::kWarning, key, value, describe_block(place->block),
         fmt::format("a fingerprint says that bytes {} to {} are there", place->offset,
                     place->offset + place->length));
    return {};
  }
  const auto back = TRY(run.rows.get(
      kv::Family::kBlocks, wire::fingerprint_of_key(place->block, place->offset), run.at.get()));
  if (back != wire::encode_fingerprint(*fingerprint)) {
    drop(run, Severity::kWarning, key, value, describe_block(place->block),
         fmt::format("byte {} has a fingerprint that its own row does not tell of", place->offset));
  }
  return {};
}

Status read_fingerprint_of(CheckRun& run, std::string_view key, std::string_view value) {
  const auto where = wire::decode_fingerprint_of_key(key);
  const auto fingerprint = wire::decode_fingerprint(value);
  if (!where.ok() || !fingerprint.ok()) {
    drop(run, Severity::kWarning, key, value, describe_key(key), "this row does not decode");
    return {};
  }
  const auto stored =
      TRY(run.rows.get(kv::Family::kBlocks, wire::fingerprint_key(*fingerprint), run.at.get()));
  const auto place = wire::decode_content_place(stored.value_or(""));
  if (!place.ok() || place->block != where->block || place->offset != where->offset) {
    drop(run, Severity::kWarning, key, value, describe_block(where->block),
         fmt::format("the fingerprint of byte {} does not lead there", where->offset));
  }
  return {};
}

}  // namespace

Result<bool> read_fingerprint_row(CheckRun& run, std::string_view key, std::string_view value) {
  static_assert(wire::kBlockRowKind < wire::kFingerprintRowKind, "blocks are known by then");
  switch (key.front()) {
    case wire::kFingerprintRowKind:
      TRY(read_fingerprint(run, key, value));
      return true;
    case wire::kFingerprintOfRowKind:
      TRY(read_fingerprint_of(run, key, value));
      return true;
    default:
      return false;
  }
}

Status check_fingerprints(CheckRun& run, BlockId block) {
  std::string bytes;
  return run.each(
      "fingerprints", kv::Family::kBlocks, kv::prefix_range(wire::fingerprint_of_prefix(block)),
      [&](std::string_view key, std::string_view value) -> Status {
        const auto where = wire::decode_fingerprint_of_key(key);
        const auto fingerprint = wire::decode_fingerprint(value);
        if (!where.ok() || !fingerprint.ok()) return {};  // told before
        const std::string row = wire::fingerprint_key(*fingerprint);
        const auto stored = TRY(run.rows.get(kv::Family::kBlocks, row, run.at.get()));
        const auto place = wire::decode_content_place(stored.value_or(""));
        if (!place.ok() || place->length > run.blocks[block].stored_bytes) return {};
        bytes.resize(place->length);
        const Status read =
            run.volume.blocks().read(block, where->offset, as_writable_bytes(bytes));
        const ByteView part = as_bytes(bytes);
        if (!read.ok() || run.volume.fingerprint({&part, 1}) == *fingerprint) return {};
        drop(run, Severity::kError, row, *stored, describe_block(block),
             fmt::format("bytes {} to {} have another fingerprint: content written later may have "
                         "been taken for them",
                         where->offset, where->offset + place->length));
        run.mending.fingerprints.emplace(key, value);
        return {};
      });
}

}  // namespace nacre::keeper
