
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/suppress/certificate.h"
#include "disclosure/system/int128.h"

namespace sluis::disclosure {
namespace {

size_t Index(int64_t i) { return static_cast<size_t>(i); }

class Checker {
 public:
  Checker(const CellSystem& system, const Pattern& pattern)
      : system_(system),
        pattern_(pattern),
        incidence_(BuildIncidence(system.relations, system.num_cells)),
        sum_(Index(system.relations.size()), 0) {}

  // Adds up every relation that the deviation touches, and holds every cell to its bounds.
  absl::Status CheckDeviation(const Deviation& deviation, size_t d) {
    const auto malformed = [d](const char* what) {
      return absl::InvalidArgumentError(absl::StrCat("deviation ", d, ": ", what));
    };
    if (deviation.measure < 0 || Index(deviation.measure) >= system_.measures.size()) {
      return malformed("there is no such measure");
    }
    if (deviation.denominator < 1) return malformed("the denominator is below 1");
    if (deviation.cell.size() != deviation.numerator.size()) return malformed("cells and numerators differ in number");
    for (size_t k = 0; k < deviation.cell.size(); ++k) {
      if (deviation.cell[k] < 0 || deviation.cell[k] >= system_.num_cells) return malformed("a cell is out of range");
      if (k > 0 && deviation.cell[k] <= deviation.cell[k - 1]) return malformed("the cells are not ascending");
      if (deviation.numerator[k] == 0) return malformed("a numerator is 0");
    }
    const Measure& measure = system_.measures[Index(deviation.measure)];
    for (size_t k = 0; k < deviation.cell.size(); ++k) {
      const size_t cell = Index(deviation.cell[k]);
      const auto unproven = [&](const char* what) {
        return absl::FailedPreconditionError(absl::StrCat("deviation ", d, ", cell ", cell, ": ", what));
      };
      if (pattern_[cell] == 0) return unproven("changes a published cell");
      const Int128 moved = Int128{measure.value[cell]} * deviation.denominator + deviation.numerator[k];
      if (moved < 0) return unproven("goes below 0");
      if (measure.upper_bound[cell] != kNoUpperBound &&
          moved > Int128{measure.upper_bound[cell]} * deviation.denominator) {
        return unproven("goes above the attacker's upper bound");
      }
    }
    ForEachEntry(deviation, [this](size_t relation, Int128 term) { sum_[relation] += term; });
    int64_t broken = -1;
    ForEachEntry(deviation, [this, &broken](size_t relation, Int128) {
      if (sum_[relation] != 0) broken = static_cast<int64_t>(relation);
      sum_[relation] = 0;
    });
    if (broken >= 0) {
      return absl::FailedPreconditionError(absl::StrCat("deviation ", d, ": does not keep relation ", broken));
    }
    return absl::OkStatus();
  }

 private:
  template <typename Visit>
  void ForEachEntry(const Deviation& deviation, Visit visit) const {
    for (size_t k = 0; k < deviation.cell.size(); ++k) {
      const size_t cell = Index(deviation.cell[k]);
      for (size_t e = Index(incidence_.begin[cell]); e < Index(incidence_.begin[cell + 1]); ++e) {
        visit(Index(incidence_.relation[e]), Int128{incidence_.sign[e]} * deviation.numerator[k]);
      }
    }
  }

  const CellSystem& system_;
  const Pattern& pattern_;
  const Incidence incidence_;
  std::vector<Int128> sum_;  // all 0 between calls
};

absl::Status CheckPattern(const CellSystem& system, const Pattern& pattern) {
  if (pattern.size() != Index(system.num_cells)) {
    return absl::InvalidArgumentError("pattern: needs one entry per cell");
  }
  for (int32_t i = 0; i < system.num_cells; ++i) {
    if (pattern[Index(i)] > 1) return absl::InvalidArgumentError(absl::StrCat("pattern: cell ", i, " is not 0 or 1"));
    if (pattern[Index(i)] == 1 && system.suppressible[Index(i)] == 0) {
      return absl::InvalidArgumentError(absl::StrCat("pattern: cell ", i, " is suppressed, but not suppressible"));
    }
    if (pattern[Index(i)] == 0 && system.IsPrimary(i)) {
      return absl::FailedPreconditionError(absl::StrCat("pattern: primary cell ", i, " is published"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckClaim(const CellSystem& system, const Certificate& certificate, size_t c) {
  const Claim& claim = certificate.claims[c];
  const Deviation& deviation = certificate.deviations[Index(claim.deviation)];
  if (deviation.measure != claim.measure) {
    return absl::InvalidArgumentError(absl::StrCat("claim ", c, ": the deviation is of another measure"));
  }
  const Measure& measure = system.measures[Index(claim.measure)];
  const bool upper = claim.direction == Direction::kUpper;
  const int64_t level = (upper ? measure.upper_level : measure.lower_level)[Index(claim.cell)];
  Int128 reached = 0;
  const auto at = std::lower_bound(deviation.cell.begin(), deviation.cell.end(), claim.cell);
  if (at != deviation.cell.end() && *at == claim.cell) {
    reached = deviation.numerator[static_cast<size_t>(at - deviation.cell.begin())];
  }
  if (!upper) reached = -reached;
  if (reached < Int128{level} * deviation.denominator) {
    return absl::FailedPreconditionError(
        absl::StrCat("claim ", c, ": the deviation does not reach the protection level of cell ", claim.cell));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckCertificate(const CellSystem& system, const Pattern& pattern, const Certificate& certificate) {
  SLUIS_RETURN_IF_ERROR(CheckPattern(system, pattern));
  std::vector<uint8_t> used(certificate.deviations.size(), 0);
  for (size_t c = 0; c < certificate.claims.size(); ++c) {
    const Claim& claim = certificate.claims[c];
    if (claim.deviation < 0 || Index(claim.deviation) >= certificate.deviations.size()) {
      return absl::InvalidArgumentError(absl::StrCat("claim ", c, ": there is no such deviation"));
    }
    used[Index(claim.deviation)] = 1;
  }
  Checker checker(system, pattern);
  for (size_t d = 0; d < certificate.deviations.size(); ++d) {
    if (used[d] == 0) return absl::InvalidArgumentError(absl::StrCat("deviation ", d, ": no claim uses it"));
    SLUIS_RETURN_IF_ERROR(checker.CheckDeviation(certificate.deviations[d], d));
  }
  // The claims that are due, in the order in which they must stand.
  size_t next = 0;
  for (size_t m = 0; m < system.measures.size(); ++m) {
    const Measure& measure = system.measures[m];
    for (int32_t i = 0; i < system.num_cells; ++i) {
      for (const Direction direction : {Direction::kLower, Direction::kUpper}) {
        const auto& level = direction == Direction::kUpper ? measure.upper_level : measure.lower_level;
        if (level[Index(i)] == 0) continue;
        const Claim* claim = next < certificate.claims.size() ? &certificate.claims[next] : nullptr;
        if (claim == nullptr || claim->measure != static_cast<int32_t>(m) || claim->cell != i ||
            claim->direction != direction) {
          return absl::FailedPreconditionError(
              absl::StrCat("claims: none, or not in its place, for cell ", i, " in measure ", m,
                           direction == Direction::kUpper ? ", upwards" : ", downwards"));
        }
        SLUIS_RETURN_IF_ERROR(CheckClaim(system, certificate, next));
        ++next;
      }
    }
  }
  if (next != certificate.claims.size()) {
    return absl::InvalidArgumentError(absl::StrCat("claim ", next, ": nothing is to be protected there"));
  }
  return absl::OkStatus();
}

}  // namespace sluis::disclosure
