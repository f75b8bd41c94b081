#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "disclosure/lp/lp.h"
#include "disclosure/suppress/certificate.h"
#include "disclosure/suppress/deviation.h"
#include "disclosure/suppress/deviation_lp.h"
#include "disclosure/suppress/exact_deviation.h"
#include "disclosure/suppress/neighbourhood.h"
#include "disclosure/system/system.h"

namespace sluis::disclosure {

struct RefinedDeviation {
  // kOptimal: `deviation` holds exactly. kInfeasible: there is none over these cells, seen at a finer scale than that
  // of the vertex. kFailed: neither was found.
  lp::Outcome outcome = lp::Outcome::kFailed;
  std::optional<Deviation> deviation;
  int64_t lps = 0;
  int64_t iterations = 0;
};

// Turns a vertex that is none in exact numbers into a deviation that reaches `target`. A linear program in units of the
// level holds its relations and bounds to a ten-millionth of it: in a table of 10^9 and of 3, that is more than 3. So
// the vertex is rounded into its bounds, and what the relations then lack is asked for by a further program in units of
// just that; and again, until nothing is lacking.
// `cells`: ascending, those of the program; cells outside it do not move. `price`: as in CheapestDeviationLp.
// `scratch`: one entry per relation, all -1, and again so afterwards. Cost: a program of the same size, seldom two.
// Source: iterative refinement, Gleixner, Steffy and Wolter, INFORMS Journal on Computing 28 (2016).
[[nodiscard]] RefinedDeviation RefineDeviation(const CellSystem& system, const Incidence& incidence,
                                               const Target& target, std::span<const int32_t> cells,
                                               std::span<const ApproximateEntry> vertex, CellPrice price,
                                               std::vector<int32_t>& scratch);

}  // namespace sluis::disclosure
