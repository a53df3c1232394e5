#include "null_tree.h"

#include <algorithm>
#include <cerrno>

#include "os/clock.h"

namespace nacre::bench {
namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;

timespec now() {
  const int64_t ns = os::real_clock().now().ns;
  return {ns / kNsPerSecond, ns % kNsPerSecond};
}

Node* new_node(ino_t ino, mode_t mode) {
  auto* node = new Node;
  node->attr.st_ino = ino;
  node->attr.st_mode = mode;
  node->attr.st_nlink = S_ISDIR(mode) ? 2 : 1;
  node->attr.st_blksize = 4096;
  node->attr.st_atim = node->attr.st_mtim = node->attr.st_ctim = now();
  if (S_ISDIR(mode)) node->directory = std::make_unique<Directory>();
  return node;
}

}  // namespace

NullTree::NullTree() : root_(new_node(1, S_IFDIR | 0755)) { root_->references = 1; }

NullTree::~NullTree() {
  for (Node* node : unlinked_) delete node;
  free_below(root_);
}

void NullTree::free_below(Node* node) {
  if (node->directory) {
    for (const Directory::Slot& slot : node->directory->slots) {
      if (slot.node != nullptr) free_below(slot.node);
    }
  }
  delete node;
}

int NullTree::lookup(Node* parent, std::string_view name, Node** found, struct stat* attr) {
  Node* node = find(parent, name);
  if (node == nullptr) return ENOENT;
  ++node->references;
  *found = node;
  *attr = node->attr;
  return 0;
}

int NullTree::make(Node* parent, std::string_view name, mode_t mode, uid_t uid, gid_t gid,
                   dev_t device, Node** made, struct stat* attr) {
  if (find(parent, name) != nullptr) return EEXIST;
  Node* node = new_node(next_ino_++, mode);
  node->attr.st_uid = uid;
  node->attr.st_gid = gid;
  node->attr.st_rdev = device;
  node->references = 1;
  insert(parent, name, node);
  *made = node;
  *attr = node->attr;
  return 0;
}

int NullTree::check_removable(Node* node, bool directory) {
  if (node == nullptr) return ENOENT;
  if (directory && !node->directory) return ENOTDIR;
  if (!directory && node->directory) return EISDIR;
  if (directory && !node->directory->by_name.empty()) return ENOTEMPTY;
  return 0;
}

int NullTree::remove(Node* parent, std::string_view name, bool directory) {
  Node* node = find(parent, name);
  if (const int error = check_removable(node, directory)) return error;
  unlink(parent, name, node);
  return 0;
}

int NullTree::rename(Node* parent, std::string_view name, Node* new_parent,
                     std::string_view new_name, bool replace) {
  Node* node = find(parent, name);
  if (node == nullptr) return ENOENT;
  Node* target = find(new_parent, new_name);
  if (target == node) return 0;
  if (target != nullptr) {
    if (!replace) return EEXIST;
    if (const int error = check_removable(target, node->directory != nullptr)) return error;
    unlink(new_parent, new_name, target);
  }
  erase(parent, name);
  insert(new_parent, new_name, node);
  node->attr.st_ctim = now();
  return 0;
}

void NullTree::forget(Node* node, uint64_t references) {
  node->references -= std::min(references, node->references);
  if (node->references == 0 && unlinked_.erase(node) == 1) delete node;
}

struct stat NullTree::attr(Node* node) { return node->attr; }

struct stat NullTree::change(Node* node, const std::function<void(struct stat&)>& change) {
  node->attr.st_ctim = now();
  change(node->attr);
  return node->attr;
}

void NullTree::wrote(Node* node, off_t end) {
  node->attr.st_size = std::max(node->attr.st_size, end);
  node->attr.st_mtim = node->attr.st_ctim = now();
}

void NullTree::read(Node* node, size_t from, bool with_references,
                    const std::function<bool(const Entry&)>& sink) {
  const std::vector<Directory::Slot>& slots = node->directory->slots;
  for (size_t at = from; at < slots.size(); ++at) {
    const Directory::Slot& slot = slots[at];
    if (slot.node == nullptr) continue;
    if (!sink(Entry{*slot.name, slot.node, slot.node->attr, at + 1})) return;
    if (with_references) ++slot.node->references;
  }
}

Node* NullTree::find(Node* parent, std::string_view name) {
  const auto at = parent->directory->by_name.find(name);
  if (at == parent->directory->by_name.end()) return nullptr;
  return parent->directory->slots[at->second].node;
}

void NullTree::insert(Node* parent, std::string_view name, Node* node) {
  Directory& directory = *parent->directory;
  if (directory.free_slots.empty()) {
    directory.free_slots.push_back(directory.slots.size());
    directory.slots.emplace_back();
  }
  const size_t slot = directory.free_slots.back();
  directory.free_slots.pop_back();
  const auto at = directory.by_name.emplace(name, slot).first;
  directory.slots[slot] = {&at->first, node};
  if (node->directory) ++parent->attr.st_nlink;
  parent->attr.st_mtim = parent->attr.st_ctim = now();
}

void NullTree::erase(Node* parent, std::string_view name) {
  Directory& directory = *parent->directory;
  const auto at = directory.by_name.find(name);
  const size_t slot = at->second;
  if (directory.slots[slot].node->directory) --parent->attr.st_nlink;
  directory.slots[slot] = {};
  directory.free_slots.push_back(slot);
  directory.by_name.erase(at);
  parent->attr.st_mtim = parent->attr.st_ctim = now();
}

void NullTree::unlink(Node* parent, std::string_view name, Node* node) {
  erase(parent, name);
  node->attr.st_nlink = 0;
  if (node->references > 0) {
    unlinked_.insert(node);
  } else {
    delete node;
  }
}

}  // namespace nacre::bench
