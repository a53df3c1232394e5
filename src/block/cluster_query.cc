// What ClusterBlocks asks a whole placement group: what a block is, where it is, and to forget it.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "block/cluster_blocks.h"
#include "rpc/call_group.h"

namespace nacre::block {
namespace {

using Asked = ClusterBlocks::Asked;

// Every device that may have a fragment.
std::vector<Asked> everywhere(const ClusterView& view, const Location& location) {
  std::vector<Asked> all;
  for (unsigned i = 0; i < location.devices.size(); ++i) {
    for (const wire::DeviceNumber device : {location.devices[i], location.sources[i]}) {
      if (device == wire::kNoDevice || device == wire::kLost) continue;
      if (view.node_of(device) != nullptr) all.push_back({i, device});
    }
  }
  return all;
}

FragmentPlace place_of(BlockId id, const Asked& asked) {
  return {.device = asked.device, .id = id, .fragment = static_cast<uint16_t>(asked.fragment)};
}

// Whatever the device may have.
bool leaves_it_open(Code code) {
  return code != Code::kNotFound && code != Code::kCorrupt && code != Code::kIo;
}

FragmentStatus::State state_of(Code code) {
  if (code == Code::kNotFound) return FragmentStatus::State::kMissing;
  return leaves_it_open(code) ? FragmentStatus::State::kUnreachable
                              : FragmentStatus::State::kDamaged;
}

Error none_left(BlockId id, size_t away, const std::string& words) {
  if (away == 0) return Error(Code::kNotFound, "there is no block or object " + to_hex(id));
  return Error(Code::kUnavailable,
               fmt::format("block {}: {} of the devices that may have it are out of reach: {}",
                           to_hex(id), away, words));
}

}  // namespace

// First fragment 0, which all of a small block is in; then, if that fails or is late, any other.
Result<ClusterBlocks::Start> ClusterBlocks::read_start(BlockId id, uint64_t length) {
  for (int round = 0;; ++round) {
    const std::shared_ptr<const ClusterView> view = views_.view();
    const Location location = TRY(view->locate(id));
    const std::vector<Asked> all = everywhere(*view, location);
    rpc::CallGroup calls(clock_);
    const int64_t begun_ns = clock_.monotonic_ns();
    const int64_t deadline_ns = begun_ns + options_.read_limit_ns;
    size_t asked = 0;
    size_t away = 0;
    std::string words;
    const auto ask = [&](size_t up_to) {
      for (; asked < std::min(up_to, all.size()); ++asked) {
        const auto client = client_of(*view, all[asked].device);
        if (!client.ok()) continue;
        const bool first = all[asked].fragment == 0;
        const GetFragment call{.place = place_of(id, all[asked]), .length = first ? length : 0};
        calls.start(**client,
                    {.method = static_cast<uint16_t>(Method::kGetFragment),
                     .header = encode(call),
                     .deadline_ns = deadline_ns},
                    asked);
      }
    };
    ask(all.empty() || !view->is_up(all.front().device) ? all.size() : 1);
    while (calls.outstanding() > 0) {
      const bool hedging = asked < all.size();
      auto finished = calls.next(hedging ? begun_ns + options_.hedge_min_ns : deadline_ns);
      if (!finished && !hedging) break;
      if (!finished || !finished->result.ok()) {
        if (finished && leaves_it_open(finished->result.code())) {
          ++away;
          words = finished->result.error().context();
        }
        ask(all.size());
        continue;
      }
      const FragmentFound found = TRY(decode_fragment_found(finished->result->header));
      Start start{.note = found.note, .bytes = std::move(finished->result->payload)};
      const bool sums = start.bytes.size() != found.fragment_bytes ||
                        finished->result->payload_xxh64 == found.note.fragment_xxh64;
      if (!sums) start.bytes = {};
      return start;
    }
    const Error none = none_left(id, away + calls.outstanding(), words);
    if (!try_again(round, none.code())) return none;
  }
}

Result<BlockStatus> ClusterBlocks::query(BlockId id) {
  (void)views_.refresh();
  const std::shared_ptr<const ClusterView> view = views_.view();
  const Location location = TRY(view->locate(id));
  BlockStatus status{.pool = location.pool->id, .pg = location.pg};
  status.fragments.resize(location.devices.size());
  for (size_t i = 0; i < location.devices.size(); ++i) {
    status.fragments[i].device = location.devices[i];
    const wire::ClusterNode* const node = view->node_of(location.devices[i]);
    if (node != nullptr) status.fragments[i].node = node->id;
  }
  const std::vector<Asked> all = everywhere(*view, location);
  rpc::CallGroup calls(clock_);
  const int64_t deadline_ns = clock_.monotonic_ns() + options_.read_limit_ns;
  for (size_t i = 0; i < all.size(); ++i) {
    const auto client = client_of(*view, all[i].device);
    FragmentStatus& fragment = status.fragments[all[i].fragment];
    fragment.state = FragmentStatus::State::kUnreachable;
    fragment.what = "no answer in time";
    if (!client.ok()) continue;
    // All of it, so that damage shows.
    const GetFragment call{.place = place_of(id, all[i]), .length = kMaxBlockBytes};
    calls.start(**client,
                {.method = static_cast<uint16_t>(Method::kGetFragment),
                 .header = encode(call),
                 .deadline_ns = deadline_ns},
                i);
  }
  size_t away = calls.outstanding();
  std::optional<wire::FragmentNote> note;
  std::string words;
  while (auto finished = calls.next(deadline_ns)) {
    const Asked& asked = all[finished->tag];
    FragmentStatus& fragment = status.fragments[asked.fragment];
    const Result<rpc::Reply>& result = finished->result;
    if (!result.ok()) {
      if (fragment.state == FragmentStatus::State::kGood) continue;  // elsewhere
      fragment.state = state_of(result.code());
      fragment.what = result.error().context();
      if (!leaves_it_open(result.code())) --away;
      if (leaves_it_open(result.code())) words = fragment.what;
      continue;
    }
    --away;
    const FragmentFound found = TRY(decode_fragment_found(result->header));
    const bool good = result->payload_xxh64 == found.note.fragment_xxh64;
    fragment = {.state = good ? FragmentStatus::State::kGood : FragmentStatus::State::kDamaged,
                .device = asked.device,
                .node = view->node_of(asked.device)->id,
                .bytes = found.fragment_bytes,
                .what = good ? "" : "it is not as it was written"};
    note = found.note;
  }
  if (!note) return none_left(id, away, words);
  status.note = *note;
  const codec::FragmentLayout layout(note->code, note->block_bytes);
  for (unsigned i = 0; i < status.fragments.size(); ++i) {
    FragmentStatus& fragment = status.fragments[i];
    if (!layout.is_stored(i)) fragment = {.state = FragmentStatus::State::kGood};
    if (fragment.bytes == 0) fragment.bytes = layout.bytes_of(i);
  }
  return status;
}

// Asks the devices to forget their fragments of the block, or marks of it. Those that did not
// answer that they have.
std::vector<Asked> ClusterBlocks::remove_from(const ClusterView& view, BlockId id,
                                              const std::vector<Asked>& from, Removal what,
                                              std::string& words) {
  rpc::CallGroup calls(clock_);
  const int64_t deadline_ns = clock_.monotonic_ns() + options_.write_limit_ns;
  std::vector<bool> removed(from.size());
  for (size_t i = 0; i < from.size(); ++i) {
    const auto client = client_of(view, from[i].device);
    if (!client.ok()) continue;
    const RemoveFragment call{.place = place_of(id, from[i]), .what = what};
    calls.start(**client,
                {.method = static_cast<uint16_t>(Method::kRemoveFragment),
                 .header = encode(call),
                 .deadline_ns = deadline_ns,
                 .insist = true},
                i);
  }
  calls.wait_for_all(deadline_ns);
  while (auto finished = calls.next(deadline_ns)) {
    removed[finished->tag] = finished->result.ok();
    if (!finished->result.ok()) words = finished->result.error().context();
  }
  std::vector<Asked> left;
  for (size_t i = 0; i < from.size(); ++i) {
    if (!removed[i]) left.push_back(from[i]);
  }
  return left;
}

// Where all can be asked, it is gone then. Where not, the others remember that it is deleted, until
// those out of reach are back and ask; one that was back before the others knew is told after that.
Status ClusterBlocks::remove(BlockId id) {
  std::string words = "no device of its group is in use";
  std::shared_ptr<const ClusterView> view = views_.view();
  Location location = TRY(view->locate(id));
  std::vector<Asked> all = everywhere(*view, location);
  if (all.size() >= location.devices.size() &&
      remove_from(*view, id, all, Removal::kFragment, words).empty()) {
    return {};
  }
  (void)views_.refresh();
  view = views_.view();
  location = TRY(view->locate(id));
  all = everywhere(*view, location);
  const std::vector<Asked> left = remove_from(*view, id, all, Removal::kLeavingMark, words);
  if (left.size() == all.size()) {
    return Error(Code::kUnavailable, "block " + to_hex(id) + ": " + words);
  }
  if (!left.empty()) (void)remove_from(*view, id, left, Removal::kFragment, words);
  return {};
}

Status ClusterBlocks::fence(BlockId id) {
  const std::shared_ptr<const ClusterView> view = views_.view();
  const Location location = TRY(view->locate(id));
  const std::vector<Asked> all = everywhere(*view, location);
  const Error away(Code::kUnavailable,
                   "object " + to_hex(id) + ": some devices of its group are out of reach");
  if (all.size() < location.devices.size()) return away;
  rpc::CallGroup calls(clock_);
  const int64_t deadline_ns = clock_.monotonic_ns() + options_.write_limit_ns;
  for (size_t i = 0; i < all.size(); ++i) {
    const auto client = client_of(*view, all[i].device);
    if (!client.ok()) return away;
    calls.start(**client,
                {.method = static_cast<uint16_t>(Method::kFenceFragment),
                 .header = encode(FenceFragment{place_of(id, all[i])}),
                 .deadline_ns = deadline_ns},
                i);
  }
  size_t fenced = 0;
  Status refused;
  while (auto finished = calls.next(deadline_ns)) {
    if (finished->result.ok()) {
      ++fenced;
    } else if (refused.ok()) {
      refused = finished->result.error();
    }
  }
  if (!refused.ok()) return refused;
  return fenced == all.size() ? Status() : away;
}

void ClusterBlocks::keep(BlockId id) {
  const std::shared_ptr<const ClusterView> view = views_.view();
  const auto location = view->locate(id);
  if (!location.ok()) return;
  for (const Asked& asked : everywhere(*view, *location)) {
    const auto client = client_of(*view, asked.device);
    if (!client.ok()) continue;
    (*client)->start(
        {.method = static_cast<uint16_t>(Method::kKeepObject), .header = encode(KeepObject{id})},
        [](const Result<rpc::Reply>&) {});
  }
}

Status ClusterBlocks::forget(BlockId id, Removal mark_or_fence) {
  std::string words = "some devices of its group are out of reach";
  const std::shared_ptr<const ClusterView> view = views_.view();
  const Location location = TRY(view->locate(id));
  const std::vector<Asked> all = everywhere(*view, location);
  if (all.size() >= location.devices.size() &&
      remove_from(*view, id, all, mark_or_fence, words).empty()) {
    return {};
  }
  return Error(Code::kUnavailable, "block " + to_hex(id) + ": " + words);
}

}  // namespace nacre::block
