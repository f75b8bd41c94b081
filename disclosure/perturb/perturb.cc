#include "disclosure/perturb/perturb.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/add_up/add_up.h"
#include "disclosure/round/check_rounding.h"
#include "disclosure/round/controlled.h"
#include "disclosure/round/small_counts.h"

namespace sluis::disclosure {
namespace {

size_t Index(int64_t i) { return static_cast<size_t>(i); }

absl::Status NotKept(int64_t cell) {
  return absl::FailedPreconditionError(absl::StrCat("cell ", cell, ": not what the method makes of the true value"));
}

absl::Status CheckDraws(const ProtectionMethod& method, size_t cells, std::span<const uint64_t> draws,
                        const std::optional<PerturbationTable>& table) {
  if (draws.size() != cells * DrawIndices(method).size()) {
    return absl::InvalidArgumentError("perturbation: the draws of every cell are expected");
  }
  const PerturbationDesign* design = nullptr;
  if (const auto* counts = std::get_if<CellKeyCountMethod>(&method)) design = &counts->design;
  if (const auto* amounts = std::get_if<CellKeyAmountMethod>(&method)) design = &amounts->design;
  if ((design != nullptr) != table.has_value() || (design != nullptr && !(table->design == *design))) {
    return absl::InvalidArgumentError("perturbation: the table of the method's own design is expected");
  }
  return absl::OkStatus();
}

absl::StatusOr<PerturbedValues> RoundToMultiples(const MeasureToPerturb& measure,
                                                 const ControlledRoundingMethod& method) {
  ControlledRoundingOptions options = DefaultRounding(method.base);
  options.max_steps = method.max_steps;
  SLUIS_ASSIGN_OR_RETURN(ControlledRounding rounding, RoundControlled(measure.relations, measure.value, options));
  if (rounding.facts.max_steps > method.max_steps) {
    return absl::FailedPreconditionError(
        "no table was found that adds up and has every value within the steps that the method allows");
  }
  return PerturbedValues{.value = std::move(rounding.value), .steps = static_cast<int32_t>(rounding.facts.max_steps)};
}

// Values by their draws alone.
absl::StatusOr<std::vector<int64_t>> Redraw(const MeasureToPerturb& measure, const ProtectionMethod& method,
                                            std::span<const uint64_t> draws,
                                            const std::optional<PerturbationTable>& table) {
  SLUIS_RETURN_IF_ERROR(CheckDraws(method, measure.value.size(), draws, table));
  std::vector<uint64_t> number(measure.value.size());
  std::iota(number.begin(), number.end(), uint64_t{0});
  const std::vector<uint32_t> indices = DrawIndices(method);
  const RecordedDraws recorded(indices, draws);
  if (const auto* rounding = std::get_if<RandomRoundingMethod>(&method)) {
    return RoundRandomly(measure.value, number, rounding->ranges, recorded);
  }
  if (std::holds_alternative<CellKeyCountMethod>(method)) {
    return PerturbCounts(measure.value, number, *table, recorded);
  }
  const auto& own = std::get<CellKeyAmountMethod>(method);
  const AmountNoise noise{.share_milli = own.share_milli,
                          .width = own.width,
                          .sensitive_extra_milli = own.sensitive_extra_milli,
                          .table = *table};
  return PerturbAmounts({.total = measure.value,
                         .contributors = measure.contributors,
                         .top_per_cell = measure.top_per_cell,
                         .top = measure.top,
                         .key = number,
                         .sensitive = measure.sensitive},
                        noise, recorded);
}

std::vector<uint8_t> MarkLeaves(const Relations& relations, size_t cells) {
  std::vector<uint8_t> leaf(cells, 1);
  for (const int32_t total : relations.total) leaf[Index(total)] = 0;
  return leaf;
}

absl::Status CheckSmallCounts(const MeasureToPerturb& measure, int64_t base, const std::vector<int64_t>& value) {
  const int64_t broken = FirstBrokenRelation(measure.relations, value);
  if (broken >= 0) return NotKept(measure.relations.total[Index(broken)]);
  const std::vector<uint8_t> leaf = MarkLeaves(measure.relations, value.size());
  for (size_t i = 0; i < value.size(); ++i) {
    const bool small = value[i] > 0 && value[i] < base;
    const bool rounded = measure.value[i] > 0 && measure.value[i] < base && (value[i] == 0 || value[i] == base);
    if (small || (leaf[i] != 0 && value[i] != measure.value[i] && !rounded)) return NotKept(static_cast<int64_t>(i));
  }
  return absl::OkStatus();
}

absl::Status CheckMultiples(const MeasureToPerturb& measure, const ControlledRoundingMethod& method,
                            const PerturbedValues& perturbed) {
  SLUIS_ASSIGN_OR_RETURN(const RoundingFacts facts,
                         CheckRounding(measure.relations, measure.value, method.base, perturbed.value));
  if (facts.multiples && facts.additive && facts.zeros_stay && facts.max_steps == perturbed.steps &&
      perturbed.steps <= method.max_steps) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError("not a controlled rounding of the true values within the method's steps");
}

// Takes the cells out of `pinned` whose published value is the true one: small-count rounding leaves most values as
// they are, and says so.
absl::Status KeepChanged(const PublishedTable& unknown, const AttackOptions& with_ranges,
                         const std::vector<int64_t>& published, std::vector<int32_t>& pinned) {
  SLUIS_ASSIGN_OR_RETURN(const IntervalReport report, FindIntervals(unknown, with_ranges));
  std::vector<uint8_t> changed(published.size(), 1);
  for (const FeasibilityInterval& interval : report.intervals) {
    changed[Index(interval.cell)] = std::llround(interval.low) != published[Index(interval.cell)] ? 1 : 0;
  }
  std::erase_if(pinned, [&](int32_t cell) { return changed[Index(cell)] == 0; });
  return absl::OkStatus();
}

}  // namespace

std::vector<uint32_t> DrawIndices(const ProtectionMethod& method) {
  if (!NeedsDraws(method)) return {};
  const auto* amounts = std::get_if<CellKeyAmountMethod>(&method);
  if (amounts == nullptr) return {0};
  std::vector<uint32_t> indices(amounts->share_milli.size());
  std::iota(indices.begin(), indices.end(), uint32_t{0});
  indices.push_back(kSignDraw);
  indices.push_back(kRoundingDraw);
  return indices;
}

std::vector<uint64_t> MakeDraws(const ProtectionMethod& method, std::span<const uint64_t> cell_keys,
                                const DrawSource& source) {
  const std::vector<uint32_t> indices = DrawIndices(method);
  std::vector<uint64_t> draws;
  draws.reserve(cell_keys.size() * indices.size());
  for (const uint64_t key : cell_keys) {
    for (const uint32_t index : indices) draws.push_back(source.Draw(key, index));
  }
  return draws;
}

absl::StatusOr<std::optional<PerturbationTable>> TableOf(const ProtectionMethod& method) {
  std::optional<PerturbationTable> table;
  if (const auto* counts = std::get_if<CellKeyCountMethod>(&method)) {
    SLUIS_ASSIGN_OR_RETURN(table, DesignTable(counts->design));
  } else if (const auto* amounts = std::get_if<CellKeyAmountMethod>(&method)) {
    SLUIS_ASSIGN_OR_RETURN(table, DesignTable(amounts->design));
  }
  return table;
}

absl::StatusOr<PerturbedValues> Perturb(const MeasureToPerturb& measure, const ProtectionMethod& method,
                                        std::span<const uint64_t> draws,
                                        const std::optional<PerturbationTable>& table) {
  SLUIS_RETURN_IF_ERROR(ValidateMethod(method));
  if (const auto* rounding = std::get_if<ControlledRoundingMethod>(&method)) {
    return RoundToMultiples(measure, *rounding);
  }
  if (const auto* small = std::get_if<SmallCountMethod>(&method)) {
    SLUIS_ASSIGN_OR_RETURN(SmallCountRounding rounding,
                           RoundSmallCounts(measure.relations, measure.value, {}, {.base = small->base}));
    return PerturbedValues{.value = std::move(rounding.value)};
  }
  PerturbedValues result;
  SLUIS_ASSIGN_OR_RETURN(result.value, Redraw(measure, method, draws, table));
  return result;
}

absl::Status CheckPerturbed(const MeasureToPerturb& measure, const ProtectionMethod& method,
                            std::span<const uint64_t> draws, const std::optional<PerturbationTable>& table,
                            const PerturbedValues& perturbed) {
  SLUIS_RETURN_IF_ERROR(ValidateMethod(method));
  if (perturbed.value.size() != measure.value.size()) {
    return absl::InvalidArgumentError("perturbation: one value for each cell is expected");
  }
  if (const auto* rounding = std::get_if<ControlledRoundingMethod>(&method)) {
    return CheckMultiples(measure, *rounding, perturbed);
  }
  if (perturbed.steps != 0) return absl::FailedPreconditionError("steps are for controlled rounding");
  if (const auto* small = std::get_if<SmallCountMethod>(&method)) {
    return CheckSmallCounts(measure, small->base, perturbed.value);
  }
  SLUIS_ASSIGN_OR_RETURN(const std::vector<int64_t> again, Redraw(measure, method, draws, table));
  const auto differs = std::mismatch(again.begin(), again.end(), perturbed.value.begin()).first - again.begin();
  return Index(differs) == again.size() ? absl::OkStatus() : NotKept(differs);
}

absl::StatusOr<std::vector<int32_t>> FindPinned(const PublishedTable& published, const ProtectionMethod& method,
                                                int32_t steps, const AttackOptions& options) {
  const size_t cells = published.value.size();
  const std::vector<uint8_t> leaf = MarkLeaves(published.relations, cells);
  PublishedTable unknown{.relations = published.relations,
                         .published = std::vector<uint8_t>(cells, 0),
                         .value = std::vector<int64_t>(cells, 0),
                         .upper_bound = published.upper_bound};
  AttackOptions with_ranges = options;
  std::vector<int32_t> pinned;
  for (size_t i = 0; i < cells; ++i) {
    if (published.published[i] == 0) continue;
    const ValueRange range = RangeOfTrueValue(method, steps, published.value[i], leaf[i] != 0);
    const int64_t high = range.high.value_or(kNoUpperBound);
    if (range.low == 0 && !range.high) continue;
    with_ranges.known.push_back({.cell = static_cast<int32_t>(i), .low = range.low, .high = high});
    // FindExact leaves such cells out.
    if (range.low == high && !std::holds_alternative<SmallCountMethod>(method)) {
      pinned.push_back(static_cast<int32_t>(i));
    }
  }
  SLUIS_ASSIGN_OR_RETURN(const ExactReport report, FindExact(unknown, with_ranges));
  pinned.insert(pinned.end(), report.exact_cells.begin(), report.exact_cells.end());
  if (std::holds_alternative<SmallCountMethod>(method) && !pinned.empty()) {
    SLUIS_RETURN_IF_ERROR(KeepChanged(unknown, with_ranges, published.value, pinned));
  }
  std::sort(pinned.begin(), pinned.end());
  return pinned;
}

}  // namespace sluis::disclosure
