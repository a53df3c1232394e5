// Mending the present: inodes, names, attributes. The changes go through the row table like
// anybody's, so they are a commit, and the damaged state stays in history.
#include <fmt/format.h>

#include <algorithm>

#include "keeper/mending.h"
#include "meta/lookup.h"
#include "meta/namespace.h"

namespace nacre::keeper {

void Mending::drop_name(InodeId parent, uint64_t cookie, std::string value) {
  const NameRun run{parent, cookie / wire::kCookieSlots * wire::kCookieSlots};
  names[run].dropped[cookie] = std::move(value);
}

namespace {

constexpr std::string_view kLostAndFound = "lost+found";
constexpr int kNamesTried = 100;

// Repairs of the namespace, under the volume's lock.
class Mender {
 public:
  Mender(meta::Namespace& names, const Mending& mending)
      : names_(names), table_(names.table()), mending_(mending) {}

  Status operator()() {
    for (const auto& [run, mend] : mending_.names) TRY(mend_run(run, mend));
    for (const auto& [ino, mend] : mending_.inodes) TRY(mend_inode(ino, mend));
    for (const InodeId ino : mending_.adopted) TRY(adopt(ino));
    for (const std::string& key : mending_.dropped_rows) {
      if (const auto current = TRY(table_.get(key))) table_.erase(key, current);
    }
    return {};
  }

 private:
  std::string encode(const NewName& name) {
    return wire::encode(wire::DentryRow{{}, name.ino, name.type, name.name});
  }

  // Writes the names of one hash anew, without what is dropped and without gaps.
  Status mend_run(const NameRun& run, const NameRunMend& mend) {
    std::vector<std::optional<std::string>> before;
    std::vector<std::string> after;
    for (uint64_t slot = 0; slot < wire::kCookieSlots; ++slot) {
      before.push_back(TRY(table_.get(wire::dentry_key(run.parent, run.first + slot))));
      if (!before.back()) continue;
      const auto dropped = mend.dropped.find(run.first + slot);
      if (dropped == mend.dropped.end() || dropped->second != *before.back()) {
        after.push_back(*before.back());
      }
    }
    for (const NewName& name : mend.added) after.push_back(encode(name));
    if (after.size() > wire::kCookieSlots) {
      return Error(Code::kNoSpace, "too many names of one directory share one hash");
    }
    for (uint64_t slot = 0; slot < wire::kCookieSlots; ++slot) {
      const std::string key = wire::dentry_key(run.parent, run.first + slot);
      if (slot >= after.size()) {
        if (before[slot]) table_.erase(key, before[slot]);
      } else if (before[slot] != after[slot]) {
        table_.put(key, after[slot], before[slot]);
      }
    }
    return {};
  }

  void store(const meta::Inode& inode) {
    table_.put(wire::inode_key(inode.ino), wire::encode(inode.row), inode.stored);
  }

  Status mend_inode(InodeId ino, const InodeMend& mend) {
    auto inode = meta::load_inode(table_, ino);
    if (!inode.ok()) return inode.code() == Code::kNotFound ? Status() : Status(inode.error());
    wire::InodeRow& row = inode->row;
    row.nlink = static_cast<uint32_t>(std::max<int64_t>(0, int64_t{row.nlink} + mend.nlink));
    row.size =
        static_cast<uint64_t>(std::max<int64_t>(0, static_cast<int64_t>(row.size) + mend.size));
    row.flags = static_cast<uint8_t>((row.flags | mend.set_flags) & ~mend.clear_flags);
    row.parent = mend.parent.value_or(row.parent);
    store(*inode);
    return {};
  }

  // /lost+found, or the next name that is free or a directory.
  Result<meta::Inode> lost_and_found() {
    for (int i = 0; i < kNamesTried; ++i) {
      const std::string name =
          i == 0 ? std::string(kLostAndFound) : fmt::format("{}.{}", kLostAndFound, i);
      auto found = names_.lookup(kRootInode, name);
      if (found.ok() && found->is_directory()) return found;
      if (found.ok()) continue;
      if (found.code() != Code::kNotFound) return found;
      return names_.make(kRootInode, name, {meta::FileType::kDirectory, 0700, 0, 0, 0, {}});
    }
    return Error(Code::kExists, "no name is left for lost+found");
  }

  // The name in lost+found, and its place there.
  Result<std::pair<std::string, uint64_t>> free_name(InodeId parent, InodeId ino) {
    for (int i = 0; i < kNamesTried; ++i) {
      const std::string name =
          i == 0 ? fmt::format("#{}", ino.value) : fmt::format("#{}.{}", ino.value, i);
      if (TRY(meta::find_dentry(table_, names_.name_key(), parent, name))) continue;
      const uint64_t first = meta::cookie_of(names_.name_key(), name);
      for (uint64_t cookie = first; cookie < first + wire::kCookieSlots; ++cookie) {
        if (!TRY(table_.get(wire::dentry_key(parent, cookie)))) return std::pair{name, cookie};
      }
    }
    return Error(Code::kExists, "no name is left in lost+found");
  }

  Status adopt(InodeId ino) {
    auto inode = meta::load_inode(table_, ino);
    if (!inode.ok()) return inode.code() == Code::kNotFound ? Status() : Status(inode.error());
    meta::Inode home = TRY(lost_and_found());
    const auto [name, cookie] = TRY(free_name(home.ino, ino));
    table_.put(wire::dentry_key(home.ino, cookie), encode({name, ino, inode->row.type}),
               std::nullopt);
    if (inode->is_directory()) {
      inode->row.parent = home.ino;
      ++home.row.nlink;
    } else {
      inode->row.nlink = 1;
    }
    ++home.row.size;
    store(*inode);
    store(home);
    return {};
  }

  meta::Namespace& names_;
  meta::RowTable& table_;
  const Mending& mending_;
};

}  // namespace

Status mend_present(fs::Volume& volume, const Mending& mending) {
  TRY(volume.change([&](meta::Namespace& names) { return Mender(names, mending)(); }));
  for (const auto& [key, value] : mending.volume_rows) volume.put_volume_row(key, value);
  return volume.commit();
}

}  // namespace nacre::keeper
