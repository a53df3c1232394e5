#include <fmt/format.h>

#include "device/core.h"
#include "device/fragment_state.h"
#include "device/payload.h"

namespace nacre::device {

Fragment::State::~State() { core.segments.unpin(place.segment); }

Fragment::Fragment(std::unique_ptr<State> state) : state_(std::move(state)) {}
Fragment::Fragment(Fragment&&) noexcept = default;
Fragment::~Fragment() = default;

uint32_t Fragment::payload_bytes() const { return state_->head->stored_bytes; }

Descriptor Fragment::descriptor() const {
  return {.logical_bytes = state_->head->logical_bytes,
          .compression = state_->head->compression,
          .sealing = state_->head->sealing,
          .extra = as_bytes(state_->head->descriptor)};
}

Status Fragment::read(uint64_t offset, MutableBytes into) const {
  const uint64_t length = state_->head->stored_bytes;
  if (offset > length || into.size() > length - offset) {
    return Error(Code::kOutOfRange,
                 fmt::format("{} bytes at {} of block {}, which has {}", into.size(), offset,
                             to_hex(state_->head->id), length));
  }
  const Status read = read_payload(state_->file, *state_->head, offset, into);
  if (!read.ok()) return state_->core.located(state_->place.segment, read.error());
  return {};
}

}  // namespace nacre::device
