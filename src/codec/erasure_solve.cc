#include "codec/erasure_solve.h"

#include <isa-l/erasure_code.h>

#include <algorithm>

#include "base/check.h"

namespace nacre::codec {
namespace {

using Row = std::vector<uint8_t>;

// row += factor × other
void add_scaled(Row& row, std::span<const uint8_t> other, uint8_t factor) {
  if (factor == 0) return;
  for (size_t i = 0; i < row.size(); ++i) row[i] ^= gf_mul(factor, other[i]);
}

// What is known of each data fragment: a row of coefficients over the sources.
class Solver {
 public:
  Solver(ErasureCode code, std::span<const uint8_t> matrix, unsigned data_stored)
      : code_(code), matrix_(matrix), data_stored_(data_stored) {}

  bool choose_sources(const std::vector<bool>& present) {
    for (unsigned i = 0; i < data_stored_; ++i) (present[i] ? sources_ : missing_).push_back(i);
    data_sources_ = static_cast<unsigned>(sources_.size());
    for (unsigned i = code_.k; i < code_.n() && sources_.size() < data_stored_; ++i) {
      if (present[i]) sources_.push_back(i);
    }
    return sources_.size() == data_stored_;
  }

  void solve() {
    data_rows_.assign(data_stored_, Row(sources_.size(), 0));
    for (unsigned s = 0; s < data_sources_; ++s) data_rows_[sources_[s]][s] = 1;
    if (missing_.empty()) return;
    const std::vector<uint8_t> inverse = inverted();
    const size_t unknowns = missing_.size();
    for (size_t i = 0; i < unknowns; ++i) {
      Row& row = data_rows_[missing_[i]];
      for (size_t p = 0; p < unknowns; ++p) {
        add_scaled(row, parity_without_missing(p), inverse[i * unknowns + p]);
      }
    }
  }

  Row row_of(unsigned fragment) const {
    if (fragment < code_.k) return data_rows_[fragment];
    Row row(sources_.size(), 0);
    for (unsigned d = 0; d < data_stored_; ++d) {
      add_scaled(row, data_rows_[d], coefficient(fragment, d));
    }
    return row;
  }

  std::vector<unsigned> sources() && { return std::move(sources_); }

 private:
  uint8_t coefficient(unsigned parity, unsigned data) const {
    return matrix_[(parity - code_.k) * code_.k + data];
  }

  // The p-th parity source less the data at hand: what the missing data alone add up to.
  Row parity_without_missing(size_t p) const {
    Row row(sources_.size(), 0);
    const unsigned parity = sources_[data_sources_ + p];
    for (unsigned s = 0; s < data_sources_; ++s) row[s] = coefficient(parity, sources_[s]);
    row[data_sources_ + p] = 1;
    return row;
  }

  // Of the square matrix that makes the parity sources from the missing data.
  std::vector<uint8_t> inverted() const {
    const size_t unknowns = missing_.size();
    std::vector<uint8_t> square(unknowns * unknowns);
    for (size_t p = 0; p < unknowns; ++p) {
      for (size_t i = 0; i < unknowns; ++i) {
        square[p * unknowns + i] = coefficient(sources_[data_sources_ + p], missing_[i]);
      }
    }
    std::vector<uint8_t> inverse(square.size());
    // Every square part of a Cauchy matrix has an inverse.
    CHECK(gf_invert_matrix(square.data(), inverse.data(), static_cast<int>(unknowns)) == 0);
    return inverse;
  }

  const ErasureCode code_;
  const std::span<const uint8_t> matrix_;
  const unsigned data_stored_;
  std::vector<unsigned> sources_;  // data first
  std::vector<unsigned> missing_;  // data that is not there
  unsigned data_sources_ = 0;
  std::vector<Row> data_rows_;
};

}  // namespace

std::optional<ErasureSolution> solve_erasure(ErasureCode code, std::span<const uint8_t> matrix,
                                             unsigned data_stored, const std::vector<bool>& present,
                                             std::span<const unsigned> wanted) {
  Solver solver(code, matrix, data_stored);
  if (!solver.choose_sources(present)) return std::nullopt;
  solver.solve();
  ErasureSolution solution;
  for (const unsigned fragment : wanted) {
    const Row row = solver.row_of(fragment);
    solution.coefficients.insert(solution.coefficients.end(), row.begin(), row.end());
  }
  solution.sources = std::move(solver).sources();
  return solution;
}

}  // namespace nacre::codec
