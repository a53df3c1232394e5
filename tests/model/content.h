// The bytes of one file as the oracle keeps them: every byte, and whether it was written, only
// allocated, or never there. The simplest thing that can be right; copies share their pages.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nacre::model {

inline constexpr uint64_t kPageBytes = 4096;

enum class Cell : uint8_t { kHole, kUnwritten, kData };

class Content {
 public:
  uint64_t size() const { return size_; }
  // What is cut off is gone for good.
  void resize(uint64_t size);
  std::string read(uint64_t offset, uint64_t length) const;
  void write(uint64_t offset, std::string_view bytes);
  void punch(uint64_t offset, uint64_t length);
  // Zeroes that stay allocated.
  void zero(uint64_t offset, uint64_t length);
  // Turns the holes of the range into unwritten space.
  void allocate(uint64_t offset, uint64_t length);
  // Bytes, holes and unwritten space alike, as they were before. The source's range lies within its
  // size.
  void copy(const Content& source, uint64_t from, uint64_t to, uint64_t length);

  // The next byte at or after the offset that is data (or is not); none past the end.
  std::optional<uint64_t> seek(uint64_t offset, bool data) const;
  // All [begin, end) of data below the size.
  const std::vector<std::pair<uint64_t, uint64_t>>& ranges() const;
  uint64_t allocated_bytes() const;
  // Of the pages that are not all zero, so that holes and zeroes give the same.
  uint64_t digest() const;

 private:
  struct Page {
    std::array<char, kPageBytes> bytes{};
    std::array<Cell, kPageBytes> cells{};
  };
  template <class Body>
  void each(uint64_t offset, uint64_t length, bool create, Body&& body);
  const Page* page_of(uint64_t offset) const;
  void set_size(uint64_t size);

  uint64_t size_ = 0;
  std::map<uint64_t, std::shared_ptr<Page>> pages_;
  // Worked out when first asked for, forgotten by every change.
  mutable std::optional<uint64_t> digest_;
  mutable std::optional<std::vector<std::pair<uint64_t, uint64_t>>> ranges_;
};

// What one page, `index` from the file's start, adds to a digest: summed up by exclusive or. The
// bytes may stop short of the page's end.
uint64_t page_digest(uint64_t index, std::string_view bytes);

}  // namespace nacre::model
