#include "block/block_put.h"

#include <fmt/format.h>

#include <algorithm>

#include "codec/checksum.h"

namespace nacre::block {
namespace {

constexpr int kRounds = 2;

// Of a disk that has failed a fragment is missing as of one that is away.
bool may_miss(Code code) { return is_out_of_reach(code) || code == Code::kIo; }

}  // namespace

Status BlockPut::run(ClusterBlocks::Degraded degraded) {
  for (int round = 0; round < kRounds; ++round) {
    // After a failure the map may say that another device is in charge by now.
    if (round > 0) (void)blocks_.views_.refresh();
    const std::shared_ptr<const ClusterView> view = blocks_.views_.view();
    const Location location = TRY(view->locate(id_));
    if (pieces_.empty()) TRY(make_pieces(location.pool->code));
    send(*view, location);
    if (missing() == 0) return {};
  }
  if (degraded == ClusterBlocks::Degraded::kAllowed && may_be_missing()) {
    ++blocks_.degraded_writes_;
    report_missing();
    return {};
  }
  const Error error = first_error();
  (void)blocks_.remove(id_);
  return error;
}

Status BlockPut::make_pieces(codec::ErasureCode code) {
  const codec::FragmentLayout layout = codec::layout_of(code, block_->size());
  const auto parity_bytes = layout.longest_bytes();
  const auto parity = std::make_shared<rpc::Buffer>(parity_bytes * code.m);
  std::vector<MutableBytes> into;
  for (unsigned i = 0; i < code.m; ++i) {
    into.push_back(parity->bytes().subspan(i * parity_bytes, parity_bytes));
  }
  blocks_.coder_of(code).encode(block_->view(), into);
  needed_ = layout.data_stored();
  for (unsigned i = 0; i < code.n(); ++i) {
    if (!layout.is_stored(i)) continue;
    Piece piece{.fragment = i};
    if (i < code.k) {
      piece.payload = {.parts = {block_->view().subspan(layout.offset_of(i), layout.bytes_of(i))},
                       .owner = block_};
    } else {
      piece.payload = {.parts = {into[i - code.k]}, .owner = parity};
    }
    piece.note = {.kind = words_.kind,
                  .code = code,
                  .block_bytes = static_cast<uint32_t>(block_->size()),
                  .fragment_xxh64 = codec::xxh64(piece.payload.parts.front()),
                  .object = words_.object,
                  .written = blocks_.clock_.now()};
    pieces_.push_back(std::move(piece));
  }
  return {};
}

// Sends every piece not stored yet to its device, and waits for all.
void BlockPut::send(const ClusterView& view, const Location& location) {
  rpc::CallGroup calls(blocks_.clock_);
  const int64_t deadline_ns = blocks_.clock_.monotonic_ns() + blocks_.options_.write_limit_ns;
  for (size_t i = 0; i < pieces_.size(); ++i) {
    Piece& piece = pieces_[i];
    if (piece.done) continue;
    const wire::DeviceNumber device = location.devices[piece.fragment];
    const auto client = blocks_.client_of(view, device);
    piece.error =
        client.ok() ? Error(Code::kTimeout, "a node did not answer in time") : client.error();
    if (!client.ok()) continue;
    const PutFragment call{
        .place = {.device = device, .id = id_, .fragment = static_cast<uint16_t>(piece.fragment)},
        .note = piece.note,
        .epoch = view.map.epoch};
    calls.start(**client,
                {.method = static_cast<uint16_t>(Method::kPutFragment),
                 .header = encode(call),
                 .payload = piece.payload,
                 .payload_xxh64 = piece.note.fragment_xxh64,
                 .deadline_ns = deadline_ns},
                i);
  }
  calls.wait_for_all(deadline_ns);
  while (auto finished = calls.next(deadline_ns)) {
    Piece& piece = pieces_[finished->tag];
    piece.done = finished->result.ok();
    if (!piece.done) piece.error = finished->result.error();
  }
}

// A node that is back already, and has asked the others for what it missed before this block was
// there, is told. One that is not will ask.
void BlockPut::report_missing() {
  const std::shared_ptr<const ClusterView> view = blocks_.views_.view();
  const auto location = view->locate(id_);
  if (!location.ok()) return;
  rpc::CallGroup calls(blocks_.clock_);
  const int64_t deadline_ns = blocks_.clock_.monotonic_ns() + blocks_.options_.write_limit_ns;
  for (const Piece& piece : pieces_) {
    const wire::DeviceNumber device = location->devices[piece.fragment];
    const auto client = blocks_.client_of(*view, device);
    if (piece.done || !client.ok()) continue;
    const HealFragment call{
        .place = {.device = device, .id = id_, .fragment = static_cast<uint16_t>(piece.fragment)}};
    calls.start(**client,
                {.method = static_cast<uint16_t>(Method::kHealFragment),
                 .header = encode(call),
                 .deadline_ns = deadline_ns,
                 .insist = true},
                0);
  }
  while (calls.next(deadline_ns)) continue;
}

size_t BlockPut::missing() const {
  return static_cast<size_t>(
      std::ranges::count_if(pieces_, [](const Piece& piece) { return !piece.done; }));
}

// What is missing is out of reach, and what is stored survives one more loss.
bool BlockPut::may_be_missing() const {
  for (const Piece& piece : pieces_) {
    if (!piece.done && !may_miss(piece.error->code())) return false;
  }
  return pieces_.size() - missing() >= std::min<size_t>(pieces_.size(), needed_ + 1);
}

Error BlockPut::first_error() const {
  for (const Piece& piece : pieces_) {
    if (piece.done) continue;
    return Error(piece.error->code(),
                 fmt::format("block {}, {} of {} fragments not stored: {}", to_hex(id_), missing(),
                             pieces_.size(), piece.error->context()));
  }
  return Error(Code::kIo);
}

}  // namespace nacre::block
