#include "node/restore.h"

#include "meta/lookup.h"
#include "meta/moments.h"
#include "meta/past_rows.h"

namespace nacre::node {
namespace {

constexpr size_t kEntriesAtOnce = 1000;
constexpr uint64_t kFilesPerReport = 64;

Result<PastFile> load(const meta::RowSource& rows, Sequence at, InodeId ino) {
  const meta::Inode inode = TRY(meta::load_inode(rows, ino));
  PastFile file{.at = at, .attr = meta::attr_of(inode), .target = inode.row.target, .xattrs = {}};
  for (const std::string& name : TRY(meta::list_xattrs(rows, ino))) {
    auto value = TRY(meta::load_xattr(rows, ino, name));
    if (value) file.xattrs.emplace_back(name, std::move(*value));
  }
  return file;
}

// A directory being walked: its entries come in batches, so that a huge one does not fill the
// memory.
struct Frame {
  PastFile directory;
  uint64_t cookie = 0;  // of the last entry of the batch
  std::vector<std::pair<std::string, InodeId>> batch;
  size_t next = 0;
};

class Walk {
 public:
  Walk(const meta::PastRows& rows, RestoreTarget& target) : rows_(rows), target_(target) {}

  Status begin(InodeId top) { return visit("", top); }

  // Goes on by one entry. False when the walk is done.
  Result<bool> step() {
    if (frames_.empty()) return false;
    Frame& frame = frames_.back();
    if (frame.next == frame.batch.size()) TRY(read_more(frame));
    if (frame.batch.empty()) {
      TRY(target_.leave_directory(frame.directory));
      frames_.pop_back();
      return true;
    }
    const auto [name, ino] = frame.batch[frame.next++];
    TRY(visit(name, ino));
    return true;
  }
  uint64_t files() const { return files_; }

 private:
  Status visit(const std::string& name, InodeId ino) {
    PastFile file = TRY(load(rows_, rows_.at(), ino));
    ++files_;
    if (file.attr.type != meta::FileType::kDirectory) return target_.put(name, file);
    TRY(target_.enter_directory(name, file));
    frames_.push_back({std::move(file), 0, {}, 0});
    return {};
  }

  Status read_more(Frame& frame) {
    frame.batch.clear();
    frame.next = 0;
    return meta::visit_directory(rows_, frame.directory.attr.ino, frame.cookie,
                                 [&](const meta::Dentry& dentry) {
                                   frame.cookie = dentry.cookie;
                                   frame.batch.emplace_back(dentry.row.name, dentry.row.ino);
                                   return frame.batch.size() < kEntriesAtOnce;
                                 });
  }

  const meta::PastRows& rows_;
  RestoreTarget& target_;
  std::vector<Frame> frames_;
  uint64_t files_ = 0;
};

}  // namespace

Result<PastFile> load_past_file(kv::Store& store, Sequence at, InodeId ino) {
  return load(meta::PastRows(store, at), at, ino);
}

Result<uint64_t> restore(fs::Volume& volume, Sequence at, InodeId top, RestoreTarget& target,
                         const std::function<bool(uint64_t)>& go_on) {
  const meta::PastRows rows(volume.rows(), at);
  Walk walk(rows, target);
  TRY(walk.begin(top));
  uint64_t reported = 0;
  while (TRY(walk.step())) {
    if (walk.files() - reported < kFilesPerReport) continue;
    reported = walk.files();
    if (!go_on(reported)) return Error(Code::kBusy, "interrupted");
  }
  // Content is read as of `at` too: what was taken from it while it was pruned would be wrong.
  meta::When when;
  when.kind = meta::When::Kind::kSequence;
  when.sequence = at;
  TRY(meta::resolve(volume.rows(), when));
  return walk.files();
}

}  // namespace nacre::node
