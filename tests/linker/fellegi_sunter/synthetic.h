#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "linker/fellegi_sunter/fit.h"

// Pattern counts with known parameters.

namespace sluis::linker::testing {

// One field with the levels disagree, three of similarity, and exact.
struct TrueField {
  std::vector<double> m;
  std::vector<double> u;
  double missing = 0;  // the share of pairs in which it is missing, matches and others alike
};

inline TrueField Name() { return {{0.04, 0.03, 0.05, 0.13, 0.75}, {0.97, 0.02, 0.007, 0.002, 0.001}}; }
inline TrueField Date() { return {{0.03, 0.02, 0.05, 0.1, 0.8}, {0.93, 0.05, 0.017, 0.00295, 0.00005}}; }
inline TrueField Town() { return {{0.1, 0.03, 0.02, 0.05, 0.8}, {0.95, 0.03, 0.008, 0.002, 0.01}}; }
inline TrueField Sex() { return {{0.02, 0.001, 0.001, 0.001, 0.977}, {0.49, 0.003, 0.003, 0.004, 0.5}}; }

inline FellegiSunterPlan PlanOf(std::size_t fields) {
  FellegiSunterPlan plan;
  for (std::size_t f = 0; f < fields; ++f) {
    plan.fields.push_back({.name = "field" + std::to_string(f)});
  }
  return plan;
}

// Adds, for every pattern, a Poisson number of pairs with mean `pairs` times its probability under independence.
inline void AddPairs(const std::vector<TrueField>& fields, bool matches, double pairs, std::mt19937_64& random,
                     PatternCounts& counts) {
  std::vector<std::size_t> level(fields.size(), 0);
  while (true) {
    double mean = pairs;
    PatternCode pattern = 0;
    for (std::size_t f = 0; f < fields.size(); ++f) {
      const std::vector<double>& p = matches ? fields[f].m : fields[f].u;
      mean *= level[f] == 0 ? fields[f].missing : (1 - fields[f].missing) * p[level[f] - 1];
      pattern |= AtField(static_cast<AgreementLevel>(level[f]), f);
    }
    if (mean > 0) {
      counts.Add(pattern, static_cast<std::uint64_t>(std::poisson_distribution<std::int64_t>(mean)(random)));
    }
    std::size_t f = 0;
    while (f < fields.size() && ++level[f] > fields[f].m.size()) {
      level[f++] = 0;
    }
    if (f == fields.size()) {
      return;
    }
  }
}

struct Synthetic {
  FitInput input;
  PatternCounts matches;  // of the candidates, for the test only
};

// Pairs of two sources of `records` records each, `matches` of them of one person; all pairs are candidates.
inline Synthetic MakeSynthetic(const std::vector<TrueField>& fields, double records, double matches, std::uint64_t seed,
                               double sample = 1e6) {
  std::mt19937_64 random(seed);
  Synthetic made;
  AddPairs(fields, true, matches, random, made.matches);
  made.input.candidates.Merge(made.matches);
  AddPairs(fields, false, records * records - matches, random, made.input.candidates);
  made.input.total_pairs = std::max(static_cast<std::uint64_t>(records * records), made.input.candidates.total());
  made.input.max_matches = std::max(static_cast<std::uint64_t>(records), made.matches.total());
  AddPairs(fields, false, sample, random, made.input.non_matches.counts);
  made.input.non_matches.free_of_matches = true;
  return made;
}

struct Truth {
  double precision = 1;
  double recall = 0;
  double f1() const { return precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0; }
};

// What linking all candidates with log odds above 0 gives, without one-to-one.
inline Truth Evaluate(const FellegiSunterModel& model, const Synthetic& data) {
  double linked = 0;
  double right = 0;
  for (const PatternCount& entry : data.input.candidates.Sorted()) {
    linked += model.LogOdds(entry.pattern) > 0 ? static_cast<double>(entry.pairs) : 0;
  }
  for (const PatternCount& entry : data.matches.Sorted()) {
    right += model.LogOdds(entry.pattern) > 0 ? static_cast<double>(entry.pairs) : 0;
  }
  return {linked > 0 ? right / linked : 1, right / static_cast<double>(data.matches.total())};
}

}  // namespace sluis::linker::testing
