#include "block/block_read.h"

#include <fmt/format.h>

#include <algorithm>

namespace nacre::block {
namespace {

bool covers(const codec::FragmentRange& outer, const codec::FragmentRange& inner) {
  return outer.offset_bytes <= inner.offset_bytes &&
         outer.offset_bytes + outer.length_bytes >= inner.offset_bytes + inner.length_bytes;
}

}  // namespace

BlockRead::BlockRead(ClusterBlocks& blocks, BlockId id, uint64_t block_bytes)
    : blocks_(blocks), id_(id), block_bytes_(block_bytes) {}

Result<rpc::Payload> BlockRead::read(uint64_t offset, uint64_t length) {
  if (offset > block_bytes_ || length > block_bytes_ - offset) {
    return Error(Code::kOutOfRange, "block " + to_hex(id_) + " ends before that");
  }
  Status status;
  // After a failure the map may say that other devices have the fragments by now.
  for (int round = 0; round == 0 || blocks_.try_again(round - 1, status.code()); ++round) {
    TRY(begin(blocks_.views_.view()));
    for (const codec::FragmentPiece& piece : layout_->pieces_of(offset, length)) {
      wants_.push_back({piece});
    }
    status = collect();
    if (status.ok()) return take_found();
  }
  return status.error();
}

Result<rpc::Payload> BlockRead::rebuild(unsigned fragment) {
  TRY(begin(blocks_.views_.view()));
  wants_.push_back({{fragment, 0, layout_->bytes_of(fragment)}});
  // Its own device is not asked, but another that still has it is.
  std::erase(positions_[fragment].candidates, TRY(view_->locate(id_)).devices[fragment]);
  TRY(collect());
  return take_found();
}

rpc::Payload BlockRead::take_found() {
  rpc::Payload found;
  for (const Want& want : wants_) found.parts.push_back(want.bytes);
  found.owner = std::make_shared<std::vector<rpc::Buffer>>(std::move(owners_));
  return found;
}

Status BlockRead::begin(const std::shared_ptr<const ClusterView>& view) {
  view_ = view;
  const Location location = TRY(view_->locate(id_));
  layout_.emplace(location.pool->code, block_bytes_);
  second_phase_ = false;
  decoded_ = false;
  positions_.clear();
  wants_.clear();
  owners_.clear();
  find_positions(*view_, location);
  return {};
}

void BlockRead::find_positions(const ClusterView& view, const Location& location) {
  positions_.resize(location.devices.size());
  for (size_t i = 0; i < positions_.size(); ++i) {
    for (const wire::DeviceNumber device : {location.devices[i], location.sources[i]}) {
      if (device != wire::kNoDevice && device != wire::kLost && view.node_of(device) != nullptr) {
        positions_[i].candidates.push_back(device);
      }
    }
    // One that is up before one that is not.
    std::vector<wire::DeviceNumber>& candidates = positions_[i].candidates;
    if (candidates.size() == 2 && !view.is_up(candidates[0]) && view.is_up(candidates[1])) {
      std::swap(candidates[0], candidates[1]);
    }
  }
}

Status BlockRead::collect() {
  rpc::CallGroup calls(blocks_.clock_);
  const int64_t begun_ns = blocks_.clock_.monotonic_ns();
  const int64_t deadline_ns = begun_ns + blocks_.options_.read_limit_ns;
  const int64_t hedge_ns = begun_ns + blocks_.options_.hedge_min_ns;
  ask_wanted(calls);
  while (!is_filled()) {
    if (second_phase_) {
      TRY(try_decode());
      if (is_filled()) break;
      if (!can_still_decode()) return why_not();
    }
    auto finished = calls.next(second_phase_ ? deadline_ns : hedge_ns);
    if (finished) {
      take(calls, finished->tag, std::move(finished->result));
    } else if (!second_phase_) {
      ++blocks_.hedged_reads_;
      ask_others(calls);
    } else {
      return Error(Code::kTimeout, "block " + to_hex(id_) + ": too few nodes answered in time");
    }
  }
  if (decoded_) ++blocks_.degraded_reads_;
  return {};
}

void BlockRead::ask_wanted(rpc::CallGroup& calls) {
  for (const Want& want : wants_) {
    Position& position = positions_[want.piece.fragment];
    // Of one that is down no answer is awaited before others are asked.
    if (position.candidates.empty() || !view_->is_up(position.candidates.front())) {
      if (!second_phase_) ask_others(calls);
      continue;
    }
    if (!position.asked) {
      ask(calls, want.piece.fragment, {want.piece.offset_bytes, want.piece.length_bytes});
    }
  }
}

void BlockRead::ask_others(rpc::CallGroup& calls) {
  second_phase_ = true;
  range_ = missing_range();
  for (unsigned i = 0; i < positions_.size(); ++i) {
    Position& position = positions_[i];
    if (!layout_->is_stored(i) || position.out) continue;
    const bool comes = position.asked && covers(position.asked_range, range_);
    if (comes || (position.has && covers(*position.has, range_))) continue;
    ask(calls, i, range_);
  }
}

void BlockRead::ask(rpc::CallGroup& calls, unsigned i, codec::FragmentRange range) {
  Position& position = positions_[i];
  while (position.next_candidate < position.candidates.size()) {
    const wire::DeviceNumber device = position.candidates[position.next_candidate];
    const auto client = blocks_.client_of(*view_, device);
    if (!client.ok()) {
      position.error = client.error();
      ++position.next_candidate;
      continue;
    }
    position.asked = true;
    position.asked_range = range;
    const GetFragment call{
        .place = {.device = device, .id = id_, .fragment = static_cast<uint16_t>(i)},
        .offset = range.offset_bytes,
        .length = range.length_bytes,
        .by_writers_sum = !position.asked_anew};
    const int64_t now_ns = blocks_.clock_.monotonic_ns();
    calls.start(**client,
                {.method = static_cast<uint16_t>(Method::kGetFragment),
                 .header = encode(call),
                 .deadline_ns = now_ns + blocks_.options_.read_limit_ns,
                 .takes_damaged = !position.asked_anew},
                i);
    return;
  }
  position.asked = false;
  position.out = true;
  if (!position.error) position.error = Error(Code::kUnavailable, "no device has fragment");
}

void BlockRead::take(rpc::CallGroup& calls, size_t tag, Result<rpc::Reply> result) {
  const auto i = static_cast<unsigned>(tag);
  Position& position = positions_[i];
  if (result.ok() && !result->is_intact) {
    // By the device or on its way: the sum of what is sent, with the next answer, tells which.
    position.asked_anew = true;
    ask(calls, i, position.asked_range);
    return;
  }
  Status good = result.ok() ? check(i, *result) : Status(result.error());
  if (good.ok()) {
    position.has = position.asked_range;
    position.asked = false;
    position.bytes = result->payload.view();
    owners_.push_back(std::move(result->payload));
    fill_wants(i);
    return;
  }
  if (good.code() == Code::kCorrupt || good.code() == Code::kIo) {
    ++blocks_.damaged_fragments_;
    blocks_.report_damage(*view_, id_, i);
  }
  position.error = good.error();
  ++position.next_candidate;
  ask(calls, i, position.asked_range);
  if (!second_phase_) ask_others(calls);
}

// Length of the part of fragment `i` that is in the range.
uint64_t BlockRead::clipped(unsigned i, const codec::FragmentRange& range) const {
  const uint64_t bytes = layout_->bytes_of(i);
  if (range.offset_bytes >= bytes) return 0;
  return std::min(range.length_bytes, bytes - range.offset_bytes);
}

Status BlockRead::check(unsigned i, const rpc::Reply& reply) const {
  const FragmentFound found = TRY(decode_fragment_found(reply.header));
  const uint64_t bytes = layout_->bytes_of(i);
  if (found.fragment_bytes != bytes || found.note.block_bytes != block_bytes_ ||
      reply.payload.size() != clipped(i, positions_[i].asked_range)) {
    return Error(
        Code::kCorrupt,
        fmt::format("block {}, fragment {} is not of the length it should have", to_hex(id_), i));
  }
  if (reply.payload.size() == bytes && reply.payload_xxh64 != found.note.fragment_xxh64) {
    return Error(Code::kCorrupt,
                 fmt::format("block {}, fragment {} is not as it was written", to_hex(id_), i));
  }
  return {};
}

void BlockRead::fill_wants(unsigned i) {
  const Position& position = positions_[i];
  for (Want& want : wants_) {
    const codec::FragmentRange range{want.piece.offset_bytes, want.piece.length_bytes};
    if (want.filled || want.piece.fragment != i || !covers(*position.has, range)) continue;
    want.bytes =
        position.bytes.subspan(range.offset_bytes - position.has->offset_bytes, range.length_bytes);
    want.filled = true;
  }
}

bool BlockRead::is_filled() const {
  return std::ranges::all_of(wants_, [](const Want& want) { return want.filled; });
}

codec::FragmentRange BlockRead::missing_range() const {
  uint64_t begin = UINT64_MAX;
  uint64_t end = 0;
  for (const Want& want : wants_) {
    if (want.filled) continue;
    begin = std::min(begin, want.piece.offset_bytes);
    end = std::max(end, want.piece.offset_bytes + want.piece.length_bytes);
  }
  return {begin, end - begin};
}

Status BlockRead::try_decode() {
  std::vector<codec::PresentFragment> present;
  for (unsigned i = 0; i < positions_.size() && present.size() < layout_->code().k; ++i) {
    if (!layout_->is_stored(i)) {
      present.push_back({i, {}});
      continue;
    }
    const Position& position = positions_[i];
    if (!position.has || !covers(*position.has, range_)) continue;
    const uint64_t skip = range_.offset_bytes - position.has->offset_bytes;
    const ByteView all = position.bytes;
    present.push_back({i, skip >= all.size() ? ByteView() : all.subspan(skip, clipped(i, range_))});
  }
  if (present.size() < layout_->code().k) return {};
  return decode_from(present);
}

Status BlockRead::decode_from(const std::vector<codec::PresentFragment>& present) {
  std::vector<codec::WantedFragment> wanted;
  for (Want& want : wants_) {
    if (want.filled) continue;
    rpc::Buffer& made = owners_.emplace_back(clipped(want.piece.fragment, range_));
    wanted.push_back({want.piece.fragment, made.bytes()});
    want.bytes =
        made.view().subspan(want.piece.offset_bytes - range_.offset_bytes, want.piece.length_bytes);
  }
  TRY(blocks_.coder_of(layout_->code()).reconstruct(*layout_, present, wanted, range_));
  for (Want& want : wants_) want.filled = true;
  decoded_ = true;
  return {};
}

bool BlockRead::can_still_decode() const {
  size_t possible = 0;
  for (unsigned i = 0; i < positions_.size(); ++i) {
    if (!layout_->is_stored(i) || !positions_[i].out) ++possible;
  }
  // A want whose own fragment still comes needs no decoding.
  const bool all_come = std::ranges::all_of(wants_, [&](const Want& want) {
    return want.filled || positions_[want.piece.fragment].asked;
  });
  return possible >= layout_->code().k || all_come;
}

Error BlockRead::why_not() const {
  unsigned lost = 0;
  unsigned away = 0;
  std::string first;
  for (unsigned i = 0; i < positions_.size(); ++i) {
    const Position& position = positions_[i];
    if (!layout_->is_stored(i) || !position.out) continue;
    const Code code = position.error->code();
    const bool surely = code == Code::kNotFound || code == Code::kCorrupt || code == Code::kIo;
    ++(surely ? lost : away);
    if (first.empty()) first = position.error->context();
  }
  const auto words = [&](const char* what) {
    return fmt::format("block {}: {} of {} fragments {}, and {} are needed: {}", to_hex(id_),
                       lost + away, layout_->stored(), what, layout_->data_stored(), first);
  };
  if (lost == layout_->stored()) return Error(Code::kNotFound, "block " + to_hex(id_));
  if (layout_->stored() - lost < layout_->data_stored()) {
    return Error(Code::kCorrupt, words("are lost"));
  }
  return Error(Code::kUnavailable, words("are lost or out of reach"));
}

}  // namespace nacre::block
