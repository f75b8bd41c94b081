#include "disclosure/cell_key/design.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <optional>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/cell_key/max_entropy.h"
#include "disclosure/system/int128.h"

namespace sluis::disclosure {
namespace {

// A probability below this many units is left out: it would never be drawn, and no repair could touch it.
constexpr int64_t kLeastUnits = 1'000;

// The nearest changes around 0 on either side: the distribution of mean 0 with the least variance uses only them.
struct Neighbours {
  int64_t below = 0, above = 0;  // distances
};

Neighbours AroundZero(const std::vector<int32_t>& allowed) {
  Neighbours result;
  for (const int32_t v : allowed) {
    if (v <= 0) result.below = -int64_t{v};
  }
  result.above = *std::find_if(allowed.begin(), allowed.end(), [](int32_t v) { return v >= 0; });
  return result;
}

// Adds to three neighbouring probabilities so that sum, mean and variance are exact; takes the triple nearest to 0,
// where probabilities are large, that keeps the row's shape.
bool MakeExact(const PerturbationDesign& design, const std::vector<int32_t>& allowed, PerturbationRow& row) {
  Int128 sum = kWhole, first = 0, second = SecondMomentUnits(design);
  for (size_t k = 0; k < row.change.size(); ++k) {
    sum -= row.units[k];
    first -= Int128{row.units[k]} * row.change[k];
    second -= Int128{row.units[k]} * row.change[k] * row.change[k];
  }
  if (sum == 0 && first == 0 && second == 0 && KeepsShape(design, allowed, row)) return true;
  std::vector<size_t> triples(row.change.size() < 3 ? 0 : row.change.size() - 2);
  std::iota(triples.begin(), triples.end(), size_t{0});
  std::stable_sort(triples.begin(), triples.end(),
                   [&](size_t a, size_t b) { return std::abs(row.change[a + 1]) < std::abs(row.change[b + 1]); });
  for (const size_t k : triples) {
    const Int128 c = row.change[k];
    if (row.change[k + 2] != row.change[k] + 2) continue;
    const Int128 s1 = first - c * sum;                       // d1 + 2 d2
    const Int128 s2 = second - 2 * c * first + c * c * sum;  // d1 + 4 d2
    if ((s2 - s1) % 2 != 0) continue;
    const Int128 d2 = (s2 - s1) / 2, d1 = s1 - 2 * d2, d0 = sum - d1 - d2;
    PerturbationRow trial = row;
    trial.units[k] += static_cast<int64_t>(d0);
    trial.units[k + 1] += static_cast<int64_t>(d1);
    trial.units[k + 2] += static_cast<int64_t>(d2);
    if (*std::min_element(trial.units.begin(), trial.units.end()) < 1 || !KeepsShape(design, allowed, trial)) continue;
    row = trial;
    return true;
  }
  return false;
}

absl::StatusOr<PerturbationRow> DesignRow(const PerturbationDesign& design, int32_t number) {
  if (number == 0) return PerturbationRow{.change = {0}, .units = {kWhole}};
  const std::vector<int32_t> allowed = AllowedChanges(design, number);
  const int64_t steps_squared = int64_t{design.steps} * design.steps;
  // Thousandths of steps^-2, as the design's variance times steps^2 is.
  const Neighbours near = AroundZero(allowed);
  const int64_t least = near.below * near.above * 1000;
  const int64_t largest = -int64_t{allowed.front()} * allowed.back() * 1000;
  const int64_t wanted = design.variance_milli * steps_squared;
  const auto refuse = [&](const char* why) {
    return absl::InvalidArgumentError(absl::StrCat("perturbation table, row ", number, ": ", why,
                                                   "; its changes allow a variance between ", least / steps_squared,
                                                   " and ", largest / steps_squared, " thousandths"));
  };
  if (wanted < least || wanted > largest) return refuse("no distribution with mean 0 has the variance of the design");
  PerturbationRow row;
  if (wanted == least && least > 0) {
    // Only the two neighbours of 0, with probabilities in inverse proportion to their distances.
    const int64_t width = near.below + near.above;
    if (kWhole % width != 0) return refuse("the least variance has no exact probabilities; ask for slightly more");
    row = {.change = {static_cast<int32_t>(-near.below), static_cast<int32_t>(near.above)},
           .units = {kWhole / width * near.above, kWhole / width * near.below}};
    if (!KeepsShape(design, allowed, row)) return refuse("the least variance breaks the order of probabilities");
    return row;
  }
  EntropyProblem problem{.variance = design.variance_milli / 1000.0, .monotone = design.monotone};
  for (const int32_t v : allowed) problem.value.push_back(static_cast<double>(v) / design.steps);
  std::optional<std::vector<double>> p = MaximiseEntropy(problem);
  const auto zero = std::find(allowed.begin(), allowed.end(), 0);
  const double stay = design.stay_milli / 1000.0;
  if (zero != allowed.end() && design.stay_milli > 0 &&
      (!p.has_value() || (*p)[static_cast<size_t>(zero - allowed.begin())] < stay)) {
    problem.at_zero = stay;
    p = MaximiseEntropy(problem);
  }
  if (!p.has_value()) return refuse("no distribution keeps all demands of the design");
  for (size_t k = 0; k < allowed.size(); ++k) {
    int64_t units = std::llround((*p)[k] * static_cast<double>(kWhole));
    if (allowed[k] == 0) units = std::max(units, kWhole / 1000 * design.stay_milli);
    if (units < kLeastUnits) continue;
    row.change.push_back(allowed[k]);
    row.units.push_back(units);
  }
  if (!MakeExact(design, allowed, row)) return refuse("its probabilities cannot be made exact");
  return row;
}

}  // namespace

absl::Status CheckDesign(const PerturbationDesign& design) {
  const auto range = [](const char* name, int64_t value, int64_t low, int64_t high) {
    if (value >= low && value <= high) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("perturbation table: ", name, ": ", low, " .. ", high, " is expected"));
  };
  SLUIS_RETURN_IF_ERROR(range("max_change", design.max_change, 1, 20));
  SLUIS_RETURN_IF_ERROR(range("steps", design.steps, 1, 20));
  SLUIS_RETURN_IF_ERROR(
      range("variance_milli", design.variance_milli, 1, int64_t{1000} * design.max_change * design.max_change));
  SLUIS_RETURN_IF_ERROR(range("gap", design.gap, 0, design.steps == 1 ? 15 : 0));
  SLUIS_RETURN_IF_ERROR(range("gap", design.gap, 0, design.max_change - 1));
  return range("stay_milli", design.stay_milli, 0, 999);
}

std::vector<int32_t> AllowedChanges(const PerturbationDesign& design, int32_t row) {
  std::vector<int32_t> result;
  if (row == 0) return {0};
  const int32_t reach = design.max_change * design.steps;
  for (int32_t v = -reach; v <= reach; ++v) {
    const int32_t there = row * design.steps + v;
    if (there >= 0 && !(there >= 1 && there <= design.gap)) result.push_back(v);
  }
  return result;
}

int64_t SecondMomentUnits(const PerturbationDesign& design) {
  return kWhole / 1000 * design.variance_milli * design.steps * design.steps;
}

bool KeepsShape(const PerturbationDesign& design, const std::vector<int32_t>& allowed, const PerturbationRow& row) {
  std::vector<int64_t> units;
  size_t k = 0;
  for (const int32_t v : allowed) {
    const bool named = k < row.change.size() && row.change[k] == v;
    units.push_back(named ? row.units[k++] : 0);
  }
  for (size_t i = 0; i < allowed.size(); ++i) {
    if (allowed[i] == 0 && units[i] < kWhole / 1000 * design.stay_milli) return false;
    if (!design.monotone) continue;
    if (i > 0 && allowed[i] <= 0 && units[i - 1] > units[i]) return false;
    if (i + 1 < allowed.size() && allowed[i] >= 0 && units[i + 1] > units[i]) return false;
  }
  return true;
}

absl::StatusOr<PerturbationTable> DesignTable(const PerturbationDesign& design) {
  SLUIS_RETURN_IF_ERROR(CheckDesign(design));
  PerturbationTable table{.design = design, .rows = {}};
  for (int32_t i = 0; i < NumRows(design); ++i) {
    SLUIS_ASSIGN_OR_RETURN(PerturbationRow row, DesignRow(design, i));
    table.rows.push_back(std::move(row));
  }
  SLUIS_RETURN_IF_ERROR(CheckTable(table));
  return table;
}

}  // namespace sluis::disclosure
