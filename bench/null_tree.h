// A file tree in memory that keeps names and attributes and no content: the least that any file
// system behind FUSE must do. For one thread.
//
// Lookups and makings count references as FUSE does; forget() gives them back. A node lives while
// it is linked or referenced, and `Node*` is valid as long.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace nacre::bench {

struct Node;

// Entries by name, and in slots that a reader of the directory can count through while entries
// come and go. A freed slot is used again.
struct Directory {
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view name) const { return std::hash<std::string_view>()(name); }
  };
  struct Slot {
    const std::string* name = nullptr;  // the key in `by_name`; null when free
    Node* node = nullptr;
  };
  std::unordered_map<std::string, size_t, Hash, std::equal_to<>> by_name;
  std::vector<Slot> slots;
  std::vector<size_t> free_slots;
};

struct Node {
  struct stat attr = {};
  uint64_t references = 0;
  std::unique_ptr<Directory> directory;  // null for everything else
};

class NullTree {
 public:
  NullTree();
  ~NullTree();
  NullTree(const NullTree&) = delete;
  NullTree& operator=(const NullTree&) = delete;

  Node* root() { return root_; }

  // Each returns 0 or a positive errno, and fills its results only with 0.
  int lookup(Node* parent, std::string_view name, Node** found, struct stat* attr);
  // `mode` with the type; a directory is made as one.
  int make(Node* parent, std::string_view name, mode_t mode, uid_t uid, gid_t gid, dev_t device,
           Node** made, struct stat* attr);
  // `directory` says which kind may be removed: ENOTDIR, EISDIR, ENOTEMPTY otherwise.
  int remove(Node* parent, std::string_view name, bool directory);
  int rename(Node* parent, std::string_view name, Node* new_parent, std::string_view new_name,
             bool replace);
  void forget(Node* node, uint64_t references);

  struct stat attr(Node* node);
  // Sets the ctime, lets `change` alter the rest, and returns what came out.
  struct stat change(Node* node, const std::function<void(struct stat&)>& change);
  // The node's content grows to `end` if it is shorter.
  void wrote(Node* node, off_t end);

  // Calls `sink` for the entries from slot `from` on until it returns false. `next` is where to
  // resume after an entry. Each accepted entry counts one reference if `with_references`.
  struct Entry {
    const std::string& name;
    Node* node;
    const struct stat& attr;
    size_t next;
  };
  void read(Node* node, size_t from, bool with_references,
            const std::function<bool(const Entry&)>& sink);

 private:
  Node* find(Node* parent, std::string_view name);
  void insert(Node* parent, std::string_view name, Node* node);
  void erase(Node* parent, std::string_view name);
  int check_removable(Node* node, bool directory);
  void unlink(Node* parent, std::string_view name, Node* node);
  static void free_below(Node* node);

  Node* const root_;
  std::unordered_set<Node*> unlinked_;  // but still referenced
  ino_t next_ino_ = 2;
};

}  // namespace nacre::bench
