#include "cli_bench/rows.h"

#include <gtest/gtest.h>

#include <set>

namespace nacre::cli::bench {
namespace {

TEST(Order, DistinctNumbersAreDistinctAndBelowTheLimit) {
  const std::vector<uint64_t> numbers = distinct_numbers(1, 50, 60);
  EXPECT_EQ(numbers.size(), 50u);
  const std::set<uint64_t> unique(numbers.begin(), numbers.end());
  EXPECT_EQ(unique.size(), 50u);
  EXPECT_LT(*unique.rbegin(), 60u);
}

TEST(Order, NoMoreNumbersThanThereAre) { EXPECT_EQ(distinct_numbers(1, 100, 16).size(), 16u); }

TEST(Order, TheSeedDecides) {
  EXPECT_EQ(distinct_numbers(1, 50, 60), distinct_numbers(1, 50, 60));
  EXPECT_NE(distinct_numbers(1, 50, 60), distinct_numbers(2, 50, 60));
}

TEST(Names, AreNumberedWithALetter) {
  EXPECT_EQ(numbered_names('g', 2), (std::vector<std::string>{"g000000", "g000001"}));
}

TEST(Noise, NoTwoPagesAreTheSame) {
  Noise noise(1);
  std::set<std::string> pages;
  for (int chunk = 0; chunk < 3; ++chunk) {
    const ByteView bytes = noise.next(4 * kPageBytes);
    for (uint64_t at = 0; at < bytes.size(); at += kPageBytes) {
      pages.emplace(as_text(bytes.subspan(at, kPageBytes)));
    }
  }
  EXPECT_EQ(pages.size(), 12u);
}

}  // namespace
}  // namespace nacre::cli::bench
