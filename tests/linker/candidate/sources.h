#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "linker/candidate/candidates.h"
#include "tests/linker/kernel/tables.h"

// Sources for tests: random encodings, of which some rows of b are noisy copies of rows of a.

namespace sluis::linker::testing {

// Rows a of a and b of b that are a pair.
struct Planted {
  std::uint32_t a;
  std::uint32_t b;
};

struct Sources {
  EncodingTable a;
  EncodingTable b;
  std::vector<Planted> planted;
};

// Returns `row` with each bit flipped with probability `error`.
inline std::vector<std::uint64_t> NoisyCopy(std::span<const std::uint64_t> row, double error, std::mt19937_64* random) {
  std::vector<std::uint64_t> copy(row.begin(), row.end());
  const std::vector<std::uint64_t> noise = RandomRow(static_cast<std::uint32_t>(64 * row.size()), error, random);
  for (std::size_t w = 0; w < copy.size(); ++w) {
    copy[w] ^= noise[w];
  }
  return copy;
}

// Every `every`-th row of b is a copy of a row of a with a share `error` of its bits flipped; the rest is independent.
inline Sources MakeSources(std::uint32_t bits, std::size_t rows_a, std::size_t rows_b, double fill, std::size_t every,
                           double error, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Sources sources{RandomTable(bits, rows_a, fill, seed + 1), EmptyTable(bits), {}};
  for (std::size_t r = 0; r < rows_b; ++r) {
    if (r % every != 0) {
      AppendRow(&sources.b, RandomRow(bits, fill, &random));
      continue;
    }
    const auto a = static_cast<std::uint32_t>((r * 7919) % rows_a);
    AppendRow(&sources.b, NoisyCopy(sources.a.row(a), error, &random));
    sources.planted.push_back({a, static_cast<std::uint32_t>(r)});
  }
  return sources;
}

inline std::vector<CandidatePair> AllPairsOf(const Candidates& candidates, std::size_t batch = 1000) {
  std::vector<CandidatePair> pairs;
  const absl::Status status = candidates.VisitPairs(
      [&](std::span<const CandidatePair> some) {
        pairs.insert(pairs.end(), some.begin(), some.end());
        return absl::OkStatus();
      },
      batch);
  if (!status.ok()) {
    std::abort();
  }
  return pairs;
}

using PairSet = std::set<std::pair<std::uint32_t, std::uint32_t>>;

inline PairSet SetOf(const Candidates& candidates, std::size_t batch = 1000) {
  PairSet pairs;
  for (const CandidatePair& pair : AllPairsOf(candidates, batch)) {
    EXPECT_TRUE(pairs.emplace(pair.a, pair.b).second) << "a pair came twice";
  }
  return pairs;
}

inline absl::StatusOr<Candidates> Link(const EncodingTable& a, const EncodingTable& b, const CandidateOptions& options,
                                       std::span<const TokenPass> tokens = {}, unsigned threads = 1) {
  auto plan = PlanCandidates(a, b, options);
  if (!plan.ok()) {
    return plan.status();
  }
  return FindCandidates(a, b, tokens, *plan, {.threads = threads});
}

inline absl::StatusOr<Candidates> Dedupe(const EncodingTable& table, const CandidateOptions& options,
                                         std::span<const TokenPass> tokens = {}, unsigned threads = 1) {
  auto plan = PlanDuplicates(table, options);
  if (!plan.ok()) {
    return plan.status();
  }
  return FindDuplicates(table, tokens, *plan, {.threads = threads});
}

inline CandidateOptions Lsh() {
  CandidateOptions options;
  options.exhaustive_pairs = 0;
  return options;
}

// No LSH: all that is found comes from tokens.
inline CandidatePlan TokensOnly(const CandidatePlan& plan) {
  CandidatePlan tokens_only = plan;
  tokens_only.tables = 0;
  tokens_only.dice_bound = 0;
  return tokens_only;
}

}  // namespace sluis::linker::testing
