#include "model/shrink.h"

#include <algorithm>
#include <cstddef>

namespace nacre::model {

namespace {

class Shrinker {
 public:
  Shrinker(Script script, const std::function<bool(const Script&)>& fails, size_t most_runs)
      : script_(std::move(script)), fails_(fails), runs_left_(most_runs) {}

  Script shrink() {
    for (size_t before = script_.size() + 1; script_.size() < before && runs_left_ > 0;) {
      before = script_.size();
      for (size_t chunk = std::max<size_t>(before / 2, 1); chunk > 0; chunk /= 2) drop(chunk);
    }
    simplify();
    return std::move(script_);
  }

 private:
  bool take_if_fails(Script candidate) {
    if (runs_left_ == 0) return false;
    --runs_left_;
    if (!fails_(candidate)) return false;
    script_ = std::move(candidate);
    return true;
  }

  // From the end on: what comes last depends on what came first.
  void drop(size_t chunk) {
    for (size_t end = script_.size(); end > 0; end = std::min(end, script_.size())) {
      const size_t begin = end - std::min(chunk, end);
      Script candidate = script_;
      candidate.erase(candidate.begin() + static_cast<std::ptrdiff_t>(begin),
                      candidate.begin() + static_cast<std::ptrdiff_t>(end));
      take_if_fails(std::move(candidate));
      end = begin;
    }
  }

  void simplify() {
    uint64_t Operation::* const fields[] = {&Operation::offset, &Operation::length,
                                            &Operation::extra};
    for (size_t i = 0; i < script_.size(); ++i) {
      for (const auto field : fields) {
        // The type of a node, a group, a time: no number that could be smaller.
        if (field == &Operation::extra && script_[i].kind != Kind::kCopy) continue;
        if (!reduce(i, field, 0)) {
          while (reduce(i, field, script_[i].*field / 2)) {
          }
          while (reduce(i, field, script_[i].*field - 1)) {
          }
        }
      }
    }
  }
  bool reduce(size_t at, uint64_t Operation::* field, uint64_t value) {
    if (script_[at].*field == 0 || script_[at].*field == value) return false;
    Script candidate = script_;
    candidate[at].*field = value;
    return take_if_fails(std::move(candidate));
  }

  Script script_;
  const std::function<bool(const Script&)>& fails_;
  size_t runs_left_;
};

}  // namespace

Script shrink(Script script, const std::function<bool(const Script&)>& fails, size_t most_runs) {
  return Shrinker(std::move(script), fails, most_runs).shrink();
}

}  // namespace nacre::model
