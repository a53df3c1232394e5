// A set of byte ranges: their union, and how many bytes it has. A value; not thread-safe.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>

namespace nacre::keeper {

class ByteRanges {
 public:
  // Ranges that touch become one.
  void add(uint64_t begin, uint64_t end) {
    if (begin >= end) return;
    auto at = ranges_.upper_bound(begin);
    if (at != ranges_.begin() && std::prev(at)->second >= begin) --at;
    while (at != ranges_.end() && at->first <= end) {
      begin = std::min(begin, at->first);
      end = std::max(end, at->second);
      bytes_ -= at->second - at->first;
      at = ranges_.erase(at);
    }
    ranges_.emplace(begin, end);
    bytes_ += end - begin;
  }
  uint64_t bytes() const { return bytes_; }
  // The end of the highest range; 0 when there is none.
  uint64_t end() const { return ranges_.empty() ? 0 : ranges_.rbegin()->second; }
  // Begin → end, ascending.
  const std::map<uint64_t, uint64_t>& ranges() const { return ranges_; }
  // The range that holds all of [begin, end), if one does.
  const std::pair<const uint64_t, uint64_t>* covering(uint64_t begin, uint64_t end) const {
    auto at = ranges_.upper_bound(begin);
    if (at == ranges_.begin()) return nullptr;
    --at;
    return at->second >= end ? &*at : nullptr;
  }

 private:
  std::map<uint64_t, uint64_t> ranges_;
  uint64_t bytes_ = 0;
};

}  // namespace nacre::keeper
