#include "disclosure/protect/joint.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"

namespace sluis::disclosure {
namespace {

// A cell of a replaced release of which nothing is to be said: see Plane::AddTable.
constexpr std::uint8_t kChanged = 2;

std::size_t At(std::int64_t i) { return static_cast<std::size_t>(i); }

// The measure of the system that has `key`.
std::size_t PositionOf(const LedgerDescription& description, const std::string& key) {
  const auto found = std::find(description.measure_keys.begin(), description.measure_keys.end(), key);
  return At(found - description.measure_keys.begin());
}

// Contributors and largest contributions in the worst of all views of a measure.
void SetContributions(const RequestSystem& request, std::size_t m, const std::vector<std::int32_t>& cell_of,
                      LedgerMeasure& measure) {
  for (const ContributionView& view : request.views) {
    if (At(view.measure) == m) measure.top_per_cell = std::max(measure.top_per_cell, view.cells.top_per_cell);
  }
  const std::size_t top = At(measure.top_per_cell);
  measure.top.assign(cell_of.size() * top, 0);
  for (const ContributionView& view : request.views) {
    if (At(view.measure) != m) continue;
    const bool is_first = measure.contributors.empty();
    if (is_first) measure.contributors.resize(cell_of.size());
    const std::size_t shown = At(view.cells.top_per_cell);
    for (std::size_t i = 0; i < cell_of.size(); ++i) {
      const std::int64_t contributors = view.cells.contributors[At(cell_of[i])];
      measure.contributors[i] = is_first ? contributors : std::min(measure.contributors[i], contributors);
      for (std::size_t k = 0; k < shown; ++k) {
        std::int64_t& largest = measure.top[i * top + k];
        largest = std::max(largest, view.cells.top[At(cell_of[i]) * shown + k]);
      }
    }
  }
}

bool SameTable(const LedgerTable& a, const LedgerTable& b) {
  if (a.population != b.population || a.axes.size() != b.axes.size()) return false;
  for (std::size_t d = 0; d < a.axes.size(); ++d) {
    if (a.axes[d].variable != b.axes[d].variable || a.axes[d].codes != b.axes[d].codes) return false;
  }
  return std::all_of(b.measures.begin(), b.measures.end(), [&](const LedgerMeasure& theirs) {
    return std::any_of(a.measures.begin(), a.measures.end(),
                       [&](const LedgerMeasure& own) { return own.key == theirs.key; });
  });
}

// A table that the request replaces, as if it had been released with the values of now: what it published is known
// where that has not changed, what it suppressed must stay suppressed.
absl::StatusOr<LedgerTable> Corrected(const LedgerTable& replaced, const std::vector<LedgerTable>& own) {
  const auto now = std::find_if(own.begin(), own.end(), [&](const LedgerTable& t) { return SameTable(t, replaced); });
  if (now == own.end()) {
    return common::WithReason(
        absl::FailedPreconditionError(absl::StrCat("replaces: the request must have all tables of release ",
                                                   replaced.release, ", with the same codes and measures")),
        kReplacesOther);
  }
  LedgerTable result = replaced;
  for (LedgerMeasure& measure : result.measures) {
    const auto of_now = std::find_if(now->measures.begin(), now->measures.end(),
                                     [&](const LedgerMeasure& one) { return one.key == measure.key; });
    if (measure.method != of_now->method || measure.method != kBySuppression) continue;
    measure.lower_level.assign(measure.value.size(), 0);
    measure.upper_level.assign(measure.value.size(), 0);
    for (std::size_t i = 0; i < measure.value.size(); ++i) {
      const std::int64_t value = of_now->value[i];
      if (measure.published[i] != 0) {
        if (value != measure.value[i]) measure.published[i] = kChanged;
      } else {
        measure.lower_level[i] = std::min<std::int64_t>(1, value);
        measure.upper_level[i] = 1;
      }
    }
    measure.value = of_now->value;
    measure.contributors = of_now->contributors;
    measure.top_per_cell = of_now->top_per_cell;
    measure.top = of_now->top;
  }
  return result;
}

}  // namespace

std::vector<LedgerTable> WithNumbers(const LedgerDescription& description, const RequestSystem& request) {
  std::vector<LedgerTable> tables = description.tables;
  for (std::size_t t = 0; t < tables.size(); ++t) {
    const std::vector<std::int32_t>& cell_of = request.cell_of[t];
    for (LedgerMeasure& measure : tables[t].measures) {
      const std::size_t m = PositionOf(description, measure.key);
      if (measure.method != kBySuppression) {
        measure.value.assign(cell_of.size(), 0);
        continue;
      }
      for (const std::int32_t cell : cell_of) measure.value.push_back(request.system.measures[m].value[At(cell)]);
      SetContributions(request, m, cell_of, measure);
    }
  }
  return tables;
}

absl::StatusOr<std::vector<std::string>> JoinEarlier(const LedgerInput& ledger, std::size_t tables,
                                                     const RuleSet& rules, RequestSystem& request) {
  const std::vector<LedgerTable> own = WithNumbers(ledger.request, request);
  std::vector<LedgerTable> earlier(
      ledger.earlier.tables.begin(),
      ledger.earlier.tables.begin() + static_cast<std::ptrdiff_t>(std::min(tables, ledger.earlier.tables.size())));
  for (const LedgerTable& replaced : ledger.earlier.replaced) {
    SLUIS_ASSIGN_OR_RETURN(earlier.emplace_back(), Corrected(replaced, own));
  }
  if (earlier.empty()) return std::vector<std::string>();
  const JoinInput input{.own = request.system,
                        .measure_keys = ledger.request.measure_keys,
                        .tables = own,
                        .cell_of = request.cell_of,
                        .earlier = earlier,
                        .rules = rules};
  SLUIS_ASSIGN_OR_RETURN(JointSystem joint, Join(input, PlaneLimits{}));
  request.system = std::move(joint.system);
  request.is_joint = true;
  return std::move(joint.releases);
}

void RaiseUpperBounds(RequestSystem& request) {
  request.is_joint ? SetJointUpperBounds(request.system) : SetUpperBounds(request.system);
}

std::vector<LedgerTable> ReleasedLedgerTables(const LedgerDescription& description, const RequestSystem& request,
                                              std::span<const ReleasedTable> tables, const std::string& release) {
  std::vector<LedgerTable> result = WithNumbers(description, request);
  for (std::size_t t = 0; t < result.size(); ++t) {
    result[t].release = release;
    const ReleasedTable& shown = tables[t];
    for (LedgerMeasure& measure : result[t].measures) {
      const std::size_t m = PositionOf(description, measure.key);
      const Measure& of_system = request.system.measures[m];
      const std::vector<std::int32_t>& cell_of = request.cell_of[t];
      measure.published.assign(cell_of.size(), 0);
      if (measure.method != kBySuppression) continue;
      const auto in_table = std::find_if(shown.measures.begin(), shown.measures.end(),
                                         [&](const ReleasedMeasure& one) { return one.name == of_system.name; });
      const std::size_t column = At(in_table - shown.measures.begin());
      for (std::size_t i = 0; i < cell_of.size(); ++i) {
        const bool is_shown = shown.values[i * shown.measures.size() + column].has_value();
        measure.published[i] = is_shown ? 1 : 0;
        measure.lower_level.push_back(is_shown ? 0 : of_system.lower_level[At(cell_of[i])]);
        measure.upper_level.push_back(is_shown ? 0 : of_system.upper_level[At(cell_of[i])]);
      }
    }
  }
  return result;
}

}  // namespace sluis::disclosure
