// A small but complete tree in memory, for tests of the shell. One lock, no permissions, no
// history.
//
// Names that begin with "fleeting" make entries that are not cacheable.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstring>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "fs/tree.h"
#include "mount/test_content.h"
#include "os/clock.h"
#include "os/mutex.h"

namespace nacre::mount {

class TestTree final : public fs::Tree {
 public:
  TestTree() {
    Node& root = nodes_[kRootInode];
    root.attr.ino = kRootInode;
    root.attr.type = meta::FileType::kDirectory;
    root.attr.mode = 0755;
    root.attr.nlink = 2;
    root.parent = kRootInode;
    root.references = 1;
  }

  // What tests look at.
  size_t node_count() {
    const os::Lock lock(mutex_);
    return nodes_.size();
  }
  fs::WriteOptions last_write() {
    const os::Lock lock(mutex_);
    return last_write_;
  }
  std::vector<fs::SyncScope> syncs() {
    const os::Lock lock(mutex_);
    return syncs_;
  }
  // Lets sync() wait until held no more.
  void hold_syncs(bool held) {
    const os::Lock lock(mutex_);
    held_ = held;
    released_.notify_all();
  }
  int waiting_syncs() {
    const os::Lock lock(mutex_);
    return waiting_syncs_;
  }
  uint64_t size_of(InodeId ino) {
    const os::Lock lock(mutex_);
    return nodes_[ino].content.size();
  }

  Result<fs::Entry> lookup(InodeId parent, std::string_view name) override {
    const os::Lock lock(mutex_);
    if (name.size() > meta::kMaxNameBytes) return Code::kNameTooLong;
    Node* dir = TRY(directory(parent));
    return hand_out(*TRY(child(*dir, name)), name);
  }

  void forget(InodeId ino, uint64_t references) override {
    const os::Lock lock(mutex_);
    const auto found = nodes_.find(ino);
    if (found == nodes_.end()) return;
    found->second.references -= std::min(references, found->second.references);
    drop_if_unused(found->second);
  }

  Result<meta::Attr> get_attr(InodeId ino) override {
    const os::Lock lock(mutex_);
    return attr_of(*TRY(node(ino)));
  }

  Result<meta::Attr> set_attr(const fs::Caller&, InodeId ino,
                              const meta::SetAttr& change) override {
    const os::Lock lock(mutex_);
    Node& n = *TRY(node(ino));
    if (change.size.value_or(0) > kMaxBytes) return Code::kTooBig;
    if (change.kill_suid_sgid) kill_suid_sgid(n);
    n.attr.mode = change.mode.value_or(n.attr.mode);
    n.attr.uid = change.uid.value_or(n.attr.uid);
    n.attr.gid = change.gid.value_or(n.attr.gid);
    n.attr.ctime = change.ctime.value_or(now());
    if (change.size) {
      n.content.resize(*change.size);
      if (times_ == fs::TimesBy::kTree) n.attr.mtime = now();
    }
    if (change.atime || change.atime_now) n.attr.atime = change.atime.value_or(now());
    if (change.mtime || change.mtime_now) n.attr.mtime = change.mtime.value_or(now());
    return attr_of(n);
  }

  Result<std::string> read_link(InodeId ino) override {
    const os::Lock lock(mutex_);
    const Node& n = *TRY(node(ino));
    if (n.attr.type != meta::FileType::kSymlink) return Code::kInvalid;
    return n.target;
  }

  Result<fs::Entry> make_node(const fs::Caller& caller, InodeId parent, std::string_view name,
                              const fs::NewNode& made) override {
    const os::Lock lock(mutex_);
    Node& dir = *TRY(directory(parent));
    TRY(check_free(dir, name));
    const bool is_directory = made.type == meta::FileType::kDirectory;
    const bool setgid = (dir.attr.mode & 02000) != 0;
    const InodeId ino{next_ino_++};
    Node& n = nodes_[ino];
    n.attr.ino = ino;
    n.attr.birth = {0, ino.value};
    n.attr.type = made.type;
    n.attr.mode = (made.mode & ~caller.umask) | (setgid && is_directory ? 02000u : 0u);
    n.attr.uid = caller.uid;
    n.attr.gid = setgid ? dir.attr.gid : caller.gid;
    n.attr.nlink = is_directory ? 2 : 1;
    n.attr.rdev = made.rdev;
    n.attr.atime = n.attr.mtime = n.attr.ctime = n.attr.btime = now();
    n.parent = parent;
    n.target = made.target;
    add_name(dir, name, n);
    return hand_out(n, name);
  }

  Result<fs::Entry> link(InodeId ino, InodeId new_parent, std::string_view new_name) override {
    const os::Lock lock(mutex_);
    Node& n = *TRY(node(ino));
    Node& dir = *TRY(directory(new_parent));
    TRY(check_free(dir, new_name));
    ++n.attr.nlink;
    n.attr.ctime = now();
    add_name(dir, new_name, n);
    return hand_out(n, new_name);
  }

  Status unlink(InodeId parent, std::string_view name) override {
    const os::Lock lock(mutex_);
    Node& dir = *TRY(directory(parent));
    Node& n = *TRY(child(dir, name));
    if (is_directory(n)) return Code::kIsDirectory;
    remove_name(dir, name, n);
    unlinked(n);
    return {};
  }

  Status remove_directory(InodeId parent, std::string_view name) override {
    const os::Lock lock(mutex_);
    Node& dir = *TRY(directory(parent));
    Node& n = *TRY(child(dir, name));
    if (!is_directory(n)) return Code::kNotDirectory;
    if (!n.names.empty()) return Code::kNotEmpty;
    remove_name(dir, name, n);
    unlinked(n);
    return {};
  }

  Status rename(InodeId parent, std::string_view name, InodeId new_parent,
                std::string_view new_name, fs::RenameMode mode) override {
    const os::Lock lock(mutex_);
    Node& from = *TRY(directory(parent));
    Node& to = *TRY(directory(new_parent));
    Node& moved = *TRY(child(from, name));
    if (new_name.size() > meta::kMaxNameBytes) return Code::kNameTooLong;
    const Result<Node*> found = child(to, new_name);
    if (mode == fs::RenameMode::kExchange && !found.ok()) return found.error();
    if (mode == fs::RenameMode::kNoReplace && found.ok()) return Code::kExists;
    Node* const replaced = found.ok() ? *found : nullptr;
    if (replaced == &moved) return {};
    if (replaced != nullptr && mode == fs::RenameMode::kReplace) {
      if (is_directory(*replaced) && !is_directory(moved)) return Code::kIsDirectory;
      if (!is_directory(*replaced) && is_directory(moved)) return Code::kNotDirectory;
      if (!replaced->names.empty()) return Code::kNotEmpty;
    }
    remove_name(from, name, moved);
    if (replaced != nullptr) remove_name(to, new_name, *replaced);
    add_name(to, new_name, moved);
    moved.attr.ctime = now();
    if (mode == fs::RenameMode::kExchange) {
      add_name(from, name, *replaced);
    } else if (replaced != nullptr) {
      unlinked(*replaced);
    }
    return {};
  }

  Status read_directory(InodeId ino, uint64_t cookie, bool with_attr,
                        const std::function<bool(const fs::DirectoryEntry&)>& sink) override {
    const os::Lock lock(mutex_);
    Node& dir = *TRY(directory(ino));
    constexpr auto kDirectory = meta::FileType::kDirectory;
    if (cookie < 1 && !sink({".", ino, kDirectory, 1, nullptr})) return {};
    if (cookie < 2 && !sink({"..", dir.parent, kDirectory, 2, nullptr})) return {};
    for (auto at = dir.by_cookie.upper_bound(cookie); at != dir.by_cookie.end(); ++at) {
      Node& n = nodes_[at->second.ino];
      const meta::Attr attr = attr_of(n);
      const bool shown = with_attr && !is_fleeting(at->second.name);
      if (!sink({at->second.name, n.attr.ino, n.attr.type, at->first, shown ? &attr : nullptr}))
        break;
      if (shown) ++n.references;
    }
    return {};
  }

  Result<size_t> read(InodeId ino, uint64_t offset, MutableBytes into) override {
    const os::Lock lock(mutex_);
    return TRY(node(ino))->content.read(offset, into);
  }

  void leave_times_to_kernel() override { times_ = fs::TimesBy::kKernel; }

  Status write(InodeId ino, uint64_t offset, ByteView data,
               const fs::WriteOptions& options) override {
    const os::Lock lock(mutex_);
    Node& n = *TRY(node(ino));
    if (offset > kMaxBytes - std::min<uint64_t>(data.size(), kMaxBytes)) return Code::kTooBig;
    last_write_ = options;
    if (options.kill_suid_sgid) kill_suid_sgid(n);
    n.content.write(offset, data);
    if (times_ == fs::TimesBy::kTree) n.attr.mtime = n.attr.ctime = now();
    return {};
  }

  Status sync(InodeId ino, fs::SyncScope scope) override {
    const os::Lock lock(mutex_);
    TRY(node(ino));
    ++waiting_syncs_;
    while (held_) released_.wait(mutex_);
    --waiting_syncs_;
    syncs_.push_back(scope);
    return {};
  }

  Status allocate(InodeId ino, uint64_t offset, uint64_t length, fs::AllocateMode mode) override {
    const os::Lock lock(mutex_);
    TestContent& content = TRY(node(ino))->content;
    if (offset > kMaxBytes || length > kMaxBytes - offset) return Code::kTooBig;
    const bool grows = mode == fs::AllocateMode::kAllocate || mode == fs::AllocateMode::kZeroRange;
    const bool zeroes = mode != fs::AllocateMode::kAllocate && mode != fs::AllocateMode::kKeepSize;
    if (zeroes && offset < content.size()) {
      content.zero(offset, std::min(length, content.size() - offset));
    }
    if (grows) content.resize(std::max(content.size(), offset + length));
    return {};
  }

  Result<uint64_t> seek(InodeId ino, uint64_t offset, fs::SeekKind kind) override {
    const os::Lock lock(mutex_);
    return TRY(node(ino))->content.seek(offset, kind);
  }

  Result<uint64_t> copy_range(InodeId from, uint64_t from_offset, InodeId to, uint64_t to_offset,
                              uint64_t length) override {
    const os::Lock lock(mutex_);
    const TestContent& source = TRY(node(from))->content;
    TestContent& target = TRY(node(to))->content;
    if (from_offset >= source.size()) return uint64_t{0};
    if (to_offset > kMaxBytes - source.size()) return Code::kTooBig;
    std::string bytes(std::min(length, source.size() - from_offset), '\0');
    source.read(from_offset, as_writable_bytes(bytes));
    target.write(to_offset, as_bytes(bytes));
    return uint64_t{bytes.size()};
  }

  Result<std::string> get_xattr(InodeId ino, std::string_view name) override {
    const os::Lock lock(mutex_);
    const auto& xattrs = TRY(node(ino))->xattrs;
    const auto found = xattrs.find(std::string(name));
    if (found == xattrs.end()) return Code::kNoData;
    return found->second;
  }

  Status set_xattr(InodeId ino, std::string_view name, std::string_view value, fs::XattrMode mode,
                   bool kill_sgid) override {
    const os::Lock lock(mutex_);
    Node& n = *TRY(node(ino));
    const bool exists = n.xattrs.contains(std::string(name));
    if (mode == fs::XattrMode::kCreate && exists) return Code::kExists;
    if (mode == fs::XattrMode::kReplace && !exists) return Code::kNoData;
    if (kill_sgid) n.attr.mode &= ~02000u;
    if (name == "system.posix_acl_access") n.attr.mode = mode_with_acl(n.attr.mode, value);
    n.xattrs[std::string(name)] = value;
    n.attr.ctime = now();
    return {};
  }

  Result<std::vector<std::string>> list_xattrs(InodeId ino) override {
    const os::Lock lock(mutex_);
    std::vector<std::string> names;
    for (const auto& [name, value] : TRY(node(ino))->xattrs) names.push_back(name);
    return names;
  }

  Status remove_xattr(InodeId ino, std::string_view name) override {
    const os::Lock lock(mutex_);
    if (TRY(node(ino))->xattrs.erase(std::string(name)) == 0) return Code::kNoData;
    return {};
  }

  bool is_scarce() const override { return scarce_; }
  Status admit_write(InodeId, uint64_t bytes) override {
    return bytes > room_bytes_ ? Status(Code::kNoSpace) : Status();
  }
  // While scarce, writes of more than `room_bytes` at once find no room.
  void set_scarce(bool scarce, uint64_t room_bytes = UINT64_MAX) {
    scarce_ = scarce;
    room_bytes_ = room_bytes;
  }

  Result<fs::TreeSpace> space() override {
    return fs::TreeSpace{.block_bytes = 4096,
                         .blocks = 1'000'000,
                         .free_blocks = 600'000,
                         .available_blocks = 500'000,
                         .inodes = 100'000,
                         .free_inodes = 90'000};
  }

 private:
  static constexpr uint64_t kMaxBytes = uint64_t{256} << 20;
  std::atomic<bool> scarce_ = false;
  std::atomic<uint64_t> room_bytes_ = UINT64_MAX;

  struct Child {
    InodeId ino;
    uint64_t cookie;
  };
  struct Named {
    std::string name;
    InodeId ino;
  };
  struct Node {
    meta::Attr attr;
    uint64_t references = 0;
    TestContent content;
    std::string target;
    std::map<std::string, std::string> xattrs;
    // Of a directory.
    InodeId parent;
    std::unordered_map<std::string, Child> names;
    std::map<uint64_t, Named> by_cookie;
  };

  static Timestamp now() { return os::real_clock().now(); }
  static bool is_fleeting(std::string_view name) { return name.starts_with("fleeting"); }
  static bool is_directory(const Node& n) { return n.attr.type == meta::FileType::kDirectory; }

  static void kill_suid_sgid(Node& n) {
    n.attr.mode &= ~04000u;
    if ((n.attr.mode & 010) != 0) n.attr.mode &= ~02000u;
  }

  // The permission bits that go with an ACL in the kernel's xattr format: a version word, then
  // entries of {tag, permissions, id}.
  static uint32_t mode_with_acl(uint32_t mode, std::string_view acl) {
    struct AclEntry {
      uint16_t tag;
      uint16_t permissions;
      uint32_t id;
    };
    constexpr uint16_t kOwner = 1, kGroup = 4, kMask = 0x10, kOther = 0x20;
    uint32_t owner = 0, group = 0, other = 0;
    for (size_t at = 4; at + sizeof(AclEntry) <= acl.size(); at += sizeof(AclEntry)) {
      AclEntry entry;
      std::memcpy(&entry, acl.data() + at, sizeof(entry));
      if (entry.tag == kOwner) owner = entry.permissions;
      if (entry.tag == kGroup || entry.tag == kMask) group = entry.permissions;  // the mask is last
      if (entry.tag == kOther) other = entry.permissions;
    }
    return (mode & 07000) | (owner << 6) | (group << 3) | other;
  }

  Result<Node*> node(InodeId ino) REQUIRES(mutex_) {
    const auto found = nodes_.find(ino);
    if (found == nodes_.end()) return Code::kNotFound;
    return &found->second;
  }
  Result<Node*> directory(InodeId ino) REQUIRES(mutex_) {
    Node* n = TRY(node(ino));
    if (!is_directory(*n)) return Code::kNotDirectory;
    return n;
  }
  Result<Node*> child(Node& dir, std::string_view name) REQUIRES(mutex_) {
    const auto found = dir.names.find(std::string(name));
    if (found == dir.names.end()) return Code::kNotFound;
    return node(found->second.ino);
  }
  Status check_free(Node& dir, std::string_view name) REQUIRES(mutex_) {
    if (name.size() > meta::kMaxNameBytes) return Code::kNameTooLong;
    if (dir.names.contains(std::string(name))) return Code::kExists;
    if (dir.attr.nlink == 0) return Code::kNotFound;  // removed while somebody is in it
    return {};
  }

  fs::Entry hand_out(Node& n, std::string_view name) REQUIRES(mutex_) {
    ++n.references;
    return {attr_of(n), !is_fleeting(name)};
  }
  meta::Attr attr_of(const Node& n) REQUIRES(mutex_) {
    meta::Attr attr = n.attr;
    attr.size = n.content.size();
    if (attr.type == meta::FileType::kDirectory) attr.size = n.names.size();
    if (attr.type == meta::FileType::kSymlink) attr.size = n.target.size();
    attr.allocated_bytes = n.content.allocated_bytes();
    return attr;
  }

  void add_name(Node& dir, std::string_view name, Node& n) REQUIRES(mutex_) {
    const uint64_t cookie = next_cookie_++;
    dir.names[std::string(name)] = {n.attr.ino, cookie};
    dir.by_cookie[cookie] = {std::string(name), n.attr.ino};
    dir.attr.mtime = dir.attr.ctime = now();
    n.parent = dir.attr.ino;
    if (is_directory(n)) ++dir.attr.nlink;
  }
  void remove_name(Node& dir, std::string_view name, Node& n) REQUIRES(mutex_) {
    const auto found = dir.names.find(std::string(name));
    dir.by_cookie.erase(found->second.cookie);
    dir.names.erase(found);
    dir.attr.mtime = dir.attr.ctime = now();
    if (is_directory(n)) --dir.attr.nlink;
  }
  void unlinked(Node& n) REQUIRES(mutex_) {
    n.attr.nlink -= is_directory(n) ? 2 : 1;
    n.attr.ctime = now();
    drop_if_unused(n);
  }
  void drop_if_unused(Node& n) REQUIRES(mutex_) {
    if (n.attr.nlink == 0 && n.references == 0) nodes_.erase(n.attr.ino);
  }

  os::Mutex mutex_;
  std::unordered_map<InodeId, Node> nodes_ GUARDED_BY(mutex_);
  uint64_t next_ino_ GUARDED_BY(mutex_) = 2;
  uint64_t next_cookie_ GUARDED_BY(mutex_) = 3;
  fs::WriteOptions last_write_ GUARDED_BY(mutex_);
  fs::TimesBy times_ = fs::TimesBy::kTree;
  std::vector<fs::SyncScope> syncs_ GUARDED_BY(mutex_);
  os::CondVar released_;
  bool held_ GUARDED_BY(mutex_) = false;
  int waiting_syncs_ GUARDED_BY(mutex_) = 0;
};

}  // namespace nacre::mount
