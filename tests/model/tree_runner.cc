#include "model/tree_runner.h"

#include <fmt/format.h>

namespace nacre::model {

namespace {

const fs::Caller kCaller{.uid = 0, .gid = 0, .umask = kUmask, .pid = 1};

Result<std::string> nothing(Status status) {
  TRY(std::move(status));
  return std::string();
}

fs::XattrMode xattr_mode(Kind kind) {
  if (kind == Kind::kCreateXattr) return fs::XattrMode::kCreate;
  return kind == Kind::kReplaceXattr ? fs::XattrMode::kReplace : fs::XattrMode::kSet;
}

}  // namespace

TreeRunner::~TreeRunner() {
  for (const auto& slot : slots_) {
    if (slot) tree_.forget(*slot, 1);
  }
  for (const auto& scan : scans_) {
    if (scan) tree_.forget(scan->directory, 1);
  }
}

Result<fs::Entry> TreeRunner::look_up(InodeId parent, std::string_view name) {
  fs::Entry entry = TRY(tree_.lookup(parent, name));
  referred_.push_back(entry.attr.ino);
  return entry;
}

Result<TreeRunner::Place> TreeRunner::resolve(const std::string& path) {
  ParsedPath parsed = parse_path(path);
  InodeId start = kRootInode;
  if (parsed.root == '@') start = *slots_[parsed.number % kSlots];
  if (parsed.root == '~') {
    const Sequence at = moments_[parsed.number % moments_.size()];
    const InodeId hidden = TRY(look_up(kRootInode, ".nacre")).attr.ino;
    start = TRY(look_up(TRY(look_up(hidden, "at")).attr.ino, std::to_string(at.value))).attr.ino;
  }
  Place place;
  place.node = TRY(tree_.get_attr(start));
  for (const std::string& name : parsed.names) {
    if (!place.node) return Code::kNotFound;
    if (place.node->type != meta::FileType::kDirectory) return Code::kNotDirectory;
    place.parent = place.node->ino;
    place.name = name;
    place.node.reset();
    auto entry = look_up(place.parent, name);
    if (!entry.ok() && entry.code() != Code::kNotFound) return entry.error();
    if (entry.ok()) place.node = entry->attr;
  }
  return place;
}

// Without looking the last name up, so that nothing refers to what it names.
Result<TreeRunner::Place> TreeRunner::resolve_parent(const std::string& path) {
  const size_t slash = path.rfind('/');
  const Place parent = TRY(resolve(slash == 0 ? "/" : path.substr(0, slash)));
  if (!parent.node) return Code::kNotFound;
  if (parent.node->type != meta::FileType::kDirectory) return Code::kNotDirectory;
  return Place{parent.node->ino, path.substr(slash + 1), std::nullopt};
}

Result<InodeId> TreeRunner::find(const std::string& path) {
  const Place place = TRY(resolve(path));
  if (!place.node) return Code::kNotFound;
  return place.node->ino;
}

Result<InodeId> TreeRunner::inode_of(const std::string& path) {
  auto found = find(path);
  forget_all();
  return found;
}

void TreeRunner::forget_all() {
  for (const InodeId ino : referred_) tree_.forget(ino, 1);
  referred_.clear();
}

std::string TreeRunner::run(const Operation& operation) {
  auto done = answer(operation);
  forget_all();
  if (!done.ok()) return answer_of(done.code());
  return done->empty() ? "ok" : "ok " + *done;
}

Result<std::string> TreeRunner::answer(const Operation& operation) {
  if (operation.kind < Kind::kWrite) return run_names(operation);
  if (operation.kind <= Kind::kCopy) return run_content(operation);
  if (operation.kind < Kind::kList) return run_attributes(operation);
  return run_handles(operation);
}

Status TreeRunner::make(const Operation& operation) {
  const Place place = TRY(resolve(operation.path));
  fs::NewNode node;
  node.mode = static_cast<uint32_t>(operation.value);
  if (operation.kind == Kind::kMkdir) node.type = meta::FileType::kDirectory;
  if (operation.kind == Kind::kSymlink) {
    node.type = meta::FileType::kSymlink;
    node.target = operation.to;
  }
  if (operation.kind == Kind::kMknod) {
    node.type = static_cast<meta::FileType>(operation.extra);
    if (operation.extra >= 6) node.rdev = 259;
  }
  const auto made = TRY(tree_.make_node(kCaller, place.parent, place.name, node));
  referred_.push_back(made.attr.ino);
  return {};
}

Status TreeRunner::rename(const Operation& operation) {
  const Place from = TRY(resolve(operation.path));
  const Place to = TRY(resolve(operation.to));
  fs::RenameMode mode = fs::RenameMode::kReplace;
  if (operation.kind == Kind::kRenameNew) mode = fs::RenameMode::kNoReplace;
  if (operation.kind == Kind::kExchange) mode = fs::RenameMode::kExchange;
  return tree_.rename(from.parent, from.name, to.parent, to.name, mode);
}

Result<std::string> TreeRunner::run_names(const Operation& operation) {
  switch (operation.kind) {
    case Kind::kLink: {
      const InodeId from = TRY(find(operation.path));
      const Place to = TRY(resolve(operation.to));
      referred_.push_back(TRY(tree_.link(from, to.parent, to.name)).attr.ino);
      return std::string();
    }
    case Kind::kUnlink: {
      const Place place = TRY(resolve_parent(operation.path));
      return nothing(tree_.unlink(place.parent, place.name));
    }
    case Kind::kRmdir: {
      const Place place = TRY(resolve_parent(operation.path));
      return nothing(tree_.remove_directory(place.parent, place.name));
    }
    case Kind::kRename:
    case Kind::kRenameNew:
    case Kind::kExchange:
      return nothing(rename(operation));
    default:
      return nothing(make(operation));
  }
}

Result<std::string> TreeRunner::read(InodeId ino, const Operation& operation) {
  std::string bytes(operation.length, 'x');
  bytes.resize(TRY(tree_.read(ino, operation.offset, as_writable_bytes(bytes))));
  return answer_of_bytes(bytes);
}

Status TreeRunner::allocate(InodeId ino, const Operation& operation) {
  fs::AllocateMode mode = fs::AllocateMode::kAllocate;
  if (operation.kind == Kind::kAllocateKeep) mode = fs::AllocateMode::kKeepSize;
  if (operation.kind == Kind::kPunch) mode = fs::AllocateMode::kPunchHole;
  if (operation.kind == Kind::kZero) mode = fs::AllocateMode::kZeroRange;
  if (operation.kind == Kind::kZeroKeep) mode = fs::AllocateMode::kZeroRangeKeepSize;
  return tree_.allocate(ino, operation.offset, operation.length, mode);
}

Result<std::string> TreeRunner::run_content(const Operation& operation) {
  const InodeId ino = TRY(find(operation.path));
  switch (operation.kind) {
    case Kind::kWrite:
    case Kind::kWriteCached:
    case Kind::kWriteDurable:
    case Kind::kWriteKilling: {
      const std::string bytes = bytes_of(operation.value, operation.length);
      const bool cached = operation.kind == Kind::kWriteCached;
      return nothing(tree_.write(ino, operation.offset, as_bytes(bytes),
                                 {.from_cache = cached,
                                  .times = cached ? fs::TimesBy::kKernel : fs::TimesBy::kTree,
                                  .kill_suid_sgid = operation.kind == Kind::kWriteKilling,
                                  .durable = operation.kind == Kind::kWriteDurable}));
    }
    case Kind::kRead:
      return read(ino, operation);
    case Kind::kTruncate:
      return nothing(set_attributes(ino, operation));
    case Kind::kSeekData:
    case Kind::kSeekHole: {
      const auto kind =
          operation.kind == Kind::kSeekData ? fs::SeekKind::kData : fs::SeekKind::kHole;
      return std::to_string(TRY(tree_.seek(ino, operation.offset, kind)));
    }
    case Kind::kCopy: {
      const InodeId to = TRY(find(operation.to));
      return std::to_string(
          TRY(tree_.copy_range(ino, operation.offset, to, operation.extra, operation.length)));
    }
    default:
      return nothing(allocate(ino, operation));
  }
}

Status TreeRunner::set_attributes(InodeId ino, const Operation& operation) {
  meta::SetAttr change;
  if (operation.kind == Kind::kChmod) change.mode = static_cast<uint32_t>(operation.value);
  if (operation.kind == Kind::kChown) {
    change.uid = static_cast<uint32_t>(operation.value);
    change.gid = static_cast<uint32_t>(operation.extra);
  }
  if (operation.kind == Kind::kTruncate) change.size = operation.length;
  if (operation.kind == Kind::kUtimes) {
    change.atime_now = operation.value == 1;
    change.mtime_now = operation.extra == 1;
    if (operation.value > 1) change.atime = Timestamp{static_cast<int64_t>(operation.value)};
    if (operation.extra > 1) change.mtime = Timestamp{static_cast<int64_t>(operation.extra)};
  }
  TRY(tree_.set_attr(kCaller, ino, change));
  return {};
}

Result<std::string> TreeRunner::run_attributes(const Operation& operation) {
  const InodeId ino = TRY(find(operation.path));
  switch (operation.kind) {
    case Kind::kStat: {
      Aspects aspects = aspects_;
      if (operation.path.starts_with('~')) aspects.atime = false;
      return describe(TRY(tree_.get_attr(ino)), aspects);
    }
    case Kind::kReadlink:
      return tree_.read_link(ino);
    case Kind::kSetXattr:
    case Kind::kCreateXattr:
    case Kind::kReplaceXattr:
      return nothing(tree_.set_xattr(ino, operation.to, bytes_of(operation.value, operation.length),
                                     xattr_mode(operation.kind), false));
    case Kind::kGetXattr:
      return answer_of_bytes(TRY(tree_.get_xattr(ino, operation.to)));
    case Kind::kRemoveXattr:
      return nothing(tree_.remove_xattr(ino, operation.to));
    case Kind::kListXattrs: {
      std::string names;
      for (const std::string& name : TRY(tree_.list_xattrs(ino))) names += name + " ";
      return names;
    }
    default:
      return nothing(set_attributes(ino, operation));
  }
}

Result<std::string> TreeRunner::list(InodeId ino, size_t batch) {
  std::map<std::string, meta::FileType> entries;
  std::string complaint;
  const bool with_attr = batch % 2 == 1;
  size_t taken = 0;
  uint64_t cookie = 0;
  do {
    taken = 0;
    TRY(tree_.read_directory(ino, cookie, with_attr, [&](const fs::DirectoryEntry& entry) {
      if (taken == std::max<size_t>(batch, 1)) return false;
      ++taken;
      if (entry.cookie <= cookie || entry.cookie >= kViewBit) complaint += "BAD COOKIE ";
      cookie = entry.cookie;
      if (entry.name == "." || entry.name == "..") return true;
      if (entry.attr != nullptr) {
        referred_.push_back(entry.ino);
        if (entry.attr->type != entry.type) complaint += "OTHER TYPE ";
      } else if (with_attr) {
        complaint += "NO ATTRIBUTES ";
      }
      if (!entries.emplace(entry.name, entry.type).second) complaint += "TWICE ";
      return true;
    }));
  } while (taken != 0);
  return answer_of_entries(entries) + complaint;
}

// The reference that looking up the path took is kept. The root needs none.
Result<InodeId> TreeRunner::hold(const std::string& path) {
  const InodeId ino = TRY(find(path));
  if (!referred_.empty()) referred_.pop_back();
  return ino;
}

Result<std::string> TreeRunner::run_handles(const Operation& operation) {
  const size_t index = operation.value % kSlots;
  switch (operation.kind) {
    case Kind::kHold:
      slots_[index] = TRY(hold(operation.path));
      return std::string();
    case Kind::kRelease:
      tree_.forget(*slots_[index], 1);
      slots_[index].reset();
      return std::string();
    case Kind::kList:
      return list(TRY(find(operation.path)), operation.length);
    case Kind::kScan: {
      const Place place = TRY(resolve(operation.path));
      if (!place.node) return Code::kNotFound;
      if (place.node->type != meta::FileType::kDirectory) return Code::kNotDirectory;
      scans_[index] = ScanState{TRY(hold(operation.path))};
      return std::string();
    }
    case Kind::kSync:
      return nothing(tree_.sync(TRY(find(operation.path)), fs::SyncScope::kAll));
    default:
      return std::string();
  }
}

Result<std::vector<std::string>> TreeRunner::scan_on(size_t slot, size_t count, bool& at_end) {
  ScanState& scan = *scans_[slot % kSlots];
  std::vector<std::string> names;
  at_end = true;
  TRY(tree_.read_directory(scan.directory, scan.cookie, false,
                           [&](const fs::DirectoryEntry& entry) {
                             if (count != 0 && names.size() == count) return at_end = false;
                             scan.cookie = entry.cookie;
                             if (entry.name != "." && entry.name != "..") {
                               names.emplace_back(entry.name);
                             }
                             return true;
                           }));
  if (at_end) {
    tree_.forget(scan.directory, 1);
    scans_[slot % kSlots].reset();
  }
  return names;
}

Dump TreeRunner::dump(const Aspects& aspects, Inodes* inodes) {
  Dump dump = dump_of(quiet_, kRootInode, aspects, inodes);
  for (size_t i = 0; i < kSlots; ++i) {
    if (slots_[i]) dump["@" + std::to_string(i)] = line_of(quiet_, *slots_[i], aspects);
  }
  return dump;
}

Dump TreeRunner::dump_past(Sequence at, const Aspects& aspects, Inodes* inodes) {
  const auto root = [&]() -> Result<InodeId> {
    const InodeId hidden = TRY(look_up(kRootInode, ".nacre")).attr.ino;
    const InodeId moments = TRY(look_up(hidden, "at")).attr.ino;
    return TRY(look_up(moments, std::to_string(at.value))).attr.ino;
  }();
  Dump dump{{"/", "cannot be reached"}};
  if (root.ok()) dump = dump_of(tree_, *root, aspects, inodes);
  forget_all();
  return dump;
}

Dump dump_of(const Model& model, const Aspects& aspects) {
  Dump dump = dump_of(model.state(), aspects);
  for (size_t i = 0; i < kSlots; ++i) {
    if (model.slot(i)) {
      dump["@" + std::to_string(i)] = line_of(model.state().at(*model.slot(i)), aspects);
    }
  }
  return dump;
}

}  // namespace nacre::model
