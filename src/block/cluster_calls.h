// The calls that a node of a cluster answers, as values: their headers are messages of
// proto/cluster.proto, and this is the only place that writes or reads them. Pure functions, safe
// from any thread. Every decoder gives kCorrupt for bytes that are no such message.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "wire/cluster_layout.h"
#include "wire/fragment_layout.h"

namespace nacre::block {

enum class Method : uint16_t {
  kGetMap = 1,  // without a header; the answer's payload is encode_view()'s
  kJoin = 2,    // what guests may call; its header and the answer's are the node's own
  kPutFragment = 16,
  kGetFragment = 17,
  kRemoveFragment = 18,
  kListFragments = 19,
  kHealFragment = 20,
  kFenceFragment = 21,
  kKeepObject = 22,
  kCommand = 32,  // of operators: its header and the answer's are the node's own
};

struct FragmentPlace {
  wire::DeviceNumber device = {};
  BlockId id = {};
  uint16_t fragment = 0;
  friend bool operator==(const FragmentPlace&, const FragmentPlace&) = default;
};

// Stores the payload as a fragment, and answers when it is durable. Storing the same again is no
// error; storing something else under the same place is kExists.
struct PutFragment {
  FragmentPlace place = {};
  wire::FragmentNote note = {};
  uint64_t epoch = 0;  // of the map that the writer goes by
};
std::string encode(const PutFragment& call);
Result<PutFragment> decode_put_fragment(std::string_view header);

// The answer's payload is the part of the fragment that begins at `offset`.
struct GetFragment {
  FragmentPlace place = {};
  uint64_t offset = 0;
  uint64_t length = 0;  // 0: nothing but what is known of it; less comes where it ends
  // All of a fragment may come under the sum that its writer gave it: what the device has instead
  // looks as if it were damaged on its way. Else the sum is of what is sent.
  bool by_writers_sum = false;
};
std::string encode(const GetFragment& call);
Result<GetFragment> decode_get_fragment(std::string_view header);

struct FragmentFound {
  wire::FragmentNote note = {};
  uint64_t fragment_bytes = 0;
};
std::string encode(const FragmentFound& answer);
Result<FragmentFound> decode_fragment_found(std::string_view header);

enum class Removal : uint8_t {
  kFragment = 0,
  // And remember that it is deleted, for nodes that are out of reach now: they ask when they are
  // back.
  kLeavingMark = 1,
  kMark = 2,  // what kLeavingMark left
  kFence = 3,
};
// Durable when answered. What is not there is no error.
struct RemoveFragment {
  FragmentPlace place = {};
  Removal what = Removal::kFragment;
};
std::string encode(const RemoveFragment& call);
Result<RemoveFragment> decode_remove_fragment(std::string_view header);

// Refuses that fragment from then on, durably: its writer is thought dead, and what belongs to it
// is to go. kExists when it came before; kBusy when the writer gave a sign of life not long ago.
struct FenceFragment {
  FragmentPlace place = {};
};
std::string encode(const FenceFragment& call);
Result<FenceFragment> decode_fence_fragment(std::string_view header);

// A sign of life of whoever puts that object, whose parts come before itself.
struct KeepObject {
  BlockId object = {};
};
std::string encode(const KeepObject& call);
Result<KeepObject> decode_keep_object(std::string_view header);

// Set in the number of a fragment that is listed because it is remembered as deleted, or fenced.
inline constexpr uint16_t kDeletedMark = 0x8000;
inline constexpr uint16_t kFence = 0x4000;

inline constexpr uint32_t kListedMax = 1u << 16;
// Which fragments a device has, and of which it remembers that they are deleted, in the order of id
// and number. The answer's payload is what encode_fragment_list() makes.
struct ListFragments {
  wire::DeviceNumber device = {};
  uint32_t first_placement = 0;
  uint32_t last_placement = wire::kPlacements - 1;
  BlockId after = {};  // begins after this one
  uint16_t after_fragment = 0;
  uint32_t limit = 0;      // at most kListedMax
  uint64_t min_epoch = 0;  // kBusy from a node that does not know the map of this epoch yet
};
std::string encode(const ListFragments& call);
Result<ListFragments> decode_list_fragments(std::string_view header);

struct ListedFragment {
  BlockId id = {};
  uint16_t fragment = 0;
  friend auto operator<=>(const ListedFragment&, const ListedFragment&) = default;
};
std::string encode_fragment_list(const std::vector<ListedFragment>& list);
Result<std::vector<ListedFragment>> decode_fragment_list(ByteView payload);

// Asks the node to look at its fragment, and to rebuild it from the others if it is damaged or
// missing. Answered before that is done.
struct HealFragment {
  FragmentPlace place = {};
};
std::string encode(const HealFragment& call);
Result<HealFragment> decode_heal_fragment(std::string_view header);

}  // namespace nacre::block
