// What erasure coding costs beside ISA-L itself: encoding a block, and giving back as many lost
// data fragments as the code allows, by codec::ErasureCoder and by one call of ISA-L on the same
// fragments. All in one run, taking turns, so that both see the same machine.
//
//   erasure_bench [--benchmark_filter=...]
//
// Speeds are bytes of block a second. `ratio` is ours over ISA-L's. Under 1+m there is nothing to
// compute, and the ratio says what copying gains.
#include <benchmark/benchmark.h>
#include <isa-l/erasure_code.h>

#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "codec/erasure.h"

namespace {

using namespace nacre;
using codec::ErasureCode;

// The fragments of one block in memory of their own.
struct Fragments {
  Fragments(ErasureCode code, uint64_t block_bytes) : layout(code, block_bytes), coder(code) {
    const uint64_t bytes = layout.longest_bytes();
    CHECK(bytes * code.k == block_bytes);
    for (unsigned i = 0; i < code.n(); ++i) {
      memory.emplace_back(std::aligned_alloc(4096, round_to_page(bytes)), std::free);
      auto* const at = static_cast<uint8_t*>(memory.back().get());
      for (uint64_t b = 0; b < bytes; ++b)
        at[b] = static_cast<uint8_t>(b * 167 + i * 59 + (b >> 9));
      pointers.push_back(at);
    }
  }
  static uint64_t round_to_page(uint64_t bytes) { return (bytes + 4095) / 4096 * 4096; }
  MutableBytes view(unsigned i) const {
    return std::as_writable_bytes(std::span(pointers[i], layout.longest_bytes()));
  }

  codec::FragmentLayout layout;
  codec::ErasureCoder coder;
  std::vector<std::unique_ptr<void, decltype(&std::free)>> memory;
  std::vector<uint8_t*> pointers;
};

void encode(benchmark::State& state, ErasureCode code, uint64_t block_bytes) {
  const Fragments fragments(code, block_bytes);
  std::vector<ByteView> data;
  std::vector<MutableBytes> parity;
  for (unsigned i = 0; i < code.k; ++i) data.push_back(fragments.view(i));
  for (unsigned i = code.k; i < code.n(); ++i) parity.push_back(fragments.view(i));
  for (auto _ : state) {
    fragments.coder.encode(data, parity);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * block_bytes));
}

void decode(benchmark::State& state, ErasureCode code, uint64_t block_bytes) {
  const Fragments fragments(code, block_bytes);
  const unsigned lost = std::min(code.k, code.m);
  std::vector<codec::PresentFragment> present;
  std::vector<codec::WantedFragment> wanted;
  for (unsigned i = 0; i < code.n(); ++i) {
    if (i < lost) {
      wanted.push_back({i, fragments.view(i)});
    } else {
      present.push_back({i, fragments.view(i)});
    }
  }
  for (auto _ : state) {
    CHECK(fragments.coder.reconstruct(fragments.layout, present, wanted).ok());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * block_bytes));
}

// Any `rows` sums of `code.k` fragments cost ISA-L the same.
void raw(benchmark::State& state, ErasureCode code, uint64_t block_bytes, bool decoding) {
  Fragments fragments(code, block_bytes);
  const int rows = decoding ? std::min(code.k, code.m) : code.m;
  std::vector<uint8_t> matrix(size_t{code.n()} * code.k), tables(32ul * code.n() * code.k);
  gf_gen_cauchy1_matrix(matrix.data(), static_cast<int>(code.n()), code.k);
  ec_init_tables(code.k, rows, matrix.data() + code.k * code.k, tables.data());
  uint8_t** const first = fragments.pointers.data();
  uint8_t** const sources = decoding ? first + rows : first;
  uint8_t** const targets = decoding ? first : first + code.k;
  const auto bytes = static_cast<int>(fragments.layout.longest_bytes());
  for (auto _ : state) {
    ec_encode_data(bytes, code.k, rows, tables.data(), sources, targets);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * block_bytes));
}

// Prints a line for each pair of ours and ISA-L's, from the medians.
class Ratios : public benchmark::ConsoleReporter {
 public:
  Ratios() : ConsoleReporter(OO_None) {}
  bool ReportContext(const Context&) override {
    std::printf("%-24s %14s %14s %8s\n", "", "Nacre GiB/s", "ISA-L GiB/s", "ratio");
    return true;
  }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.aggregate_name != "median") continue;
      const std::string& name = run.run_name.function_name;
      const size_t slash = name.rfind('/');
      const double speed = run.counters.at("bytes_per_second") / (1 << 30);
      speeds_[name.substr(0, slash)][name.substr(slash + 1)] = speed;
    }
  }
  void Finalize() override {
    for (auto& [name, speed] : speeds_) {
      const double ours = speed["nacre"], theirs = speed["isal"];
      std::printf("%-24s %14.2f %14.2f %8.2f\n", name.c_str(), ours, theirs, ours / theirs);
    }
  }

 private:
  std::map<std::string, std::map<std::string, double>> speeds_;
};

template <class Body>
void add(const std::string& name, Body body) {
  benchmark::RegisterBenchmark(name.c_str(), body)
      ->Repetitions(7)
      ->MinTime(0.1)
      ->ReportAggregatesOnly();
}

}  // namespace

int main(int count, char** words) {
  std::vector<char*> arguments(words, words + count);
  std::string interleave = "--benchmark_enable_random_interleaving=true";
  arguments.insert(arguments.begin() + 1, interleave.data());
  count = static_cast<int>(arguments.size());
  for (const ErasureCode code : {ErasureCode{4, 2}, {8, 3}, {10, 4}, {1, 2}}) {
    for (const uint64_t mib : {1, 4}) {
      // What divides evenly, so that both code the same bytes.
      const uint64_t bytes = (mib << 20) / (code.k * 64) * (code.k * 64);
      const std::string name = std::to_string(code.k) + "+" + std::to_string(code.m) + " " +
                               std::to_string(mib) + "MiB ";
      add(name + "encode/nacre", [=](auto& state) { encode(state, code, bytes); });
      add(name + "encode/isal", [=](auto& state) { raw(state, code, bytes, false); });
      add(name + "decode/nacre", [=](auto& state) { decode(state, code, bytes); });
      add(name + "decode/isal", [=](auto& state) { raw(state, code, bytes, true); });
    }
  }
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 1;
  Ratios ratios;
  benchmark::RunSpecifiedBenchmarks(&ratios);
  return 0;
}
