#include "disclosure/attack/attack.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/attack/attacker_model.h"

namespace sluis::disclosure {
namespace {

size_t Index(int64_t i) { return static_cast<size_t>(i); }

class Progress {
 public:
  Progress(const AttackOptions& options, int64_t total) : options_(options), total_(total) {}

  absl::Status Step() {
    if (options_.cancelled != nullptr && options_.cancelled->load(std::memory_order_relaxed)) {
      return absl::CancelledError("attack: cancelled");
    }
    if (options_.progress) options_.progress(++done_, total_);
    return absl::OkStatus();
  }

 private:
  const AttackOptions& options_;
  int64_t total_;
  int64_t done_ = 0;
};

AttackEffort MeasureModel(const AttackerModel& model) {
  AttackEffort effort;
  effort.components = static_cast<int64_t>(model.components.size());
  for (const std::vector<int32_t>& component : model.components) {
    effort.suppressed_cells += static_cast<int64_t>(component.size());
    effort.largest_component = std::max(effort.largest_component, static_cast<int64_t>(component.size()));
  }
  return effort;
}

// True if two whole numbers lie in [low, high], whose ends are known to within `tolerance`.
bool HoldsTwoWholeNumbers(double low, double high, double tolerance) {
  return std::floor(high + tolerance) > std::ceil(low - tolerance);
}

}  // namespace

PublishedTable Publish(const CellSystem& system, int32_t measure, std::span<const uint8_t> pattern, bool keep_bounds) {
  const Measure& source = system.measures[Index(measure)];
  PublishedTable table{.relations = system.relations,
                       .published = std::vector<uint8_t>(pattern.size()),
                       .value = source.value,
                       .upper_bound = source.upper_bound};
  for (size_t i = 0; i < pattern.size(); ++i) {
    table.published[i] = pattern[i] == 0;
    if (pattern[i] != 0) table.value[i] = 0;
    if (!keep_bounds) table.upper_bound[i] = kNoUpperBound;
  }
  return table;
}

absl::StatusOr<IntervalReport> FindIntervals(const PublishedTable& table, const AttackOptions& options) {
  SLUIS_ASSIGN_OR_RETURN(const AttackerModel model, BuildAttackerModel(table));
  IntervalReport report{.effort = MeasureModel(model), .intervals = {}};
  Progress progress(options, report.effort.suppressed_cells);
  for (size_t c = 0; c < model.components.size(); ++c) {
    const std::vector<int32_t>& cells = model.components[c];
    SLUIS_ASSIGN_OR_RETURN(const auto attack, ComponentAttack::Create(model, c, report.effort));
    for (size_t j = 0; j < cells.size(); ++j) {
      SLUIS_RETURN_IF_ERROR(progress.Step());
      FeasibilityInterval interval{.cell = cells[j], .low = 0, .high = 0};
      SLUIS_ASSIGN_OR_RETURN(interval.low, attack->Push(j, false, -1, report.effort));
      SLUIS_ASSIGN_OR_RETURN(interval.high, attack->Push(j, true, kNoUpperBound, report.effort));
      report.intervals.push_back(interval);
    }
  }
  std::sort(report.intervals.begin(), report.intervals.end(),
            [](const FeasibilityInterval& a, const FeasibilityInterval& b) { return a.cell < b.cell; });
  return report;
}

absl::StatusOr<ExactReport> FindExact(const PublishedTable& table, const AttackOptions& options) {
  SLUIS_ASSIGN_OR_RETURN(const AttackerModel model, BuildAttackerModel(table));
  ExactReport report{.effort = MeasureModel(model), .exact_cells = {}};
  Progress progress(options, report.effort.suppressed_cells);
  for (size_t c = 0; c < model.components.size(); ++c) {
    const std::vector<int32_t>& cells = model.components[c];
    SLUIS_ASSIGN_OR_RETURN(const auto attack, ComponentAttack::Create(model, c, report.effort));
    const auto open = [&](size_t j) {
      return !HoldsTwoWholeNumbers(attack->seen_low(j), attack->seen_high(j), attack->tolerance());
    };
    for (size_t j = 0; j < cells.size(); ++j) {
      SLUIS_RETURN_IF_ERROR(progress.Step());
      if (open(j)) SLUIS_RETURN_IF_ERROR(attack->Push(j, true, kNoUpperBound, report.effort).status());
      if (open(j)) SLUIS_RETURN_IF_ERROR(attack->Push(j, false, -1, report.effort).status());
      if (open(j)) report.exact_cells.push_back(cells[j]);
    }
  }
  std::sort(report.exact_cells.begin(), report.exact_cells.end());
  return report;
}

absl::StatusOr<LevelReport> VerifyLevels(const CellSystem& system, std::span<const uint8_t> pattern,
                                         const AttackOptions& options) {
  SLUIS_RETURN_IF_ERROR(Validate(system));
  if (pattern.size() != Index(system.num_cells)) {
    return absl::InvalidArgumentError("pattern: needs one entry per cell");
  }
  LevelReport report;
  const int64_t suppressed = static_cast<int64_t>(pattern.size()) - std::count(pattern.begin(), pattern.end(), 0);
  Progress progress(options, suppressed * static_cast<int64_t>(system.measures.size()));
  for (int32_t m = 0; m < static_cast<int32_t>(system.measures.size()); ++m) {
    const Measure& measure = system.measures[Index(m)];
    const auto fall_short = [&](int32_t cell, bool below) {
      report.shortfalls.push_back({.measure = m, .cell = cell, .below = below});
    };
    for (int32_t i = 0; i < system.num_cells; ++i) {
      const bool below = measure.lower_level[Index(i)] > 0;
      const bool above = measure.upper_level[Index(i)] > 0;
      report.levels += (below ? 1 : 0) + (above ? 1 : 0);
      if (pattern[Index(i)] != 0) continue;
      if (below) fall_short(i, true);
      if (above) fall_short(i, false);
    }
    SLUIS_ASSIGN_OR_RETURN(const AttackerModel model, BuildAttackerModel(Publish(system, m, pattern, true)));
    AttackEffort effort = MeasureModel(model);
    for (size_t c = 0; c < model.components.size(); ++c) {
      const std::vector<int32_t>& cells = model.components[c];
      SLUIS_ASSIGN_OR_RETURN(const auto attack, ComponentAttack::Create(model, c, effort));
      for (size_t j = 0; j < cells.size(); ++j) {
        SLUIS_RETURN_IF_ERROR(progress.Step());
        const int64_t value = measure.value[Index(cells[j])];
        const int64_t least = value - measure.lower_level[Index(cells[j])];
        const int64_t largest = value + measure.upper_level[Index(cells[j])];
        const auto low_enough = [&] {
          return least == value || attack->seen_low(j) <= static_cast<double>(least) + attack->tolerance();
        };
        const auto high_enough = [&] {
          return largest == value || attack->seen_high(j) >= static_cast<double>(largest) - attack->tolerance();
        };
        if (!low_enough()) SLUIS_RETURN_IF_ERROR(attack->Push(j, false, least, effort).status());
        if (!low_enough()) fall_short(cells[j], true);
        if (!high_enough()) SLUIS_RETURN_IF_ERROR(attack->Push(j, true, largest, effort).status());
        if (!high_enough()) fall_short(cells[j], false);
      }
    }
    report.effort.suppressed_cells += effort.suppressed_cells;
    report.effort.components += effort.components;
    report.effort.largest_component = std::max(report.effort.largest_component, effort.largest_component);
    report.effort.linear_programs += effort.linear_programs;
    report.effort.iterations += effort.iterations;
  }
  std::sort(report.shortfalls.begin(), report.shortfalls.end(), [](const Shortfall& a, const Shortfall& b) {
    return std::tuple(a.measure, a.cell, !a.below) < std::tuple(b.measure, b.cell, !b.below);
  });
  return report;
}

}  // namespace sluis::disclosure
