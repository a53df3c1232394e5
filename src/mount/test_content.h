// The content of a file of TestTree: pages of 4 KiB, where there are any. For tests.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <map>

#include "base/bytes.h"
#include "base/result.h"
#include "fs/tree.h"

namespace nacre::mount {

class TestContent {
 public:
  static constexpr uint64_t kPageBytes = 4096;

  uint64_t size() const { return size_; }
  uint64_t allocated_bytes() const { return pages_.size() * kPageBytes; }

  size_t read(uint64_t offset, MutableBytes into) const {
    if (offset >= size_) return 0;
    const size_t count = std::min<size_t>(into.size(), size_ - offset);
    for_each_page(offset, count, [&](uint64_t page, uint64_t from, uint64_t length, uint64_t at) {
      const auto found = pages_.find(page);
      if (found == pages_.end()) {
        std::memset(into.data() + at, 0, length);
      } else {
        std::memcpy(into.data() + at, found->second.data() + from, length);
      }
    });
    return count;
  }

  void write(uint64_t offset, ByteView data) {
    for_each_page(offset, data.size(),
                  [&](uint64_t page, uint64_t from, uint64_t length, uint64_t at) {
                    std::memcpy(pages_[page].data() + from, data.data() + at, length);
                  });
    size_ = std::max<uint64_t>(size_, offset + data.size());
  }

  void resize(uint64_t size) {
    if (size < size_) zero(size, size_ - size);
    size_ = size;
  }

  // Makes a hole of [offset, offset + length); the size stays.
  void zero(uint64_t offset, uint64_t length) {
    const uint64_t end = offset + length;
    auto at = pages_.lower_bound(offset / kPageBytes);
    while (at != pages_.end() && at->first * kPageBytes < end) {
      const uint64_t start = at->first * kPageBytes;
      const uint64_t from = std::max(offset, start) - start;
      const uint64_t to = std::min(end - start, kPageBytes);
      if (to - from == kPageBytes) {
        at = pages_.erase(at);
      } else {
        std::memset(at->second.data() + from, 0, to - from);
        ++at;
      }
    }
  }

  Result<uint64_t> seek(uint64_t offset, fs::SeekKind kind) const {
    if (offset >= size_) return Code::kNoData;
    auto next = pages_.lower_bound(offset / kPageBytes);
    if (kind == fs::SeekKind::kData) {
      if (next == pages_.end()) return Code::kNoData;
      const uint64_t start = std::max(offset, next->first * kPageBytes);
      return start < size_ ? Result<uint64_t>(start) : Code::kNoData;
    }
    uint64_t page = offset / kPageBytes;
    for (; next != pages_.end() && next->first == page; ++next) ++page;
    return std::min(std::max(offset, page * kPageBytes), size_);
  }

 private:
  using Page = std::array<std::byte, kPageBytes>;

  // Calls visit(page, offset in it, bytes of it, offset in the range) for each page of a range. The
  // range may end far behind the last page there is, so that only writes should pass lengths from
  // outside unbounded.
  template <class Visit>
  static void for_each_page(uint64_t offset, uint64_t length, Visit visit) {
    uint64_t at = 0;
    while (at < length) {
      const uint64_t from = (offset + at) % kPageBytes;
      const uint64_t count = std::min(length - at, kPageBytes - from);
      visit((offset + at) / kPageBytes, from, count, at);
      at += count;
    }
  }

  uint64_t size_ = 0;
  std::map<uint64_t, Page> pages_;
};

}  // namespace nacre::mount
