#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "disclosure/bound/protection_model.h"

namespace sluis::disclosure {

// A sum of relations, each taken some number of times. As every relation is "sum of parts - total = 0", so is the sum;
// how often a cell stands in it is its coefficient.
struct Aggregate {
  struct Entry {
    int32_t relation = 0;
    int64_t times = 0;  // not 0
  };
  std::vector<Entry> entries;  // ascending by relation
};

// "Of these cells enough must be suppressed": sum of coefficient[k] * x[cell[k]] >= need, where x = 1 for a suppressed
// cell and 0 for a published one. Holds for every pattern that protects.
struct CapacityCut {
  int64_t need = 0;                  // >= 1
  std::vector<int32_t> cell;         // ascending, all free
  std::vector<int64_t> coefficient;  // 1 .. need
};

// Derives capacity cuts. Not thread-safe (it keeps scratch space); the model may be shared.
class CutMaker {
 public:
  // `model` must outlive this object.
  explicit CutMaker(const ProtectionModel& model);

  // Returns the cut that `aggregate` implies against `attacker`, or nullopt if it implies none.
  //
  // Let c_j be the coefficient of cell j in the aggregate, negated if that is needed to give the attacker's cell the
  // opposite sign of his direction. Whatever table he thinks of, the deviations of the other cells must make up for
  // his cell's: sum of c_j d_j over the others = |c_p| need. Cell j contributes at most s_j = c_j * (its reach upwards)
  // or -c_j * (downwards), and nothing if it is published. So sum of min(s_j, need) x_j >= need; cells known to be
  // suppressed go to the right, and the rest is capped again at what remains. Cells of `present` that are free are
  // taken to be suppressed as well and left out of the sum: if all are, the rest must still be made up for, and if one
  // is not, the more so.
  //
  // Exact: integers throughout.
  // Source: Fischetti and Salazar, Management Science 47 (2001), section 4; `present`: the knapsack cover inequalities
  // of Carr, Fleischer, Leung and Phillips, SODA 2000.
  [[nodiscard]] std::optional<CapacityCut> Make(const Attacker& attacker, const Aggregate& aggregate,
                                                std::span<const uint8_t> present = {});

  // The coefficients of the cells in `aggregate`: ascending by cell, zeros left out.
  struct Coefficient {
    int32_t cell = 0;
    int64_t times = 0;
  };
  [[nodiscard]] std::vector<Coefficient> Expand(const Aggregate& aggregate);
  // As Make, from an expanded aggregate: the same for many attackers.
  [[nodiscard]] std::optional<CapacityCut> MakeExpanded(const Attacker& attacker,
                                                        std::span<const Coefficient> coefficients,
                                                        std::span<const uint8_t> present = {}) const;

 private:
  const ProtectionModel& model_;
  std::vector<int64_t> times_;  // per cell, all 0 between calls
  std::vector<int32_t> touched_;
};

}  // namespace sluis::disclosure
