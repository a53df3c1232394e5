// Random work on a volume, and what it looked like after each commit: for tests.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "keeper/test_volume.h"

namespace nacre::keeper {

class Exercise {
 public:
  Exercise(TestVolume& test, uint64_t seed) : test_(test), random_(seed) {
    directories_ = {kRootInode};
    for (int i = 0; i < 3; ++i) {
      directories_.push_back(test_.make_directory("dir" + std::to_string(i)));
    }
  }

  // Some changes, one commit, and a look at the result.
  void round() {
    const uint64_t changes = 1 + random_.next() % 6;
    for (uint64_t i = 0; i < changes; ++i) change();
    const Sequence at = test_.commit();
    images_[at] = test_.image(at);
  }
  void rounds(int count) {
    for (int i = 0; i < count; ++i) round();
  }
  const std::map<Sequence, TreeImage>& images() const { return images_; }
  Sequence some_commit() {
    auto at = images_.begin();
    std::advance(at, static_cast<long>(random_.next() % images_.size()));
    return at->first;
  }
  // Every commit from `from` on reads as it did.
  void expect_unchanged(Sequence from = {}) {
    for (auto at = images_.lower_bound(from); at != images_.end(); ++at) {
      const TreeImage now = test_.image(at->first);
      EXPECT_TRUE(now == at->second) << "as of " << at->first.value;
    }
  }

 private:
  struct Name {
    InodeId parent;
    std::string name;
    InodeId ino;
  };
  uint64_t below(uint64_t bound) { return random_.next() % bound; }
  InodeId some_directory() { return directories_[below(directories_.size())]; }

  void change() {
    const uint64_t dice = below(100);
    if (files_.empty() || dice < 15) return create();
    Name& file = files_[below(files_.size())];
    if (dice < 50) return write(file.ino);
    if (dice < 60) return test_.truncate(file.ino, below(150'000));
    if (dice < 68) return copy(file.ino);
    if (dice < 74) return link(file);
    if (dice < 82) return rename(file);
    if (dice < 86) return set_xattr(file.ino);
    if (dice < 90) return allocate(file.ino);
    unlink(static_cast<size_t>(&file - files_.data()));
  }
  void create() {
    const InodeId parent = some_directory();
    const std::string name = "f" + std::to_string(next_name_++);
    files_.push_back({parent, name, test_.make_file(parent, name)});
    write(files_.back().ino);
  }
  void write(InodeId ino) {
    const size_t length = below(4) == 0 ? 1 + below(70'000) : 1 + below(2'000);
    test_.write(ino, below(100'000), TestVolume::noise(random_.next(), length));
  }
  void copy(InodeId from) {
    const InodeId to = files_[below(files_.size())].ino;
    if (to == from) return;
    (void)must(test_.tree->copy_range(from, below(20'000), to, below(50'000), below(90'000)));
  }
  void link(const Name& file) {
    const InodeId parent = some_directory();
    const std::string name = "l" + std::to_string(next_name_++);
    test_.settle(must(test_.tree->link(file.ino, parent, name)));
    files_.push_back({parent, name, file.ino});
  }
  void rename(Name& file) {
    const InodeId parent = some_directory();
    const std::string name = "r" + std::to_string(next_name_++);
    must(test_.tree->rename(file.parent, file.name, parent, name, fs::RenameMode::kReplace));
    file.parent = parent;
    file.name = name;
  }
  void set_xattr(InodeId ino) {
    must(test_.tree->set_xattr(ino, "user.mark", std::to_string(below(1000)), fs::XattrMode::kSet,
                               false));
  }
  void allocate(InodeId ino) {
    const auto mode = below(2) == 0 ? fs::AllocateMode::kPunchHole : fs::AllocateMode::kKeepSize;
    must(test_.tree->allocate(ino, below(60'000), 1 + below(60'000), mode));
  }
  void unlink(size_t index) {
    must(test_.tree->unlink(files_[index].parent, files_[index].name));
    files_.erase(files_.begin() + static_cast<long>(index));
  }

  TestVolume& test_;
  os::SeededRandom random_;
  std::vector<InodeId> directories_;
  std::vector<Name> files_;
  std::map<Sequence, TreeImage> images_;
  uint64_t next_name_ = 0;
};

}  // namespace nacre::keeper
