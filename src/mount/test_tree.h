// A small but complete tree in memory, for tests of the shell. One lock, no permissions, no history.
//
// Names that begin with "fleeting" make entries that are not cacheable.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "fs/tree.h"
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

  Result<fs::Entry> lookup(InodeId parent, std::string_view name) override {
    const os::Lock lock(mutex_);
    Node* dir = TRY(directory(parent));
    return hand_out(TRY(child(*dir, name)), name);
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
    return TRY(node(ino))->attr;
  }

  Result<meta::Attr> set_attr(const fs::Caller&, InodeId ino, const meta::SetAttr& change) override {
    const os::Lock lock(mutex_);
    Node& n = *TRY(node(ino));
    if (change.kill_suid_sgid) kill_suid_sgid(n);
    n.attr.mode = change.mode.value_or(n.attr.mode);
    n.attr.uid = change.uid.value_or(n.attr.uid);
    n.attr.gid = change.gid.value_or(n.attr.gid);
    n.attr.ctime = change.ctime.value_or(now());
    if (change.size) {
      resize(n, *change.size);
      n.attr.mtime = now();
    }
    if (change.atime || change.atime_now) n.attr.atime = change.atime.value_or(now());
    if (change.mtime || change.mtime_now) n.attr.mtime = change.mtime.value_or(now());
    return n.attr;
  }

  Result<std::string> read_link(InodeId ino) override {
    const os::Lock lock(mutex_);
    return TRY(node(ino))->target;
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
    n.attr = {.ino = ino,
              .birth = {0, ino.value},
              .type = made.type,
              .mode = (made.mode & ~caller.umask) | (setgid && is_directory ? 02000u : 0u),
              .uid = caller.uid,
              .gid = setgid ? dir.attr.gid : caller.gid,
              .nlink = is_directory ? 2u : 1u,
              .rdev = made.rdev,
              .size = made.target.size(),
              .allocated_bytes = 0,
              .atime = now(),
              .mtime = now(),
              .ctime = now(),
              .btime = now()};
    n.parent = parent;
    n.target = made.target;
    if (is_directory) ++dir.attr.nlink;
    add_name(dir, name, ino);
    return hand_out(n, name);
  }

  Result<fs::Entry> link(InodeId ino, InodeId new_parent, std::string_view new_name) override {
    const os::Lock lock(mutex_);
    Node& n = *TRY(node(ino));
    Node& dir = *TRY(directory(new_parent));
    TRY(check_free(dir, new_name));
    ++n.attr.nlink;
    n.attr.ctime = now();
    add_name(dir, new_name, ino);
    return hand_out(n, new_name);
  }

  Status unlink(InodeId parent, std::string_view name) override {
    const os::Lock lock(mutex_);
    Node& dir = *TRY(directory(parent));
    Node& n = TRY_REFERENCE(child(dir, name));
    if (n.attr.type == meta::FileType::kDirectory) return Code::kIsDirectory;
    remove_name(dir, name);
    unlinked(n, 1);
    return {};
  }

  Status remove_directory(InodeId parent, std::string_view name) override {
    const os::Lock lock(mutex_);
    Node& dir = *TRY(directory(parent));
    Node& n = TRY_REFERENCE(child(dir, name));
    if (n.attr.type != meta::FileType::kDirectory) return Code::kNotDirectory;
    if (!n.names.empty()) return Code::kNotEmpty;
    remove_name(dir, name);
    --dir.attr.nlink;
    unlinked(n, 2);
    return {};
  }
