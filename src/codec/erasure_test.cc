#include "codec/erasure.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <string>
#include <vector>

#include "codec/checksum.h"

namespace nacre::codec {
namespace {

uint64_t mixed(uint64_t& state) {
  state += 0x9E3779B97F4A7C15u;
  uint64_t bits = state;
  bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9u;
  bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EBu;
  return bits ^ (bits >> 31);
}

std::string noise(size_t size, uint64_t seed = 1) {
  std::string text(size, '\0');
  for (char& letter : text) letter = static_cast<char>(mixed(seed));
  return text;
}

// A block in all its fragments.
struct Coded {
  Coded(ErasureCode code, size_t length, uint64_t seed = 1)
      : coder(code), layout(code, length), block(noise(length, seed)) {
    for (unsigned i = 0; i < code.n(); ++i) {
      fragments.emplace_back(i < code.k && layout.is_stored(i)
                                 ? block.substr(layout.offset_of(i), layout.bytes_of(i))
                                 : std::string(layout.bytes_of(i), '?'));
    }
    std::vector<MutableBytes> parity;
    for (unsigned i = code.k; i < code.n(); ++i) parity.push_back(as_writable_bytes(fragments[i]));
    coder.encode(as_bytes(block), parity);
  }

  // Whether the fragments not in `kept` (a mask) come back as they were, in that range.
  ::testing::AssertionResult returns(uint64_t kept, FragmentRange range = {}) const {
    std::vector<PresentFragment> present;
    std::vector<WantedFragment> wanted;
    std::vector<std::string> out(fragments.size());
    for (unsigned i = 0; i < fragments.size(); ++i) {
      const std::string_view part = part_of(i, range);
      if ((kept >> i & 1) != 0) {
        present.push_back({i, as_bytes(part)});
      } else {
        out[i].assign(part.size(), '?');
        wanted.push_back({i, as_writable_bytes(out[i])});
      }
    }
    const Status status = coder.reconstruct(layout, present, wanted, range);
    if (!status.ok()) return ::testing::AssertionFailure() << status.error().to_string();
    for (const WantedFragment& each : wanted) {
      if (out[each.index] != part_of(each.index, range)) {
        return ::testing::AssertionFailure() << "fragment " << each.index << " differs";
      }
    }
    return ::testing::AssertionSuccess();
  }

  std::string_view part_of(unsigned i, FragmentRange range) const {
    const std::string_view whole = fragments[i];
    return whole.substr(std::min<uint64_t>(range.offset_bytes, whole.size()), range.length_bytes);
  }

  ErasureCoder coder;
  FragmentLayout layout;
  std::string block;
  std::vector<std::string> fragments;
};

TEST(Erasure, HasTheseCoefficients) {
  const ErasureCoder coder({4, 2});
  std::vector<int> second;
  for (unsigned i = 0; i < 4; ++i) {
    EXPECT_EQ(coder.coefficient(0, i), 1);
    second.push_back(coder.coefficient(1, i));
  }
  EXPECT_EQ(second, (std::vector<int>{1, 217, 92, 172}));
}

TEST(Erasure, NeverChangesItsParity) {
  std::string all;
  for (unsigned k = 1; k <= kMaxFragments; ++k) {
    const Coded coded({static_cast<uint8_t>(k), static_cast<uint8_t>(kMaxFragments - k)}, 300'000);
    for (unsigned i = k; i < kMaxFragments; ++i) all += coded.fragments[i];
  }
  EXPECT_EQ(xxh64(as_bytes(all)), 15360811124376763291u);
}

TEST(Erasure, OfOneDataFragmentMakesCopies) {
  for (const size_t length : {1, 100, 4096, 70'001}) {
    const Coded coded({1, 4}, length);
    for (const std::string& fragment : coded.fragments) EXPECT_EQ(fragment, coded.block);
  }
}

TEST(Erasure, OfOneParityFragmentIsTheSumOfTheData) {
  const Coded coded({5, 1}, 50'000);
  std::string sum(coded.layout.longest_bytes(), '\0');
  for (unsigned i = 0; i < 5; ++i) {
    for (size_t at = 0; at < coded.fragments[i].size(); ++at) {
      sum[at] = static_cast<char>(sum[at] ^ coded.fragments[i][at]);
    }
  }
  EXPECT_EQ(coded.fragments[5], sum);
}

TEST(Erasure, GivesBackAnyLossThatTheCodeAllows) {
  for (unsigned k = 1; k <= 6; ++k) {
    for (unsigned m = 0; m <= 4; ++m) {
      for (const size_t length : {0u, 1u, 4096u, 4097u, 12'345u, k * 4160u - 1}) {
        const Coded coded({static_cast<uint8_t>(k), static_cast<uint8_t>(m)}, length);
        for (uint64_t kept = 0; kept < 1u << (k + m); ++kept) {
          if (static_cast<unsigned>(std::popcount(kept)) < k) continue;
          ASSERT_TRUE(coded.returns(kept)) << k << "+" << m << " " << length << " " << kept;
        }
      }
    }
  }
}

TEST(Erasure, CopesWithEveryLengthNearAnEdge) {
  const uint64_t kept = 0b111010;
  for (const size_t edge : {64, 4096, 8192, 16384, 16640, 65536}) {
    for (size_t length = edge < 70 ? 0 : edge - 70; length <= edge + 70; ++length) {
      ASSERT_TRUE(Coded({4, 2}, length).returns(kept)) << length;
    }
  }
}

TEST(Erasure, OfEveryWidthSurvivesItsWorstLosses) {
  uint64_t state = 7;
  for (unsigned k = 1; k <= kMaxFragments; ++k) {
    for (unsigned m = 0; k + m <= kMaxFragments; ++m) {
      const Coded coded({static_cast<uint8_t>(k), static_cast<uint8_t>(m)}, k * 4096 + 77);
      const uint64_t all = (uint64_t{1} << (k + m)) - 1;
      ASSERT_TRUE(coded.returns(all & ~((uint64_t{1} << m) - 1)));  // the first ones are gone
      for (int round = 0; round < 3; ++round) {
        uint64_t kept = all;
        while (static_cast<unsigned>(std::popcount(kept)) > k) {
          kept &= ~(uint64_t{1} << mixed(state) % (k + m));
        }
        ASSERT_TRUE(coded.returns(kept)) << k << "+" << m << " " << kept;
      }
    }
  }
}

TEST(Erasure, GivesBackRandomRangesAfterRandomLosses) {
  const char* const wanted = std::getenv("NACRE_SEEDS");
  const int seeds = wanted == nullptr ? 300 : std::atoi(wanted);
  for (int seed = 1; seed <= seeds; ++seed) {
    uint64_t state = static_cast<uint64_t>(seed);
    const auto below = [&](uint64_t bound) { return mixed(state) % bound; };
    const auto k = static_cast<uint8_t>(1 + below(16));
    const auto m = static_cast<uint8_t>(below(6));
    const Coded coded({k, m}, below(below(2) == 0 ? 300'000 : 20'000), state);
    uint64_t kept = mixed(state);
    while (static_cast<unsigned>(
               std::popcount(kept & ((uint64_t{1} << coded.fragments.size()) - 1))) < k) {
      kept |= uint64_t{1} << below(coded.fragments.size());
    }
    const uint64_t longest = coded.layout.longest_bytes();
    ASSERT_TRUE(coded.returns(kept)) << seed;
    ASSERT_TRUE(coded.returns(kept, {below(longest + 2), below(longest + 2)})) << seed;
  }
}

TEST(Erasure, NeedsNoFragmentThatIsEmpty) {
  const Coded coded({4, 2}, 4096);  // one data fragment
  EXPECT_TRUE(coded.returns(0b000001));
  EXPECT_TRUE(coded.returns(0b010000));
  EXPECT_TRUE(coded.returns(0b100000));
}

TEST(Erasure, SaysWhenTooFewFragmentsAreAtHand) {
  const Coded coded({4, 2}, 100'000);
  std::string out(coded.fragments[0].size(), '\0');
  const WantedFragment wanted[] = {{0, as_writable_bytes(out)}};
  const PresentFragment present[] = {{1, as_bytes(coded.fragments[1])},
                                     {4, as_bytes(coded.fragments[4])},
                                     {5, as_bytes(coded.fragments[5])}};
  const Status status = coded.coder.reconstruct(coded.layout, present, wanted);
  EXPECT_EQ(status.code(), Code::kUnavailable);
  EXPECT_EQ(status.error().context(), "4 fragments are needed and fewer are at hand");
}

TEST(Erasure, RefusesFragmentsThatCannotBeThose) {
  const Coded coded({2, 1}, 10'000);
  std::string out(coded.fragments[0].size(), '\0');
  const WantedFragment wanted[] = {{0, as_writable_bytes(out)}};
  const auto fault = [&](std::vector<PresentFragment> present) {
    const Status status = coded.coder.reconstruct(coded.layout, present, wanted);
    EXPECT_EQ(status.code(), Code::kInvalid);
    return status.ok() ? "" : status.error().context();
  };
  const ByteView second = as_bytes(coded.fragments[1]), parity = as_bytes(coded.fragments[2]);
  EXPECT_EQ(fault({{1, second}, {3, parity}}), "there is no fragment 3 under 2+1");
  EXPECT_EQ(fault({{1, second}, {1, second}}), "fragment 1 is given twice");
  EXPECT_EQ(fault({{1, second}, {2, parity.first(5000)}}),
            "fragment 2 has 5000 bytes instead of 5056");
  EXPECT_EQ(fault({{1, as_bytes(coded.fragments[0])}, {2, parity}}),
            "fragment 1 has 5056 bytes instead of 4944");
}

}  // namespace
}  // namespace nacre::codec
