// The primitives of every layout: a Writer that appends fields to a string, and a Reader that
// takes them back out of bytes nobody vouches for.
//
// Integers are little-endian unless the name says otherwise. 128-bit ids are 16 bytes in the order
// of their hexadecimal digits, so that they sort as keys and can be found in a dump. Both classes
// are for one thread at a time and own nothing: the string, and the bytes read, outlive them.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"

namespace nacre::wire {

// The most bytes a varint takes: ten groups of seven bits.
inline constexpr size_t kMaxVarintBytes = 10;

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void u8(uint8_t value) { out_.push_back(static_cast<char>(value)); }
  void u16(uint16_t value) { little(value); }
  void u32(uint32_t value) { little(value); }
  void u64(uint64_t value) { little(value); }
  // Sorts as bytes the way the numbers sort: for keys.
  void big_u64(uint64_t value) { little(std::byteswap(value)); }
  // LEB128: seven bits a byte, lowest first, the top bit set on all but the last.
  void varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) u8(static_cast<uint8_t>(value | 0x80));
    u8(static_cast<uint8_t>(value));
  }
  template <class Tag>
  void id(Id128<Tag> value) {
    big_u64(value.high);
    big_u64(value.low);
  }
  // The bytes alone; the reader must know how many.
  void raw(ByteView bytes) { out_.append(as_text(bytes)); }
  // A varint length, then the bytes.
  void sized(ByteView bytes) {
    varint(bytes.size());
    raw(bytes);
  }
  void sized(std::string_view text) { sized(as_bytes(text)); }
  void zeros(size_t count) { out_.append(count, '\0'); }

  // Bytes in the string, with what was there before.
  size_t size() const { return out_.size(); }

 private:
  template <std::unsigned_integral T>
  void little(T value) {
    static_assert(std::endian::native == std::endian::little);
    char bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof(T));
    out_.append(bytes, sizeof(T));
  }

  std::string& out_;
};

// Reads fields in order. A field that does not fit, or is malformed, makes the reader fail for
// good: it and every later field read as zero or empty. So a decoder reads all its fields, asks
// finish() once, and only then believes them.
class Reader {
 public:
  explicit Reader(ByteView bytes) : rest_(bytes) {}
  explicit Reader(std::string_view text) : rest_(nacre::as_bytes(text)) {}

  uint8_t u8() { return little<uint8_t>(); }
  uint16_t u16() { return little<uint16_t>(); }
  uint32_t u32() { return little<uint32_t>(); }
  uint64_t u64() { return little<uint64_t>(); }
  uint64_t big_u64() { return std::byteswap(little<uint64_t>()); }
  // Fails past 64 bits, and on a longer form than needed: one number has one encoding.
  uint64_t varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const uint8_t byte = u8();
      if (failed_ || (shift == 63 && byte > 1) || (shift > 0 && byte == 0)) break;
      value |= uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return value;
    }
    fail();
    return 0;
  }
  template <class Id>
  Id id() {
    Id value;
    value.high = big_u64();
    value.low = big_u64();
    return failed_ ? Id{} : value;
  }
  // A view of the next `count` bytes, valid as long as the bytes read from.
  ByteView raw(uint64_t count) {
    if (failed_ || count > rest_.size()) {
      fail();
      return {};
    }
    const ByteView taken = rest_.first(static_cast<size_t>(count));
    rest_ = rest_.subspan(static_cast<size_t>(count));
    return taken;
  }
  // What sized() wrote; fails when longer than `max_bytes`.
  ByteView sized(uint64_t max_bytes = UINT64_MAX) {
    const uint64_t length = varint();
    if (length > max_bytes) fail();
    return raw(length);
  }
  std::string_view sized_text(uint64_t max_bytes = UINT64_MAX) { return as_text(sized(max_bytes)); }
  // Reserved bytes that must be zero.
  void zeros(size_t count) {
    for (const std::byte byte : raw(count)) {
      if (byte != std::byte{0}) fail();
    }
  }
  void skip(uint64_t count) { (void)raw(count); }

  // For a decoder that finds a value out of range.
  void fail() {
    failed_ = true;
    rest_ = {};
  }
  bool ok() const { return !failed_; }
  size_t remaining() const { return rest_.size(); }
  // Everything not yet read.
  ByteView rest() { return raw(rest_.size()); }

  // kCorrupt unless all fields were well formed and nothing is left over; `what` names the thing
  // decoded, for the error.
  Status finish(std::string_view what) const {
    if (failed_) return Error(Code::kCorrupt, std::string(what) + " does not decode");
    if (!rest_.empty()) return Error(Code::kCorrupt, std::string(what) + " has trailing bytes");
    return {};
  }

 private:
  template <std::unsigned_integral T>
  T little() {
    const ByteView bytes = raw(sizeof(T));
    if (failed_) return 0;
    T value;
    std::memcpy(&value, bytes.data(), sizeof(T));
    return value;
  }

  ByteView rest_;
  bool failed_ = false;
};

}  // namespace nacre::wire
