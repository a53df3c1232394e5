// Runs scripts against an fs::Tree, as the kernel would: names are looked up one by one, inodes are
// referred to while they are in use and forgotten after.
#pragma once

#include <array>
#include <optional>

#include "fs/tree.h"
#include "model/runner.h"
#include "model/tree_dump.h"

namespace nacre::model {

class TreeRunner final : public Runner {
 public:
  // `quiet` is the same tree, but reading it leaves access times alone. `moments` holds the
  // sequence of each moment the oracle remembers. All outlive the runner.
  TreeRunner(fs::Tree& tree, fs::Tree& quiet, const std::vector<Sequence>& moments,
             const Aspects& aspects)
      : tree_(tree), quiet_(quiet), moments_(moments), aspects_(aspects) {}
  // Forgets everything held.
  ~TreeRunner() override;

  std::string run(const Operation& operation) override;
  Result<std::vector<std::string>> scan_on(size_t slot, size_t count, bool& at_end) override;
  Dump dump(const Aspects& aspects) override { return dump(aspects, nullptr); }
  Dump dump(const Aspects& aspects, Inodes* inodes);
  // The inode that a path names now; it may be gone with the next operation.
  Result<InodeId> inode_of(const std::string& path);
  // The tree as of a sequence, through `.nacre/at`.
  Dump dump_past(Sequence at, const Aspects& aspects, Inodes* inodes = nullptr);

 private:
  struct Place {
    InodeId parent;
    std::string name;
    std::optional<meta::Attr> node;
  };
  struct ScanState {
    InodeId directory;
    uint64_t cookie = 0;
  };
  Result<fs::Entry> look_up(InodeId parent, std::string_view name);
  Result<Place> resolve(const std::string& path);
  Result<Place> resolve_parent(const std::string& path);
  Result<InodeId> find(const std::string& path);
  void forget_all();

  Result<std::string> answer(const Operation& operation);
  Result<std::string> run_names(const Operation& operation);
  Result<std::string> run_content(const Operation& operation);
  Result<std::string> run_attributes(const Operation& operation);
  Result<std::string> run_handles(const Operation& operation);
  Status make(const Operation& operation);
  Status rename(const Operation& operation);
  Result<std::string> read(InodeId ino, const Operation& operation);
  Status allocate(InodeId ino, const Operation& operation);
  Status set_attributes(InodeId ino, const Operation& operation);
  Result<std::string> list(InodeId ino, size_t batch);
  Result<InodeId> hold(const std::string& path);

  fs::Tree& tree_;
  fs::Tree& quiet_;
  const std::vector<Sequence>& moments_;
  const Aspects aspects_;
  std::vector<InodeId> referred_;  // during the current operation
  std::array<std::optional<InodeId>, kSlots> slots_;
  std::array<std::optional<ScanState>, kSlots> scans_;
};

}  // namespace nacre::model
