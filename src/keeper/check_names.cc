// Checks of inodes and names, row by row; what they add up to is check_tree.cc's.
#include <fmt/format.h>

#include "keeper/check_run.h"
#include "meta/lookup.h"

namespace nacre::keeper {

namespace {

kv::Range all_of(wire::RowKind kind) {
  return kv::prefix_range(std::string(1, static_cast<char>(kind)));
}

void check_inode(CheckRun& run, InodeId ino, std::string_view value) {
  ++run.summary.inodes;
  run.saw_inode(ino);
  InodeFacts facts;
  facts.ino = ino;
  const auto row = wire::decode_inode(value);
  if (!row.ok()) {
    facts.damaged = true;
    run.inodes.add(facts);
    return run.error(FindingKind::kUndecodable, run.describe(ino), "its row does not decode");
  }
  facts.size = row->size;
  facts.parent = row->parent;
  facts.nlink = row->nlink;
  facts.type = row->type;
  facts.flags = row->flags;
  facts.allocated = static_cast<int64_t>(row->allocated_bytes);
  run.inodes.add(facts);
  run.check_begin(wire::inode_key(ino), row->begin);
  if (row->content > run.state.committed) {
    run.error(FindingKind::kFutureRow, run.describe(ino),
              "its content is of a commit that never was");
  }
  const bool symlink = row->type == static_cast<uint8_t>(meta::FileType::kSymlink);
  if (symlink && row->size != row->target.size()) {
    run.warning(
        FindingKind::kInode, run.describe(ino),
        fmt::format("a symlink of {} bytes is said to have {}", row->target.size(), row->size),
        true);
    run.mending.inodes[ino].size =
        static_cast<int64_t>(row->target.size()) - static_cast<int64_t>(row->size);
  }
}

// Goes through all names, directory by directory and hash by hash.
class NameCheck {
 public:
  explicit NameCheck(CheckRun& run) : run_(run) {}

  void operator()(std::string_view key, std::string_view value) {
    ++run_.summary.names;
    const auto live = wire::decode_live_key(key);
    if (!live.ok()) {
      return run_.error(FindingKind::kUndecodable, describe_key(key), "this key does not decode");
    }
    enter(live->ino, live->position);
    const auto row = wire::decode_dentry(value);
    if (!row.ok()) {
      run_.error(FindingKind::kUndecodable, run_.describe(live->ino),
                 "one of its entries does not decode", true);
      run_.mending.erased_rows.emplace(key, value);
      run_.mending.names[at_];  // the others close up
      return;
    }
    run_.check_begin(key, row->begin);
    run_.saw_inode(row->ino);
    if (!check_parent(*row, value) || !check_target(*row, value)) return;
    check_place(*row, value);
    check_type(*row, value);
  }

 private:
  void enter(InodeId parent, uint64_t cookie) {
    const uint64_t first = cookie / wire::kCookieSlots * wire::kCookieSlots;
    run_.saw_inode(parent);
    if (NameRun{parent, first} != at_) {
      at_ = {parent, first};
      slots_ = 0;
      names_.clear();
    }
    cookie_ = cookie;
    gap_ = cookie != first + slots_;
    ++slots_;
  }

  void drop(std::string_view value) {
    run_.mending.drop_name(at_.parent, cookie_, std::string(value));
  }
  void put_back(const wire::DentryRow& row) {
    const NameRun home{at_.parent, home_of(row.name)};
    const InodeFacts& target = *run_.inodes.find(row.ino);
    run_.mending.names[home].added.push_back(
        {row.name, row.ino, target.damaged ? row.type : target.type});
  }
  uint64_t home_of(std::string_view name) const {
    return meta::cookie_of(run_.volume.settings().name_key, name);
  }
  std::string where(const wire::DentryRow& row) { return run_.describe_name(at_.parent, row.name); }

  bool check_parent(const wire::DentryRow& row, std::string_view value) {
    const InodeFacts* parent = run_.inodes.find(at_.parent);
    if (parent != nullptr && (parent->damaged || parent->is_directory())) {
      return true;
    }
    run_.error(FindingKind::kNamePlace, where(row), "the entry stands in what is no directory",
               true);
    drop(value);
    return false;
  }

  bool check_target(const wire::DentryRow& row, std::string_view value) {
    if (row.ino != kRootInode && run_.inodes.find(row.ino) != nullptr) return true;
    run_.error(FindingKind::kNameTarget, where(row),
               fmt::format("it names inode {}, which {}", row.ino.value,
                           row.ino == kRootInode ? "is the root" : "does not exist"),
               true);
    drop(value);
    return false;
  }

  // Counts the name where it may stay, in this place or another.
  void check_place(const wire::DentryRow& row, std::string_view value) {
    const bool again = !names_.insert(row.name).second;
    if (!meta::check_name(row.name).ok() || again) {
      run_.error(FindingKind::kNamePlace, where(row),
                 again ? "the directory has this name twice" : "no file may have this name", true);
      return drop(value);
    }
    if (home_of(row.name) != at_.first) {
      run_.error(FindingKind::kNamePlace, where(row), "no search finds the name where it stands",
                 true);
      drop(value);
      put_back(row);
    } else if (gap_) {
      run_.error(FindingKind::kNamePlace, where(row), "no search finds the name behind a gap",
                 true);
      run_.mending.names[at_];
    }
    count(row);
  }

  void count(const wire::DentryRow& row) {
    InodeFacts& target = *run_.inodes.find(row.ino);
    InodeFacts* parent = run_.inodes.find(at_.parent);
    ++parent->entries;
    if (target.is_directory()) ++parent->subdirectories;
    if (++target.names > 1 && target.is_directory()) return second_name(target, *parent);
    target.named_in = at_.parent;
    target.cookie = cookie_;
  }

  // A directory has one name: that in the directory it points back at.
  void second_name(InodeFacts& target, InodeFacts& parent) {
    const bool this_one = target.parent == at_.parent && target.named_in != at_.parent;
    const InodeId loser = this_one ? target.named_in : at_.parent;
    const uint64_t cookie = this_one ? target.cookie : cookie_;
    run_.error(FindingKind::kLinkCount, run_.describe(target.ino), "this directory has two names",
               true);
    const auto stored =
        run_.rows.get(kv::Family::kLive, wire::dentry_key(loser, cookie), run_.at.get());
    if (stored.ok() && *stored) run_.mending.drop_name(loser, cookie, **stored);
    InodeFacts& losing = this_one ? *run_.inodes.find(loser) : parent;
    --losing.entries;
    --losing.subdirectories;
    --target.names;
    if (!this_one) return;
    target.named_in = at_.parent;
    target.cookie = cookie_;
  }

  void check_type(const wire::DentryRow& row, std::string_view value) {
    const InodeFacts& target = *run_.inodes.find(row.ino);
    if (target.damaged || target.type == row.type) return;
    run_.warning(FindingKind::kNameType, where(row), "the entry gives another type than its inode",
                 true);
    if (run_.mending.names[at_].dropped.contains(cookie_)) return;
    drop(value);
    put_back(row);
  }

  CheckRun& run_;
  NameRun at_;
  uint64_t cookie_ = 0;
  uint64_t slots_ = 0;  // rows of this run so far
  bool gap_ = false;
  std::set<std::string> names_;  // of this run
};

}  // namespace

Status check_inodes(CheckRun& run) {
  TRY(run.each("inodes", kv::Family::kLive, all_of(wire::RowKind::kInode),
               [&](std::string_view key, std::string_view value) {
                 const auto live = wire::decode_live_key(key);
                 if (live.ok()) {
                   check_inode(run, live->ino, value);
                 } else {
                   run.error(FindingKind::kUndecodable, describe_key(key),
                             "this key does not decode");
                 }
                 return Status();
               }));
  // Between and around the kinds there is nothing.
  for (const kv::Range& gap :
       {kv::Range{"", "d"}, kv::Range{"f", "i"}, kv::Range{"j", "x"}, kv::Range{"y", ""}}) {
    TRY(run.each("inodes", kv::Family::kLive, gap, [&](std::string_view key, std::string_view) {
      run.error(FindingKind::kUndecodable, describe_key(key), "this key does not decode");
      return Status();
    }));
  }
  return {};
}

Status check_names(CheckRun& run) {
  NameCheck check(run);
  return run.each("names", kv::Family::kLive, all_of(wire::RowKind::kDentry),
                  [&](std::string_view key, std::string_view value) {
                    check(key, value);
                    return Status();
                  });
}

}  // namespace nacre::keeper
