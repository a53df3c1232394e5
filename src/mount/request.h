// What the kernel asks: the bytes of one request, decoded and checked. Pure: no system calls, no
// state.
//
// Nothing from the wire is trusted. Every length is checked against the bytes that are there, names
// end within them, and numbers that the tree takes as enums are known ones. Views point into the
// message and live as long as it does.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "fs/tree.h"
#include "meta/types.h"
#include "mount/abi.h"

namespace nacre::mount {

// A request before its arguments are looked at.
struct Request {
  uint32_t opcode = 0;
  uint64_t unique = 0;  // names the request in its answer
  InodeId node;
  fs::Caller caller;  // the umask is zero here; it travels with the arguments that need it
  ByteView arguments;
};

// kInvalid if the message is shorter than its header or than its header says.
Result<Request> parse_request(ByteView message);

// Takes arguments from the front of a request. After a take that does not fit ok() is false for
// good, and that take and all later ones give zeros and empty views.
class Arguments {
 public:
  explicit Arguments(ByteView bytes) : rest_(bytes) {}

  bool ok() const { return ok_; }
  void refuse() { ok_ = false; }
  ByteView bytes(size_t count);
  // Text up to a NUL, which is taken too.
  std::string_view text();
  // As text(), and fit for a directory entry: not empty, not "." or "..", without a slash.
  std::string_view name();
  // A struct of the protocol. `count`: how many of its bytes this kernel sends; the rest are zero.
  template <class T>
  T fixed(size_t count = sizeof(T)) {
    static_assert(std::is_trivially_copyable_v<T>);
    T value = {};
    const ByteView from = bytes(count);
    if (!from.empty()) std::memcpy(&value, from.data(), from.size());
    return value;
  }

 private:
  ByteView rest_;
  bool ok_ = true;
};

// What of the layouts depends on the handshake.
struct Dialect {
  bool setxattr_ext = false;
};

// The arguments of each operation. decode() leaves `in.ok()` false when they are malformed; the
// value is then meaningless.

struct NoArgs {
  static NoArgs decode(Arguments& in, const Dialect& dialect);
};

struct ReleasedirArgs {
  uint64_t handle;
  static ReleasedirArgs decode(Arguments& in, const Dialect& dialect);
};

struct NameArgs {  // LOOKUP, UNLINK, RMDIR
  std::string_view name;
  static NameArgs decode(Arguments& in, const Dialect& dialect);
};

struct ForgetArgs {
  uint64_t references;
  static ForgetArgs decode(Arguments& in, const Dialect& dialect);
};

struct BatchForgetArgs {
  ByteView items;  // fuse_forget_one, packed
  size_t size() const { return items.size() / sizeof(fuse_forget_one); }
  fuse_forget_one operator[](size_t index) const;
  static BatchForgetArgs decode(Arguments& in, const Dialect& dialect);
};

struct GetattrArgs {
  bool of_open_file;  // not stat: a read, a write or a seek
  static GetattrArgs decode(Arguments& in, const Dialect& dialect);
};

struct SetattrArgs {
  meta::SetAttr change;
  static SetattrArgs decode(Arguments& in, const Dialect& dialect);
};

struct StatxArgs {
  uint32_t mask;
  static StatxArgs decode(Arguments& in, const Dialect& dialect);
};

struct MknodArgs {
  fs::NewNode node;
  uint32_t umask;
  std::string_view name;
  static MknodArgs decode(Arguments& in, const Dialect& dialect);
};

struct MkdirArgs {
  fs::NewNode node;
  uint32_t umask;
  std::string_view name;
  static MkdirArgs decode(Arguments& in, const Dialect& dialect);
};

struct SymlinkArgs {
  std::string_view name;
  std::string_view target;
  static SymlinkArgs decode(Arguments& in, const Dialect& dialect);
};

struct CreateArgs {
  fs::NewNode node;
  uint32_t umask;
  uint32_t flags;  // of open(2)
  std::string_view name;
  static CreateArgs decode(Arguments& in, const Dialect& dialect);
};

struct LinkArgs {
  InodeId from;
  std::string_view name;
  static LinkArgs decode(Arguments& in, const Dialect& dialect);
};

struct RenameArgs {
  InodeId new_parent;
  fs::RenameMode mode;
  std::string_view name;
  std::string_view new_name;
  static RenameArgs decode(Arguments& in, const Dialect& dialect);
};

struct Rename2Args : RenameArgs {
  static Rename2Args decode(Arguments& in, const Dialect& dialect);
};

struct ReadArgs {   // READ, READDIR, READDIRPLUS
  uint64_t offset;  // bytes, or the cookie of a directory entry
  uint32_t size_bytes;
  static ReadArgs decode(Arguments& in, const Dialect& dialect);
};

struct WriteArgs {
  uint64_t offset;
  ByteView data;
  fs::WriteOptions options;
  static WriteArgs decode(Arguments& in, const Dialect& dialect);
};

struct FsyncArgs {
  fs::SyncScope scope;
  static FsyncArgs decode(Arguments& in, const Dialect& dialect);
};

struct FallocateArgs {
  uint64_t offset;
  uint64_t length;
  uint32_t flags;  // FALLOC_FL_*
  static FallocateArgs decode(Arguments& in, const Dialect& dialect);
};

struct LseekArgs {
  uint64_t offset;
  fs::SeekKind kind;
  static LseekArgs decode(Arguments& in, const Dialect& dialect);
};

struct CopyArgs {
  InodeId to;
  uint64_t from_offset;
  uint64_t to_offset;
  uint64_t length;
  static CopyArgs decode(Arguments& in, const Dialect& dialect);
};

struct GetxattrArgs {
  uint32_t size_bytes;  // 0: only the length is asked for
  std::string_view name;
  static GetxattrArgs decode(Arguments& in, const Dialect& dialect);
};

struct ListxattrArgs {
  uint32_t size_bytes;
  static ListxattrArgs decode(Arguments& in, const Dialect& dialect);
};

struct SetxattrArgs {
  std::string_view name;
  std::string_view value;
  fs::XattrMode mode;
  bool kill_sgid;
  static SetxattrArgs decode(Arguments& in, const Dialect& dialect);
};

struct RemovexattrArgs {
  std::string_view name;
  static RemovexattrArgs decode(Arguments& in, const Dialect& dialect);
};

}  // namespace nacre::mount
