#include "model/tree_dump.h"

#include <fmt/format.h>

#include <algorithm>

namespace nacre::model {

namespace {

constexpr uint64_t kReadWhole = 1 * kMiB;  // files up to this are read with their holes
constexpr uint64_t kReadBytes = 256 * kKiB;

using Ranges = std::vector<std::pair<uint64_t, uint64_t>>;

Result<Ranges> ranges_of(fs::Tree& tree, InodeId ino, uint64_t size) {
  Ranges ranges;
  for (uint64_t at = 0; at < size;) {
    const auto begin = tree.seek(ino, at, fs::SeekKind::kData);
    if (!begin.ok() && begin.code() == Code::kNoData) break;
    if (!begin.ok()) return begin.error();
    at = TRY(tree.seek(ino, *begin, fs::SeekKind::kHole));
    if (at <= *begin) return Error(Code::kCorrupt, "no hole after the data");
    ranges.emplace_back(*begin, at);
  }
  return ranges;
}

// Adds the whole pages that cover the range, as far as the file goes.
Status add_digest(fs::Tree& tree, InodeId ino, uint64_t begin, uint64_t end, uint64_t size,
                  std::map<uint64_t, uint64_t>& pages) {
  std::string bytes;
  const uint64_t stop = std::min(round_up(end, kPageBytes), size);
  for (uint64_t at = round_down(begin, kPageBytes); at < stop; at += bytes.size()) {
    bytes.assign(std::min(stop - at, kReadBytes), 'x');
    const size_t count = TRY(tree.read(ino, at, as_writable_bytes(bytes)));
    if (count != bytes.size()) {
      return Error(Code::kCorrupt, fmt::format("read {} bytes for {}", count, bytes.size()));
    }
    for (uint64_t i = 0; i < bytes.size(); i += kPageBytes) {
      pages[(at + i) / kPageBytes] =
          page_digest((at + i) / kPageBytes, std::string_view(bytes).substr(i, kPageBytes));
    }
  }
  return {};
}

Result<std::string> describe_content(fs::Tree& tree, const meta::Attr& attr,
                                     const Aspects& aspects) {
  const Ranges ranges = TRY(ranges_of(tree, attr.ino, attr.size));
  std::map<uint64_t, uint64_t> pages;
  if (attr.size <= kReadWhole) {
    TRY(add_digest(tree, attr.ino, 0, attr.size, attr.size, pages));
  } else {
    for (const auto& [begin, end] : ranges) {
      TRY(add_digest(tree, attr.ino, begin, end, attr.size, pages));
    }
  }
  uint64_t digest = 0;
  for (const auto& [index, sum] : pages) digest ^= sum;
  std::string text = fmt::format(" digest={:016x}", digest);
  if (aspects.ranges) text += describe(ranges);
  return text;
}

Result<std::string> describe_xattrs(fs::Tree& tree, InodeId ino) {
  std::map<std::string, std::string> xattrs;
  for (const std::string& name : TRY(tree.list_xattrs(ino))) {
    xattrs[name] = TRY(tree.get_xattr(ino, name));
  }
  return describe(xattrs);
}

Result<std::string> describe_inode(fs::Tree& tree, const meta::Attr& attr, const Aspects& aspects) {
  std::string line = describe(attr, aspects);
  if (attr.type == meta::FileType::kSymlink) line += " -> " + TRY(tree.read_link(attr.ino));
  if (attr.type == meta::FileType::kRegular) line += TRY(describe_content(tree, attr, aspects));
  return line + TRY(describe_xattrs(tree, attr.ino));
}

class Dumper {
 public:
  Dumper(fs::Tree& tree, const Aspects& aspects, Inodes* inodes)
      : tree_(tree), aspects_(aspects), inodes_(inodes) {}

  void directory(InodeId ino, const std::string& path) {
    std::vector<std::string> names;
    const Status read = tree_.read_directory(ino, 0, false, [&](const fs::DirectoryEntry& entry) {
      if (entry.name != "." && entry.name != "..") names.emplace_back(entry.name);
      return true;
    });
    if (!read.ok()) dump_[path + "/"] = "cannot be read: " + read.error().to_string();
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) entry(ino, path + "/" + name, name);
  }
  void entry(InodeId parent, const std::string& path, const std::string& name) {
    const auto found = tree_.lookup(parent, name);
    if (dump_.contains(path)) {
      dump_[path] += " LISTED TWICE";
    } else if (!found.ok()) {
      dump_[path] = "listed, but not found: " + found.error().to_string();
    } else {
      inode(found->attr, path);
    }
    if (found.ok()) tree_.forget(found->attr.ino, 1);
  }
  void inode(const meta::Attr& attr, const std::string& path) {
    if (inodes_ != nullptr) (*inodes_)[path] = attr.ino;
    const auto [first, is_new] = first_paths_.try_emplace(attr.ino, path);
    if (!is_new) {
      dump_[path] = "same as " + first->second;
      return;
    }
    dump_[path] = line(attr);
    if (attr.type == meta::FileType::kDirectory) directory(attr.ino, path == "/" ? "" : path);
  }
  std::string line(const meta::Attr& attr) {
    auto text = describe_inode(tree_, attr, aspects_);
    const auto again = tree_.get_attr(attr.ino);
    if (!text.ok()) return "cannot be read: " + text.error().to_string();
    if (!again.ok() || describe(*again, aspects_) != describe(attr, aspects_)) {
      return *text + " BUT get_attr() SAYS OTHERWISE";
    }
    return text.take();
  }
  Dump take() { return std::move(dump_); }

 private:
  fs::Tree& tree_;
  const Aspects& aspects_;
  Inodes* inodes_;
  std::map<InodeId, std::string> first_paths_;
  Dump dump_;
};

}  // namespace

Dump dump_of(fs::Tree& tree, InodeId root, const Aspects& aspects, Inodes* inodes) {
  const auto attr = tree.get_attr(root);
  if (!attr.ok()) return {{"/", "cannot be read: " + attr.error().to_string()}};
  Dumper dumper(tree, aspects, inodes);
  dumper.inode(*attr, "/");
  return dumper.take();
}

std::string line_of(fs::Tree& tree, InodeId ino, const Aspects& aspects) {
  const auto attr = tree.get_attr(ino);
  if (!attr.ok()) return "cannot be read: " + attr.error().to_string();
  return Dumper(tree, aspects, nullptr).line(*attr);
}

}  // namespace nacre::model
