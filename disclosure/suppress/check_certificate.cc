
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/suppress/certificate.h"
#include "disclosure/suppress/coalitions.h"
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

// Walks through the claims in the order in which they must stand.
class Claims {
 public:
  Claims(const CellSystem& system, const Certificate& certificate)
      : system_(system), certificate_(certificate), coalitions_(system) {}

  absl::Status Check() {
    for (int32_t m = 0; m < static_cast<int32_t>(system_.measures.size()); ++m) {
      for (int32_t i = 0; i < system_.num_cells; ++i) SLUIS_RETURN_IF_ERROR(CheckCell(m, i));
    }
    if (next_ == certificate_.claims.size()) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat("claim ", next_, ": nothing is to be protected there"));
  }

 private:
  absl::Status CheckCell(int32_t m, int32_t cell) {
    std::vector<Offer> offers;
    for (const Direction direction : {Direction::kLower, Direction::kUpper}) {
      const Measure& measure = system_.measures[Index(m)];
      const int64_t level = (direction == Direction::kUpper ? measure.upper_level : measure.lower_level)[Index(cell)];
      if (level == 0) continue;
      offers.push_back({.direction = direction, .level = level, .deviations = {}});
      SLUIS_RETURN_IF_ERROR(TakeOffer(m, cell, offers.back()));
    }
    if (!coalitions_.protects() || offers.empty()) return absl::OkStatus();
    const bool one_is_enough = system_.contributors.protection == ContributorProtection::kExact;
    for (size_t k = 0; k < (one_is_enough ? 1 : offers.size()); ++k) {
      const auto unserved = coalitions_.FindUnserved(
          m, cell, one_is_enough ? std::span<const Offer>(offers) : std::span<const Offer>(offers).subspan(k, 1));
      if (!unserved) continue;
      return absl::FailedPreconditionError(
          absl::StrCat("claims: none of those for cell ", cell, " in measure ", m, " holds against contributor ",
                       unserved->empty() ? -1 : unserved->front(), unserved->size() > 1 ? " and others" : ""));
    }
    return absl::OkStatus();
  }

  // The first claim for a level proves it to outsiders. Others may follow, each with a deviation of its own, for
  // contributors to whom those before prove nothing.
  absl::Status TakeOffer(int32_t m, int32_t cell, Offer& offer) {
    const size_t first = next_;
    int32_t last = -1;
    // Without contributors one claim is all that there can be.
    for (; next_ < certificate_.claims.size() && (next_ == first || coalitions_.protects()); ++next_) {
      const Claim& claim = certificate_.claims[next_];
      if (claim.measure != m || claim.cell != cell || claim.direction != offer.direction) break;
      const Deviation& deviation = certificate_.deviations[Index(claim.deviation)];
      if (deviation.measure != m) {
        return absl::InvalidArgumentError(absl::StrCat("claim ", next_, ": the deviation is of another measure"));
      }
      const bool further = next_ > first;
      if (further && (claim.deviation <= last || claim.deviation == certificate_.claims[first].deviation)) {
        return absl::InvalidArgumentError(absl::StrCat("claim ", next_, ": is one too many, or not in its place"));
      }
      if (further) last = claim.deviation;
      if (!Reaches(deviation, cell, offer.direction, further ? 1 : offer.level)) {
        return absl::FailedPreconditionError(
            absl::StrCat("claim ", next_, ": the deviation does not reach the protection level of cell ", cell));
      }
      offer.deviations.push_back(&deviation);
    }
    if (next_ > first) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat("claims: none, or not in its place, for cell ", cell, " in measure ", m,
                     offer.direction == Direction::kUpper ? ", upwards" : ", downwards"));
  }

  static bool Reaches(const Deviation& deviation, int32_t cell, Direction direction, int64_t level) {
    Int128 reached = 0;
    const auto at = std::lower_bound(deviation.cell.begin(), deviation.cell.end(), cell);
    if (at != deviation.cell.end() && *at == cell) {
      reached = deviation.numerator[static_cast<size_t>(at - deviation.cell.begin())];
    }
    if (direction == Direction::kLower) reached = -reached;
    return reached >= Int128{level} * deviation.denominator;
  }

  const CellSystem& system_;
  const Certificate& certificate_;
  const Coalitions coalitions_;
  size_t next_ = 0;
};

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
  return Claims(system, certificate).Check();
}

}  // namespace sluis::disclosure
