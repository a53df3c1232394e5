#include "codec/erasure_code.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/check.h"
#include "base/units.h"

namespace nacre::codec {
namespace {

// All of `text` as a decimal number without a sign.
std::optional<unsigned> number_of(std::string_view text) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Error unreadable(std::string_view text) {
  return Error(Code::kInvalid, "'" + std::string(text) +
                                   "' is no protection: write data and parity fragments as in "
                                   "'4+2', or '3 copies'");
}

Result<ErasureCode> checked(std::string_view text, uint64_t k, uint64_t m) {
  if (k == 0) {
    return Error(Code::kInvalid,
                 "'" + std::string(text) + "' keeps nothing: at least one data fragment is needed");
  }
  if (k > kMaxFragments || m > kMaxFragments || k + m > kMaxFragments) {
    return Error(Code::kInvalid, "'" + std::string(text) +
                                     "' is too wide: data and parity are at most " +
                                     std::to_string(kMaxFragments) + " fragments together");
  }
  return ErasureCode{static_cast<uint8_t>(k), static_cast<uint8_t>(m)};
}

}  // namespace

std::string to_string(ErasureCode code) {
  if (code.k == 1) return code.m == 0 ? "1 copy" : std::to_string(code.n()) + " copies";
  return std::to_string(code.k) + "+" + std::to_string(code.m);
}

Result<ErasureCode> parse_code(std::string_view text) {
  if (const size_t plus = text.find('+'); plus != std::string_view::npos) {
    const auto k = number_of(text.substr(0, plus));
    const auto m = number_of(text.substr(plus + 1));
    if (!k || !m) return unreadable(text);
    return checked(text, *k, *m);
  }
  const size_t space = text.find(' ');
  if (space == std::string_view::npos) return unreadable(text);
  const auto copies = number_of(text.substr(0, space));
  const std::string_view unit = text.substr(space + 1);
  if (!copies || (unit != "copies" && unit != "copy")) return unreadable(text);
  return *copies == 0 ? checked(text, 0, 0) : checked(text, 1, *copies - 1);
}

FragmentLayout::FragmentLayout(ErasureCode code, uint64_t block_bytes)
    : code_(code), block_bytes_(block_bytes) {
  CHECK(code.is_valid());
  const uint64_t share = block_bytes / code.k + (block_bytes % code.k == 0 ? 0 : 1);
  stride_bytes_ = std::max(kMinFragmentBytes, round_up(share, kFragmentAlignment));
  data_stored_ = static_cast<unsigned>(block_bytes / stride_bytes_ +
                                       (block_bytes % stride_bytes_ == 0 ? 0 : 1));
}

uint64_t FragmentLayout::bytes_of(unsigned i) const {
  CHECK(i < code_.n());
  if (i >= code_.k) return std::min(stride_bytes_, block_bytes_);
  if (i >= data_stored_) return 0;
  return std::min(stride_bytes_, block_bytes_ - offset_of(i));
}

std::vector<FragmentPiece> FragmentLayout::pieces_of(uint64_t offset_bytes,
                                                     uint64_t length_bytes) const {
  std::vector<FragmentPiece> pieces;
  offset_bytes = std::min(offset_bytes, block_bytes_);
  const uint64_t end = offset_bytes + std::min(length_bytes, block_bytes_ - offset_bytes);
  while (offset_bytes < end) {
    const auto fragment = static_cast<unsigned>(offset_bytes / stride_bytes_);
    const uint64_t within = offset_bytes - offset_of(fragment);
    const uint64_t length = std::min(end - offset_bytes, stride_bytes_ - within);
    pieces.push_back({fragment, within, length});
    offset_bytes += length;
  }
  return pieces;
}

}  // namespace nacre::codec
