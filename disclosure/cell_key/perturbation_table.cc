#include "disclosure/cell_key/perturbation_table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/cell_key/design.h"
#include "disclosure/cell_key/keys.h"
#include "disclosure/system/int128.h"

namespace sluis::disclosure {
namespace {

absl::Status CheckRow(const PerturbationDesign& design, int32_t number, const PerturbationRow& row) {
  const auto fail = [&](const char* what) {
    return absl::InvalidArgumentError(absl::StrCat("perturbation table, row ", number, ": ", what));
  };
  if (row.change.size() != row.units.size() || row.change.empty()) return fail("one probability a change is expected");
  const std::vector<int32_t> allowed = AllowedChanges(design, number);
  Int128 sum = 0, first = 0, second = 0;
  for (size_t k = 0; k < row.change.size(); ++k) {
    if (k > 0 && row.change[k] <= row.change[k - 1]) return fail("changes are expected in ascending order");
    if (!std::binary_search(allowed.begin(), allowed.end(), row.change[k])) return fail("a change is not allowed here");
    if (row.units[k] < 1 || row.units[k] > kWhole) return fail("a probability is out of range");
    sum += row.units[k];
    first += Int128{row.units[k]} * row.change[k];
    second += Int128{row.units[k]} * row.change[k] * row.change[k];
  }
  if (sum != kWhole) return fail("the probabilities do not add up to 1");
  if (first != 0) return fail("the mean is not 0");
  if (number == 0) return second == 0 ? absl::OkStatus() : fail("empty cells must stay empty");
  if (second != SecondMomentUnits(design)) return fail("the variance is not that of the design");
  return KeepsShape(design, allowed, row) ? absl::OkStatus()
                                          : fail("the probability of no change, or the order of probabilities");
}

}  // namespace

absl::Status CheckTable(const PerturbationTable& table) {
  SLUIS_RETURN_IF_ERROR(CheckDesign(table.design));
  if (table.rows.size() != static_cast<size_t>(NumRows(table.design))) {
    return absl::InvalidArgumentError(
        absl::StrCat("perturbation table: ", NumRows(table.design), " rows are expected for this design"));
  }
  for (size_t i = 0; i < table.rows.size(); ++i) {
    SLUIS_RETURN_IF_ERROR(CheckRow(table.design, static_cast<int32_t>(i), table.rows[i]));
  }
  return absl::OkStatus();
}

int32_t LookUpChange(const PerturbationTable& table, int64_t row, uint64_t draw) {
  const size_t last = table.rows.size() - 1;
  const PerturbationRow& chances = table.rows[std::min(static_cast<size_t>(row), last)];
  int64_t left = ScaleDraw(draw, kWhole);
  size_t k = 0;
  while (left >= chances.units[k]) left -= chances.units[k++];
  return chances.change[k];
}

}  // namespace sluis::disclosure
