#include "cluster/fragment_service.h"

#include <fmt/format.h>

#include <algorithm>

#include "codec/checksum.h"
#include "device/device.h"

namespace nacre::cluster {
namespace {

using block::kDeletedMark;
using block::kFence;

std::string words_of(const block::FragmentPlace& place) {
  return fmt::format("block {}, fragment {}", to_hex(place.id), place.fragment);
}

Result<wire::FragmentNote> note_of(const device::Fragment& fragment,
                                   const block::FragmentPlace& place) {
  Result<wire::FragmentNote> note = wire::decode_fragment_note(fragment.descriptor().extra);
  if (!note.ok()) return Error(note.code(), words_of(place) + ": " + note.error().context());
  return note;
}

Status put_mark(device::Device& device, const block::FragmentPlace& place, uint16_t mark) {
  const std::string note = wire::encode_fragment_note({.kind = wire::BlockKind::kDeleted});
  const Status marked = device.put(place.id, place.fragment | mark, {}, {.extra = as_bytes(note)});
  return marked.code() == Code::kExists ? Status() : marked;
}

}  // namespace

FragmentService::FragmentService(os::Clock& clock, DeviceSet& devices, block::ViewSource& views,
                                 Healer heal, int64_t grace_ns)
    : clock_(clock),
      devices_(devices),
      views_(views),
      heal_(std::move(heal)),
      grace_ns_(grace_ns),
      begun_ns_(clock.monotonic_ns()) {}

Result<std::shared_ptr<device::Device>> FragmentService::device_of(wire::DeviceNumber number) {
  const std::shared_ptr<const block::ClusterView> view = views_.view();
  const wire::ClusterDevice* const known = view->map.find_device(number);
  if (known == nullptr) {
    return Error(Code::kUnavailable, fmt::format("there is no device {}", number.value));
  }
  return devices_.find(known->id);
}

Result<rpc::Answer> FragmentService::handle(rpc::ServerCall& call) {
  switch (static_cast<block::Method>(call.method)) {
    case block::Method::kPutFragment:
      return put(call);
    case block::Method::kGetFragment:
      if (!open_for_reads_) {
        return Error(Code::kUnavailable, "the node still asks what was deleted while it was away");
      }
      return get(TRY(block::decode_get_fragment(call.header)));
    case block::Method::kRemoveFragment: {
      const auto removal = TRY(block::decode_remove_fragment(call.header));
      TRY(remove(removal.place, removal.what));
      return rpc::Answer{};
    }
    case block::Method::kFenceFragment:
      TRY(fence(TRY(block::decode_fence_fragment(call.header)).place));
      return rpc::Answer{};
    case block::Method::kKeepObject:
      keep(TRY(block::decode_keep_object(call.header)).object);
      return rpc::Answer{};
    case block::Method::kListFragments:
      return list(TRY(block::decode_list_fragments(call.header)));
    case block::Method::kHealFragment:
      heal_(TRY(block::decode_heal_fragment(call.header)).place);
      return rpc::Answer{};
    default:
      return Error(Code::kUnsupported, fmt::format("there is no call {}", call.method));
  }
}

// Writers with an old map are told so.
Status FragmentService::check_owner(const block::FragmentPlace& place) {
  const std::shared_ptr<const block::ClusterView> view = views_.view();
  const block::Location location = TRY(view->locate(place.id));
  const bool owns =
      place.fragment < location.devices.size() && location.devices[place.fragment] == place.device;
  if (owns) return {};
  return Error(Code::kUnavailable, words_of(place) + " belongs to another device by now");
}

// Answered when it is durable: until then no thread is kept.
Result<rpc::Answer> FragmentService::put(rpc::ServerCall& call) {
  auto given = TRY(block::decode_put_fragment(call.header));
  // Garbage is told by its age, so whose clock goes wrong must not matter.
  given.note.written = clock_.now();
  // The writer may know more of the map than this node does.
  if (views_.view()->map.epoch < given.epoch) TRY(views_.refresh());
  TRY(check_owner(given.place));
  const auto device = TRY(write(given, call.payload.view(), call.payload_xxh64));
  call.payload = {};  // the device has it
  durable_.add(device, [this, place = given.place, reply = call.defer()](const Status& synced) {
    // If the group moved meanwhile, whoever fills its new device may not have seen this one.
    const Status done = synced.ok() ? check_owner(place) : synced;
    reply(done.ok() ? Result<rpc::Answer>(rpc::Answer{}) : done.error());
  });
  return rpc::Answer{};
}

Status FragmentService::put(const block::PutFragment& call, ByteView payload,
                            uint64_t payload_xxh64) {
  const auto device = TRY(write(call, payload, payload_xxh64));
  return device->sync();
}

// Readable on return, and durable when the device is synced.
Result<std::shared_ptr<device::Device>> FragmentService::write(const block::PutFragment& call,
                                                               ByteView payload,
                                                               uint64_t payload_xxh64) {
  const block::FragmentPlace& place = call.place;
  if (payload_xxh64 != call.note.fragment_xxh64) {
    return Error(Code::kCorrupt, words_of(place) + " came other than it was sent");
  }
  auto device = TRY(device_of(place.device));
  const Status stored = admit(*device, call, payload);
  if (!stored.ok() && stored.code() == Code::kExists) {
    // Sent twice, because the first answer did not arrive.
    const device::Fragment there = TRY(device->find(place.id, place.fragment));
    const wire::FragmentNote has = TRY(note_of(there, place));
    const bool same =
        there.payload_bytes() == payload.size() && has.fragment_xxh64 == call.note.fragment_xxh64;
    if (!same) return stored.error();
    return device;
  }
  TRY(stored);
  ++puts_;
  put_bytes_ += payload.size();
  return device;
}

Status FragmentService::admit(device::Device& device, const block::PutFragment& call,
                              ByteView payload) {
  const block::FragmentPlace& place = call.place;
  const os::Lock lock(admission_of(place.id));
  if (device.find(place.id, place.fragment | kDeletedMark).ok()) {
    return Error(Code::kCancelled, words_of(place) + " was deleted before it came");
  }
  if (device.find(place.id, place.fragment | kFence).ok()) {
    return Error(Code::kCancelled, words_of(place) +
                                       " comes too late: nothing was heard of its writer, and the "
                                       "parts of its object are removed");
  }
  const std::string note = wire::encode_fragment_note(call.note);
  const device::Descriptor descriptor{.logical_bytes = static_cast<uint32_t>(payload.size()),
                                      .extra = as_bytes(note)};
  return device.put(place.id, place.fragment, {&payload, 1}, descriptor);
}

Status FragmentService::store(const block::FragmentPlace& place, const wire::FragmentNote& note,
                              ByteView payload) {
  block::PutFragment call{.place = place, .note = note};
  call.note.fragment_xxh64 = codec::xxh64(payload);
  return put(call, payload, call.note.fragment_xxh64);
}

bool FragmentService::has(const block::FragmentPlace& place) {
  const auto device = device_of(place.device);
  return device.ok() && (*device)->find(place.id, place.fragment).ok();
}

Result<wire::FragmentNote> FragmentService::note(const block::FragmentPlace& place) {
  const auto device = TRY(device_of(place.device));
  return note_of(TRY(device->find(place.id, place.fragment)), place);
}

Result<rpc::Answer> FragmentService::get(const block::GetFragment& call) {
  const auto device = TRY(device_of(call.place.device));
  const device::Fragment fragment = TRY(device->find(call.place.id, call.place.fragment));
  const uint64_t bytes = fragment.payload_bytes();
  const wire::FragmentNote note = TRY(note_of(fragment, call.place));
  rpc::Answer answer{
      .header = block::encode(block::FragmentFound{.note = note, .fragment_bytes = bytes})};
  ++gets_;
  if (call.offset >= bytes || call.length == 0) return answer;
  rpc::Buffer payload(std::min(call.length, bytes - call.offset));
  TRY(fragment.read(call.offset, payload.bytes()));
  get_bytes_ += payload.size();
  // The device has compared its own sums just now.
  if (call.by_writers_sum && payload.size() == bytes) answer.payload_xxh64 = note.fragment_xxh64;
  answer.payload = rpc::Payload::of(std::move(payload));
  return answer;
}

Result<wire::FragmentNote> FragmentService::verify(const block::FragmentPlace& place) {
  const auto device = TRY(device_of(place.device));
  const device::Fragment fragment = TRY(device->find(place.id, place.fragment));
  const wire::FragmentNote note = TRY(note_of(fragment, place));
  rpc::Buffer payload(fragment.payload_bytes());
  TRY(fragment.read(0, payload.bytes()));
  if (codec::xxh64(payload.view()) != note.fragment_xxh64) {
    return Error(Code::kCorrupt, words_of(place) + " is not as it was written");
  }
  return note;
}

Status FragmentService::remove(const block::FragmentPlace& place, block::Removal what) {
  const auto device = TRY(device_of(place.device));
  {
    const os::Lock lock(admission_of(place.id));
    if (what == block::Removal::kLeavingMark) TRY(put_mark(*device, place, kDeletedMark));
    unsigned number = place.fragment;
    if (what == block::Removal::kMark) number |= kDeletedMark;
    if (what == block::Removal::kFence) number |= kFence;
    TRY(device->remove(place.id, static_cast<uint16_t>(number)));
  }
  ++removals_;
  return device->sync();
}

Status FragmentService::fence(const block::FragmentPlace& place) {
  const auto device = TRY(device_of(place.device));
  if (is_kept(place.id)) {
    return Error(Code::kBusy, "whoever puts object " + to_hex(place.id) + " may be at it still");
  }
  {
    const os::Lock lock(admission_of(place.id));
    if (device->find(place.id, place.fragment).ok()) {
      return Error(Code::kExists, words_of(place) + " came before its fence");
    }
    TRY(put_mark(*device, place, kFence));
  }
  return device->sync();
}

void FragmentService::keep(BlockId object) {
  const int64_t now_ns = clock_.monotonic_ns();
  const os::Lock lock(mutex_);
  std::erase_if(kept_, [&](const auto& each) { return each.second + grace_ns_ < now_ns; });
  kept_[object] = now_ns;
}

// What was heard before this node started is not known.
bool FragmentService::is_kept(BlockId object) {
  const os::Lock lock(mutex_);
  const auto found = kept_.find(object);
  const int64_t heard_ns = found == kept_.end() ? begun_ns_ : found->second;
  return clock_.monotonic_ns() - heard_ns < grace_ns_;
}

bool FragmentService::is_deleted(const block::FragmentPlace& place) {
  const auto device = device_of(place.device);
  return device.ok() && (*device)->find(place.id, place.fragment | kDeletedMark).ok();
}

Result<rpc::Answer> FragmentService::list(const block::ListFragments& call) {
  if (views_.view()->map.epoch < call.min_epoch) (void)views_.refresh();
  if (views_.view()->map.epoch < call.min_epoch) {
    return Error(Code::kBusy, "this node has not heard of the latest change of the map yet");
  }
  const auto device = TRY(device_of(call.device));
  const block::ListedFragment after{call.after, call.after_fragment};
  std::vector<block::ListedFragment> found;
  // The smallest `limit` of those after the given one: the device gives them in no order.
  device->list([&](BlockId id, uint16_t fragment, const device::FragmentInfo&) {
    const uint32_t placement = wire::placement_of(id);
    const block::ListedFragment each{id, fragment};
    if (placement < call.first_placement || placement > call.last_placement) return true;
    if (!(after < each)) return true;
    found.push_back(each);
    std::ranges::push_heap(found);
    if (found.size() > call.limit) {
      std::ranges::pop_heap(found);
      found.pop_back();
    }
    return true;
  });
  std::ranges::sort(found);
  const std::string bytes = block::encode_fragment_list(found);
  rpc::Buffer payload(bytes.size());
  std::ranges::copy(as_bytes(bytes), payload.bytes().begin());
  return rpc::Answer{.payload = rpc::Payload::of(std::move(payload))};
}

FragmentCounters FragmentService::counters() const {
  return {.puts = puts_,
          .gets = gets_,
          .removals = removals_,
          .put_bytes = put_bytes_,
          .get_bytes = get_bytes_};
}

}  // namespace nacre::cluster
