// Random scripts, biased to where file systems break: few names used over and over, offsets around
// block and page boundaries and the ends of files, handles on files that lose their names.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "model/model.h"
#include "model/operation.h"
#include "os/random.h"

namespace nacre::model {

// What a script may contain.
struct Profile {
  uint64_t block_bytes = 16 * kKiB;
  uint64_t largest_write = 48 * kKiB;
  uint64_t largest_file = 512 * kKiB;     // but for what lies sparse, far beyond
  uint64_t farthest = uint64_t{1} << 62;  // 0: no sparse ends
  uint64_t largest_xattr = 2000;
  uint64_t fills = 250;  // kinds of content: with few, the same is written again and again
  size_t most_nodes = 40;
  bool volume = true;   // commits, snapshots, closing
  bool abandon = true;  // ends without closing
  bool past = true;     // paths into the past
  bool faults = false;  // calls of the stores fail
  bool power = false;   // the power goes
  bool prune = true;    // history is given up
  unsigned checks = 2;  // full comparisons in a hundred operations
  unsigned habits = 2;  // what programs are fond of, the same
};

class Generator {
 public:
  Generator(const Profile& profile, const Rules& rules, uint64_t seed);
  Script generate(size_t steps);
  // The next operation alone; `run()` it before the next call.
  Operation next();
  void run(const Operation& operation);

 private:
  uint64_t below(uint64_t bound) { return bound == 0 ? 0 : random_.next() % bound; }
  bool chance(unsigned percent) { return below(100) < percent; }
  template <class T>
  const T& any_of(const std::vector<T>& choices) {
    return choices[below(choices.size())];
  }

  struct Known {
    std::string path;
    NodeId node;
  };
  void collect(const State& state, NodeId directory, const std::string& path,
               std::vector<Known>& known) const;
  std::string name();
  std::string directory();
  std::string entry();                      // existing or not
  std::string existing(bool want_regular);  // mostly of the kind wanted
  std::string new_entry();
  std::string file();
  std::string past_path(bool want_regular);
  uint64_t offset(const std::string& path);
  uint64_t length();
  uint64_t size_of(const std::string& path) const;

  State last_moment() const;

  Operation name_operation();
  Operation content_operation();
  Operation attribute_operation();
  Operation directory_operation();
  Operation upkeep_operation();
  Operation volume_operation();
  Operation power_cut();
  // Sequences that programs are fond of: the first operation, the others follow.
  Operation habit();
  Operation make(Kind kind, std::string path = "/") const;

  const Profile profile_;
  os::SeededRandom random_;
  Model model_;
  int64_t now_ = 0;
  uint64_t snapshots_ = 0;
  std::string last_file_;
  std::deque<Operation> habit_;  // what is left of it
};

}  // namespace nacre::model
