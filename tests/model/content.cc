#include "model/content.h"

#include <algorithm>

#include "codec/checksum.h"

namespace nacre::model {

// Calls `body(page, begin, end)`, positions within the page, for each page of the range; pages that
// do not exist are made or passed over.
template <class Body>
void Content::each(uint64_t offset, uint64_t length, bool create, Body&& body) {
  const uint64_t end = offset + length;
  digest_.reset();
  ranges_.reset();
  for (uint64_t at = offset; at < end;) {
    const uint64_t index = at / kPageBytes;
    auto found = pages_.lower_bound(index);
    if (found == pages_.end() || found->first != index) {
      if (create) {
        found = pages_.emplace_hint(found, index, std::make_shared<Page>());
      } else if (found == pages_.end()) {
        return;
      } else {
        at = found->first * kPageBytes;
        continue;
      }
    }
    if (found->second.use_count() > 1) found->second = std::make_shared<Page>(*found->second);
    const uint64_t start = index * kPageBytes;
    const uint64_t stop = std::min(end - start, kPageBytes);
    body(*found->second, at - start, stop);
    at = start + stop;
  }
}

const Content::Page* Content::page_of(uint64_t offset) const {
  const auto found = pages_.find(offset / kPageBytes);
  return found == pages_.end() ? nullptr : found->second.get();
}

void Content::set_size(uint64_t size) {
  size_ = size;
  ranges_.reset();
}

void Content::resize(uint64_t size) {
  if (size < size_) punch(size, uint64_t{INT64_MAX} - size);
  set_size(size);
}

std::string Content::read(uint64_t offset, uint64_t length) const {
  if (offset >= size_) return {};
  std::string bytes(std::min(length, size_ - offset), '\0');
  for (uint64_t i = 0; i < bytes.size();) {
    const uint64_t in_page = (offset + i) % kPageBytes;
    const uint64_t count = std::min<uint64_t>(kPageBytes - in_page, bytes.size() - i);
    if (const Page* page = page_of(offset + i)) {
      bytes.replace(i, count, page->bytes.data() + in_page, count);
    }
    i += count;
  }
  return bytes;
}

void Content::write(uint64_t offset, std::string_view bytes) {
  set_size(std::max(size_, offset + bytes.size()));
  each(offset, bytes.size(), true, [&](Page& page, uint64_t begin, uint64_t end) {
    std::copy_n(bytes.begin(), end - begin, page.bytes.begin() + begin);
    std::fill(page.cells.begin() + begin, page.cells.begin() + end, Cell::kData);
    bytes.remove_prefix(end - begin);
  });
}

void Content::punch(uint64_t offset, uint64_t length) {
  const uint64_t first_whole = (offset + kPageBytes - 1) / kPageBytes;
  const uint64_t end_whole = (offset + length) / kPageBytes;
  if (first_whole < end_whole) {
    pages_.erase(pages_.lower_bound(first_whole), pages_.lower_bound(end_whole));
  }
  each(offset, length, false, [](Page& page, uint64_t begin, uint64_t end) {
    std::fill(page.bytes.begin() + begin, page.bytes.begin() + end, '\0');
    std::fill(page.cells.begin() + begin, page.cells.begin() + end, Cell::kHole);
  });
}

void Content::zero(uint64_t offset, uint64_t length) {
  each(offset, length, true, [](Page& page, uint64_t begin, uint64_t end) {
    std::fill(page.bytes.begin() + begin, page.bytes.begin() + end, '\0');
    std::fill(page.cells.begin() + begin, page.cells.begin() + end, Cell::kUnwritten);
  });
}

void Content::allocate(uint64_t offset, uint64_t length) {
  each(offset, length, true, [](Page& page, uint64_t begin, uint64_t end) {
    std::replace(page.cells.begin() + begin, page.cells.begin() + end, Cell::kHole,
                 Cell::kUnwritten);
  });
}

void Content::copy(const Content& source, uint64_t from, uint64_t to, uint64_t length) {
  std::string bytes(length, '\0');
  std::vector<Cell> cells(length, Cell::kHole);
  for (uint64_t i = 0; i < length;) {
    const uint64_t in_page = (from + i) % kPageBytes;
    const uint64_t count = std::min(kPageBytes - in_page, length - i);
    if (const Page* page = source.page_of(from + i)) {
      std::copy_n(page->bytes.begin() + in_page, count, bytes.begin() + i);
      std::copy_n(page->cells.begin() + in_page, count, cells.begin() + i);
    }
    i += count;
  }
  uint64_t done = 0;
  each(to, length, true, [&](Page& page, uint64_t begin, uint64_t end) {
    std::copy_n(bytes.begin() + done, end - begin, page.bytes.begin() + begin);
    std::copy_n(cells.begin() + done, end - begin, page.cells.begin() + begin);
    done += end - begin;
  });
  set_size(std::max(size_, to + length));
}

std::optional<uint64_t> Content::seek(uint64_t offset, bool data) const {
  for (uint64_t at = offset; at < size_;) {
    const auto page = pages_.lower_bound(at / kPageBytes);
    const bool in_page = page != pages_.end() && page->first == at / kPageBytes;
    if (!in_page) {
      if (!data) return at;
      if (page == pages_.end()) return std::nullopt;
      at = page->first * kPageBytes;
      continue;
    }
    for (uint64_t i = at % kPageBytes; i < kPageBytes && at < size_; ++i, ++at) {
      if ((page->second->cells[i] == Cell::kData) == data) return at;
    }
  }
  return std::nullopt;
}

const std::vector<std::pair<uint64_t, uint64_t>>& Content::ranges() const {
  if (ranges_) return *ranges_;
  ranges_.emplace();
  for (uint64_t at = 0; const auto begin = seek(at, true);) {
    at = seek(*begin, false).value_or(size_);
    ranges_->emplace_back(*begin, at);
  }
  return *ranges_;
}

uint64_t Content::allocated_bytes() const {
  uint64_t count = 0;
  for (const auto& [index, page] : pages_) {
    count += kPageBytes -
             static_cast<uint64_t>(std::count(page->cells.begin(), page->cells.end(), Cell::kHole));
  }
  return count;
}

uint64_t Content::digest() const {
  if (digest_) return *digest_;
  digest_ = 0;
  for (const auto& [index, page] : pages_) {
    *digest_ ^= page_digest(index, {page->bytes.data(), page->bytes.size()});
  }
  return *digest_;
}

uint64_t page_digest(uint64_t index, std::string_view bytes) {
  if (bytes.find_first_not_of('\0') == std::string_view::npos) return 0;
  std::string page(bytes);
  page.resize(kPageBytes);
  return codec::xxh64(as_bytes(page), index + 1);
}

}  // namespace nacre::model
