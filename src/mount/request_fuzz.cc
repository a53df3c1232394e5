// Any bytes as a request, decoded as every kind of arguments there is.
#include <cstddef>
#include <cstdint>

#include "mount/request.h"

namespace nacre::mount {
namespace {

// Reads every byte that the views of some arguments cover.
volatile char sink;
void touch(ByteView bytes) {
  for (const std::byte b : bytes) sink = static_cast<char>(b);
}
void touch(std::string_view text) { touch(as_bytes(text)); }

void read_views(const auto& args) {
  if constexpr (requires { args.name; }) touch(args.name);
  if constexpr (requires { args.new_name; }) touch(args.new_name);
  if constexpr (requires { args.target; }) touch(args.target);
  if constexpr (requires { args.value; }) touch(args.value);
  if constexpr (requires { args.data; }) touch(args.data);
  if constexpr (requires { args.items; }) {
    for (size_t i = 0; i < args.size(); ++i) sink = static_cast<char>(args[i].nodeid);
  }
}

template <class... Args>
void decode_all(ByteView bytes, const Dialect& dialect) {
  const auto decode_one = [&]<class One>() {
    Arguments in(bytes);
    const One args = One::decode(in, dialect);
    if (in.ok()) read_views(args);
  };
  (decode_one.template operator()<Args>(), ...);
}

}  // namespace
}  // namespace nacre::mount

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace nacre::mount;
  const nacre::ByteView bytes = std::as_bytes(std::span(data, size));
  [[maybe_unused]] const auto request = parse_request(bytes);
  for (const bool extended : {false, true}) {
    decode_all<NoArgs, ReleasedirArgs, NameArgs, ForgetArgs, BatchForgetArgs, GetattrArgs,
               SetattrArgs, StatxArgs, MknodArgs, MkdirArgs, SymlinkArgs, CreateArgs, LinkArgs,
               RenameArgs, Rename2Args, ReadArgs, WriteArgs, FsyncArgs, FallocateArgs, LseekArgs,
               CopyArgs, GetxattrArgs, ListxattrArgs, SetxattrArgs, RemovexattrArgs>(
        bytes, {.setxattr_ext = extended});
  }
  return 0;
}
