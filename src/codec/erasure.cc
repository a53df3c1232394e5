#include "codec/erasure.h"

#include <isa-l/erasure_code.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "codec/erasure_solve.h"

namespace nacre::codec {
namespace {

constexpr size_t kTableBytes = 32;

using Sources = std::vector<ByteView>;
using Targets = std::vector<MutableBytes>;

// Every target is a sum of the sources; `coefficients` has a row for each target. `tables` are
// ISA-L's for them.
void code_pass(uint64_t length, std::span<const uint8_t> tables, std::span<uint8_t*> sources,
               std::span<uint8_t*> targets) {
  if (length == 0 || targets.empty()) return;
  // ISA-L reads the tables and the sources, though its types do not say so.
  ec_encode_data(static_cast<int>(length), static_cast<int>(sources.size()),
                 static_cast<int>(targets.size()), const_cast<uint8_t*>(tables.data()),
                 sources.data(), targets.data());
}

// Of a table of rows × columns entries those that are chosen, in order.
std::vector<uint8_t> chosen_of(std::span<const uint8_t> tables, size_t columns,
                               std::span<const size_t> rows, std::span<const size_t> chosen) {
  std::vector<uint8_t> smaller;
  smaller.reserve(rows.size() * chosen.size() * kTableBytes);
  for (const size_t row : rows) {
    for (const size_t column : chosen) {
      const auto entry = tables.subspan((row * columns + column) * kTableBytes, kTableBytes);
      smaller.insert(smaller.end(), entry.begin(), entry.end());
    }
  }
  return smaller;
}

// The part of the sum in [begin, end): from the sources and for the targets that reach so far.
void code_part(uint64_t begin, uint64_t end, std::span<const uint8_t> tables,
               std::span<const ByteView> sources, std::span<const MutableBytes> targets) {
  if (begin >= end) return;
  std::vector<uint8_t*> from, into;
  std::vector<size_t> columns, rows;
  for (size_t i = 0; i < sources.size(); ++i) {
    if (sources[i].size() < end) continue;
    from.push_back(const_cast<uint8_t*>(reinterpret_cast<const uint8_t*>(sources[i].data())) +
                   begin);
    columns.push_back(i);
  }
  for (size_t i = 0; i < targets.size(); ++i) {
    if (targets[i].size() < end) continue;
    into.push_back(reinterpret_cast<uint8_t*>(targets[i].data()) + begin);
    rows.push_back(i);
  }
  if (from.empty()) {
    for (uint8_t* const target : into) std::memset(target, 0, end - begin);
  } else if (from.size() == sources.size() && into.size() == targets.size()) {
    code_pass(end - begin, tables, from, into);
  } else {
    code_pass(end - begin, chosen_of(tables, sources.size(), rows, columns), from, into);
  }
}

// All fragments are as long as the longest but for one short one: so two parts at most.
void code_all(std::span<const uint8_t> tables, std::span<const ByteView> sources,
              std::span<const MutableBytes> targets) {
  uint64_t longest = 0, shortest = UINT64_MAX;
  const auto see = [&](uint64_t length) {
    longest = std::max(longest, length);
    shortest = std::min(shortest, length);
  };
  for (const ByteView source : sources) see(source.size());
  for (const MutableBytes target : targets) see(target.size());
  CHECK(longest <= kMaxFragmentBytes);
  code_part(0, std::min(shortest, longest), tables, sources, targets);
  code_part(shortest, longest, tables, sources, targets);
}

std::vector<uint8_t> tables_of(std::span<const uint8_t> coefficients, size_t columns) {
  std::vector<uint8_t> tables(coefficients.size() * kTableBytes);
  if (coefficients.empty()) return tables;
  ec_init_tables(static_cast<int>(columns), static_cast<int>(coefficients.size() / columns),
                 const_cast<uint8_t*>(coefficients.data()), tables.data());
  return tables;
}

// The parity rows, scaled; see the header.
std::vector<uint8_t> parity_matrix(ErasureCode code) {
  std::vector<uint8_t> matrix(size_t{code.m} * code.k);
  const auto cauchy = [&](unsigned parity, unsigned data) {
    return gf_inv(static_cast<uint8_t>((code.k + parity) ^ data));
  };
  for (unsigned p = 0; p < code.m; ++p) {
    const auto scaled = [&](unsigned data) {
      return gf_mul(cauchy(p, data), gf_inv(cauchy(0, data)));
    };
    for (unsigned d = 0; d < code.k; ++d) {
      matrix[size_t{p} * code.k + d] = gf_mul(scaled(d), gf_inv(scaled(0)));
    }
  }
  return matrix;
}

uint64_t bytes_in(FragmentRange range, uint64_t fragment_bytes) {
  if (range.offset_bytes >= fragment_bytes) return 0;
  return std::min(range.length_bytes, fragment_bytes - range.offset_bytes);
}

// Marks each index, which must be a fragment's, must not come twice and must have that length.
Status mark(std::vector<bool>& marked, unsigned index, uint64_t length,
            const FragmentLayout& layout, FragmentRange range) {
  if (index >= layout.code().n()) {
    return Error(Code::kInvalid, "there is no fragment " + std::to_string(index) + " under " +
                                     to_string(layout.code()));
  }
  if (marked[index]) {
    return Error(Code::kInvalid, "fragment " + std::to_string(index) + " is given twice");
  }
  if (const uint64_t expected = bytes_in(range, layout.bytes_of(index)); length != expected) {
    return Error(Code::kInvalid, "fragment " + std::to_string(index) + " has " +
                                     std::to_string(length) + " bytes instead of " +
                                     std::to_string(expected));
  }
  marked[index] = true;
  return {};
}

}  // namespace

ErasureCoder::ErasureCoder(ErasureCode code) : code_(code) {
  CHECK(code.is_valid());
  matrix_ = parity_matrix(code);
  tables_ = tables_of(matrix_, code.k);
}

uint8_t ErasureCoder::coefficient(unsigned parity, unsigned data) const {
  CHECK(parity < code_.m && data < code_.k);
  return matrix_[size_t{parity} * code_.k + data];
}

void ErasureCoder::encode(ByteView block, std::span<const MutableBytes> parity) const {
  const FragmentLayout layout(code_, block.size());
  std::vector<ByteView> data;
  for (unsigned i = 0; i < layout.data_stored(); ++i) {
    data.push_back(block.subspan(layout.offset_of(i), layout.bytes_of(i)));
  }
  encode(data, parity);
}

void ErasureCoder::encode(std::span<const ByteView> data,
                          std::span<const MutableBytes> parity) const {
  CHECK(data.size() <= code_.k && parity.size() == code_.m);
  const size_t longest = data.empty() ? 0 : data.front().size();
  for (size_t i = 0; i < data.size(); ++i) {
    CHECK(i + 1 == data.size() ? data[i].size() <= longest : data[i].size() == longest);
  }
  for (const MutableBytes each : parity) CHECK(each.size() == longest);
  if (longest == 0 || code_.m == 0) return;
  if (data.size() == code_.k) {
    code_all(tables_, data, parity);
  } else {
    std::vector<size_t> rows(code_.m), columns(data.size());
    for (size_t i = 0; i < rows.size(); ++i) rows[i] = i;
    for (size_t i = 0; i < columns.size(); ++i) columns[i] = i;
    code_all(chosen_of(tables_, code_.k, rows, columns), data, parity);
  }
}

Status ErasureCoder::reconstruct(const FragmentLayout& layout,
                                 std::span<const PresentFragment> present,
                                 std::span<const WantedFragment> wanted,
                                 FragmentRange range) const {
  CHECK(layout.code() == code_);
  std::vector<bool> have(code_.n()), want(code_.n());
  std::vector<ByteView> views(code_.n());
  for (const PresentFragment& each : present) {
    TRY(mark(have, each.index, each.bytes.size(), layout, range));
    views[each.index] = each.bytes;
  }
  std::vector<unsigned> indexes;
  Targets targets;
  for (const WantedFragment& each : wanted) {
    TRY(mark(want, each.index, each.into.size(), layout, range));
    if (each.into.empty()) continue;
    indexes.push_back(each.index);
    targets.push_back(each.into);
  }
  if (indexes.empty()) return {};
  const auto solution = solve_erasure(code_, matrix_, layout.data_stored(), have, indexes);
  if (!solution) {
    return Error(Code::kUnavailable, std::to_string(layout.data_stored()) +
                                         " fragments are needed and fewer are at hand");
  }
  Sources sources;
  for (const unsigned index : solution->sources) sources.push_back(views[index]);
  if (sources.size() == 1 &&
      std::ranges::all_of(solution->coefficients, [](uint8_t factor) { return factor == 1; })) {
    for (const MutableBytes into : targets) {
      std::memcpy(into.data(), sources[0].data(), std::min(into.size(), sources[0].size()));
    }
    return {};
  }
  code_all(tables_of(solution->coefficients, sources.size()), sources, targets);
  return {};
}

}  // namespace nacre::codec
