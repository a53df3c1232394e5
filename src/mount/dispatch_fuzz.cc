// Conversations: requests with any arguments, one after another, on a small tree. Each record of
// the input is an opcode, a node, the length of the arguments in two bytes, and the arguments.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "mount/dispatch.h"
#include "mount/test_port.h"
#include "mount/test_tree.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace nacre;
  using namespace nacre::mount;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto take = [&input](size_t count) {
    const std::string_view taken = input.substr(0, count);
    input.remove_prefix(taken.size());
    return taken;
  };
  const auto number = [&take] {
    const std::string_view byte = take(1);
    return byte.empty() ? size_t{0} : static_cast<uint8_t>(byte[0]);
  };

  const size_t flags = number();
  TestTree tree;
  TestPort port;
  Notifier notifier(port);
  notifier.start();
  Session session = {.tree = tree,
                     .notifier = notifier,
                     .features = {.dialect = {.setxattr_ext = (flags & 1) != 0},
                                  .write_back = (flags & 2) != 0,
                                  .no_open = (flags & 4) != 0},
                     .cache_missing_names = (flags & 8) != 0,
                     .uncached = {},
                     .listers = {}};
  RequestCounts counts;
  std::string buffer(65536, '\0');
  while (!input.empty()) {
    const auto opcode = static_cast<uint32_t>(number());
    const InodeId node{number() % 8};
    const size_t length = number() + 256 * number();
    dispatch(session, as_bytes(message(opcode, node, take(length))), port,
             as_writable_bytes(buffer), counts);
  }
  return 0;
}
