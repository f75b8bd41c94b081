#pragma once

#include <cstddef>
#include <span>
#include <unordered_map>
#include <vector>

#include "linker/fellegi_sunter/kinship.h"
#include "linker/fellegi_sunter/pattern.h"

namespace sluis::linker {

// How probable each pattern is for a pair of two persons: the u of Fellegi and Sunter. Fields are independent, or form
// a tree in which a field depends on one other (Chow and Liu 1968): people of one postcode have one suburb, and without
// the tree a hundred thousand such pairs would pass for a kind of match. Missing values are missing at random: a
// missing field contributes the factor 1, and a child of it its marginal distribution.
class NonMatchModel {
 public:
  struct Field {
    std::vector<double> u;  // by level less 1; sums to 1
    int parent = -1;        // the field it depends on, or -1
    // u given the parent's level k and its own l at (k - 1) * levels + l - 1; empty without a parent.
    std::vector<double> u_given_parent;
    // Logarithms of the above, by the parent's level code (row 0: missing, or no parent) and its own, 8 a row.
    std::vector<double> log_u;
  };

  // Learns from weighted random pairs. Half a pair is added to each level, so that no u is 0 and no weight exceeds what
  // the sample supports. With `dependence`, the tree of the largest mutual information, of the links that are beyond
  // doubt (G > 10 per degree of freedom) and matter (1e-4 nats); a conditional u is the marginal times
  // (observed + 1) / (expected + 1), which leaves cells that were hardly seen as under independence (after DuMouchel
  // 1999). Then too, kinds of pairs that agree more than the tree says (kinship.h) are found, and a pattern that n >=
  // 10 pairs of the sample show has at least the probability (n - 2 sqrt n) / total, the total being of the pairs that
  // lack the same fields. Only for samples free of matches: they would pass for dependence. Cost O(patterns *
  // fields^2).
  static NonMatchModel Learn(const FellegiSunterPlan& plan, std::span<const WeightedPattern> sample, bool dependence);

  // The natural logarithm of u of the whole pattern.
  double LogProbability(PatternCode pattern) const;

  const std::vector<Field>& fields() const { return fields_; }
  const std::vector<Kinship>& kinships() const { return kinships_; }

 private:
  void TakeLogarithms();
  double TreeLogProbability(PatternCode pattern) const;
  double ModelLogProbability(PatternCode pattern) const {
    return LogWithKin(kinships_, pattern, TreeLogProbability(pattern));
  }

  std::vector<Field> fields_;
  std::vector<Kinship> kinships_;
  std::unordered_map<PatternCode, double> observed_;  // log u of the patterns that are more frequent than that says
};

}  // namespace sluis::linker
