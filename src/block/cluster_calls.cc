#include "block/cluster_calls.h"

#include "proto/cluster.pb.h"
#include "wire/cursor.h"

namespace nacre::block {
namespace {

Error no_message(const char* what) {
  return Error(Code::kCorrupt, std::string("what came does not decode as ") + what);
}

template <class Message>
Result<Message> parse(std::string_view header, const char* what) {
  Message message;
  if (!message.ParseFromArray(header.data(), static_cast<int>(header.size()))) {
    return no_message(what);
  }
  return message;
}

void pack(const FragmentPlace& place, proto::FragmentKey& key) {
  key.set_id_high(place.id.high);
  key.set_id_low(place.id.low);
  key.set_fragment(place.fragment);
  key.set_device(place.device.value);
}

Result<FragmentPlace> unpack(const proto::FragmentKey& key) {
  if (key.fragment() >= codec::kMaxFragments) return no_message("the place of a fragment");
  return FragmentPlace{.device = {key.device()},
                       .id = {key.id_high(), key.id_low()},
                       .fragment = static_cast<uint16_t>(key.fragment())};
}

}  // namespace

std::string encode(const PutFragment& call) {
  proto::PutFragment message;
  pack(call.place, *message.mutable_key());
  message.set_note(wire::encode_fragment_note(call.note));
  message.set_epoch(call.epoch);
  return message.SerializeAsString();
}

Result<PutFragment> decode_put_fragment(std::string_view header) {
  const auto message = TRY(parse<proto::PutFragment>(header, "a fragment to put"));
  return PutFragment{.place = TRY(unpack(message.key())),
                     .note = TRY(wire::decode_fragment_note(as_bytes(message.note()))),
                     .epoch = message.epoch()};
}

std::string encode(const GetFragment& call) {
  proto::GetFragment message;
  pack(call.place, *message.mutable_key());
  message.set_offset(call.offset);
  message.set_length(call.length);
  message.set_by_writers_sum(call.by_writers_sum);
  return message.SerializeAsString();
}

Result<GetFragment> decode_get_fragment(std::string_view header) {
  const auto message = TRY(parse<proto::GetFragment>(header, "a fragment to get"));
  return GetFragment{.place = TRY(unpack(message.key())),
                     .offset = message.offset(),
                     .length = message.length(),
                     .by_writers_sum = message.by_writers_sum()};
}

std::string encode(const FragmentFound& answer) {
  proto::FragmentFound message;
  message.set_note(wire::encode_fragment_note(answer.note));
  message.set_fragment_bytes(answer.fragment_bytes);
  return message.SerializeAsString();
}

Result<FragmentFound> decode_fragment_found(std::string_view header) {
  const auto message = TRY(parse<proto::FragmentFound>(header, "a fragment found"));
  return FragmentFound{.note = TRY(wire::decode_fragment_note(as_bytes(message.note()))),
                       .fragment_bytes = message.fragment_bytes()};
}

std::string encode(const RemoveFragment& call) {
  proto::RemoveFragment message;
  pack(call.place, *message.mutable_key());
  message.set_what(static_cast<uint32_t>(call.what));
  return message.SerializeAsString();
}

Result<RemoveFragment> decode_remove_fragment(std::string_view header) {
  const auto message = TRY(parse<proto::RemoveFragment>(header, "a fragment to remove"));
  if (message.what() > static_cast<uint32_t>(Removal::kFence)) {
    return no_message("a fragment to remove");
  }
  return RemoveFragment{.place = TRY(unpack(message.key())),
                        .what = static_cast<Removal>(message.what())};
}

std::string encode(const FenceFragment& call) {
  proto::FenceFragment message;
  pack(call.place, *message.mutable_key());
  return message.SerializeAsString();
}

Result<FenceFragment> decode_fence_fragment(std::string_view header) {
  const auto message = TRY(parse<proto::FenceFragment>(header, "a fragment to fence"));
  return FenceFragment{.place = TRY(unpack(message.key()))};
}

std::string encode(const KeepObject& call) {
  proto::KeepObject message;
  message.set_id_high(call.object.high);
  message.set_id_low(call.object.low);
  return message.SerializeAsString();
}

Result<KeepObject> decode_keep_object(std::string_view header) {
  const auto message = TRY(parse<proto::KeepObject>(header, "an object to keep"));
  return KeepObject{.object = {message.id_high(), message.id_low()}};
}

std::string encode(const HealFragment& call) {
  proto::HealFragment message;
  pack(call.place, *message.mutable_key());
  return message.SerializeAsString();
}

Result<HealFragment> decode_heal_fragment(std::string_view header) {
  const auto message = TRY(parse<proto::HealFragment>(header, "a fragment to heal"));
  return HealFragment{.place = TRY(unpack(message.key()))};
}

std::string encode(const ListFragments& call) {
  proto::ListFragments message;
  message.set_device(call.device.value);
  message.set_first_placement(call.first_placement);
  message.set_last_placement(call.last_placement);
  message.set_after_high(call.after.high);
  message.set_after_low(call.after.low);
  message.set_after_fragment(call.after_fragment);
  message.set_limit(call.limit);
  message.set_min_epoch(call.min_epoch);
  return message.SerializeAsString();
}

Result<ListFragments> decode_list_fragments(std::string_view header) {
  const auto message = TRY(parse<proto::ListFragments>(header, "a list to give"));
  if (message.after_fragment() > UINT16_MAX) return no_message("a list to give");
  return ListFragments{.device = {message.device()},
                       .first_placement = message.first_placement(),
                       .last_placement = message.last_placement(),
                       .after = {message.after_high(), message.after_low()},
                       .after_fragment = static_cast<uint16_t>(message.after_fragment()),
                       .limit = std::min(message.limit(), kListedMax),
                       .min_epoch = message.min_epoch()};
}

std::string encode_fragment_list(const std::vector<ListedFragment>& list) {
  std::string bytes;
  wire::Writer out(bytes);
  for (const ListedFragment& each : list) {
    out.id(each.id);
    out.u16(each.fragment);
  }
  return bytes;
}

Result<std::vector<ListedFragment>> decode_fragment_list(ByteView payload) {
  std::vector<ListedFragment> list;
  wire::Reader in(payload);
  while (in.remaining() > 0) list.push_back({.id = in.id<BlockId>(), .fragment = in.u16()});
  TRY(in.finish("a list of fragments"));
  return list;
}

}  // namespace nacre::block
