#include "disclosure/attack/attack.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/attack/attacker_model.h"
#include "disclosure/attack/shards.h"

namespace sluis::disclosure {
namespace {

size_t Index(int64_t i) { return static_cast<size_t>(i); }

// Counts what is done, from any thread.
class Progress {
 public:
  Progress(const AttackOptions& options, int64_t total) : options_(options), total_(total) {}

  absl::Status Step() {
    if (options_.cancelled != nullptr && options_.cancelled->load(std::memory_order_relaxed)) {
      return absl::CancelledError("attack: cancelled");
    }
    if (!options_.progress) return absl::OkStatus();
    const std::lock_guard lock(mutex_);
    options_.progress(++done_, total_);
    return absl::OkStatus();
  }

 private:
  const AttackOptions& options_;
  const int64_t total_;
  std::mutex mutex_;
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

void AddEffort(const AttackEffort& from, AttackEffort& to) {
  to.suppressed_cells += from.suppressed_cells;
  to.components += from.components;
  to.largest_component = std::max(to.largest_component, from.largest_component);
  to.linear_programs += from.linear_programs;
  to.iterations += from.iterations;
}

// Does work(shard, component, found, effort) for every shard, each with a linear program of its own, and appends what
// each found in the order of the shards.
template <typename Found, typename Work>
absl::Status SweepShards(const AttackerModel& model, const std::vector<Shard>& shards, int threads,
                         std::vector<Found>& found, AttackEffort& effort, const Work& work) {
  std::vector<std::vector<Found>> founds(shards.size());
  std::vector<AttackEffort> efforts(shards.size());
  const auto one = [&](size_t i) -> absl::Status {
    SLUIS_ASSIGN_OR_RETURN(const auto attack, ComponentAttack::Create(model, shards[i].component, efforts[i]));
    return work(shards[i], *attack, founds[i], efforts[i]);
  };
  SLUIS_RETURN_IF_ERROR(ForEachShard(shards, threads, one));
  for (size_t i = 0; i < shards.size(); ++i) {
    found.insert(found.end(), founds[i].begin(), founds[i].end());
    AddEffort(efforts[i], effort);
  }
  return absl::OkStatus();
}

std::vector<size_t> CellsOfComponents(const AttackerModel& model) {
  std::vector<size_t> items;
  for (const std::vector<int32_t>& component : model.components) items.push_back(component.size());
  return items;
}

// A protection level: the cell at `place` in its component must be able to reach `value`.
struct LevelGoal {
  size_t place = 0;
  bool up = false;
  int64_t value = 0;
};

std::vector<LevelGoal> GoalsOf(const Measure& measure, const std::vector<int32_t>& cells) {
  std::vector<LevelGoal> goals;
  for (size_t j = 0; j < cells.size(); ++j) {
    const int64_t value = measure.value[Index(cells[j])];
    const int64_t lower = measure.lower_level[Index(cells[j])];
    const int64_t upper = measure.upper_level[Index(cells[j])];
    if (lower > 0) goals.push_back({.place = j, .up = false, .value = value - lower});
    if (upper > 0) goals.push_back({.place = j, .up = true, .value = value + upper});
  }
  return goals;
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
  const auto work = [&](const Shard& shard, ComponentAttack& attack, std::vector<FeasibilityInterval>& found,
                        AttackEffort& effort) -> absl::Status {
    for (size_t j = shard.begin; j < shard.end; ++j) {
      SLUIS_RETURN_IF_ERROR(progress.Step());
      FeasibilityInterval interval{.cell = model.components[shard.component][j], .low = 0, .high = 0};
      SLUIS_ASSIGN_OR_RETURN(interval.low, attack.Push(j, false, -1, effort));
      SLUIS_ASSIGN_OR_RETURN(interval.high, attack.Push(j, true, kNoUpperBound, effort));
      found.push_back(interval);
    }
    return absl::OkStatus();
  };
  const std::vector<Shard> shards = MakeShards(CellsOfComponents(model), options.threads);
  SLUIS_RETURN_IF_ERROR(SweepShards(model, shards, options.threads, report.intervals, report.effort, work));
  std::sort(report.intervals.begin(), report.intervals.end(),
            [](const FeasibilityInterval& a, const FeasibilityInterval& b) { return a.cell < b.cell; });
  return report;
}

absl::StatusOr<ExactReport> FindExact(const PublishedTable& table, const AttackOptions& options) {
  SLUIS_ASSIGN_OR_RETURN(const AttackerModel model, BuildAttackerModel(table));
  ExactReport report{.effort = MeasureModel(model), .exact_cells = {}};
  Progress progress(options, report.effort.suppressed_cells);
  const auto work = [&](const Shard& shard, ComponentAttack& attack, std::vector<int32_t>& found,
                        AttackEffort& effort) -> absl::Status {
    const auto open = [&](size_t j) {
      return !HoldsTwoWholeNumbers(attack.seen_low(j), attack.seen_high(j), attack.tolerance());
    };
    for (size_t j = shard.begin; j < shard.end; ++j) {
      SLUIS_RETURN_IF_ERROR(progress.Step());
      if (open(j)) SLUIS_RETURN_IF_ERROR(attack.Push(j, true, kNoUpperBound, effort).status());
      if (open(j)) SLUIS_RETURN_IF_ERROR(attack.Push(j, false, -1, effort).status());
      if (open(j)) found.push_back(model.components[shard.component][j]);
    }
    return absl::OkStatus();
  };
  const std::vector<Shard> shards = MakeShards(CellsOfComponents(model), options.threads);
  SLUIS_RETURN_IF_ERROR(SweepShards(model, shards, options.threads, report.exact_cells, report.effort, work));
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
  for (const Measure& measure : system.measures) {
    for (size_t i = 0; i < pattern.size(); ++i) {
      report.levels += (measure.lower_level[i] > 0 ? 1 : 0) + (measure.upper_level[i] > 0 ? 1 : 0);
    }
  }
  Progress progress(options, report.levels);
  for (int32_t m = 0; m < static_cast<int32_t>(system.measures.size()); ++m) {
    const Measure& measure = system.measures[Index(m)];
    SLUIS_ASSIGN_OR_RETURN(const AttackerModel model, BuildAttackerModel(Publish(system, m, pattern, true)));
    AttackEffort effort = MeasureModel(model);
    // The levels of each component; those of published cells fall short at once.
    std::vector<std::vector<LevelGoal>> goals(model.components.size());
    std::vector<size_t> items(model.components.size());
    for (size_t c = 0; c < model.components.size(); ++c) {
      goals[c] = GoalsOf(measure, model.components[c]);
      items[c] = goals[c].size();
    }
    for (int32_t i = 0; i < system.num_cells; ++i) {
      if (pattern[Index(i)] != 0) continue;
      if (measure.lower_level[Index(i)] > 0) report.shortfalls.push_back({.measure = m, .cell = i, .below = true});
      if (measure.upper_level[Index(i)] > 0) report.shortfalls.push_back({.measure = m, .cell = i, .below = false});
    }
    const auto work = [&](const Shard& shard, ComponentAttack& attack, std::vector<Shortfall>& found,
                          AttackEffort& own_effort) -> absl::Status {
      const std::span<const LevelGoal> own =
          std::span(goals[shard.component]).subspan(shard.begin, shard.end - shard.begin);
      const auto reached = [&attack](const LevelGoal& goal) {
        return goal.up ? attack.seen_high(goal.place) >= static_cast<double>(goal.value) - attack.tolerance()
                       : attack.seen_low(goal.place) <= static_cast<double>(goal.value) + attack.tolerance();
      };
      for (const LevelGoal& goal : own) {
        SLUIS_RETURN_IF_ERROR(progress.Step());
        if (!reached(goal)) SLUIS_RETURN_IF_ERROR(attack.Push(goal.place, goal.up, goal.value, own_effort).status());
        if (reached(goal)) continue;
        found.push_back({.measure = m, .cell = model.components[shard.component][goal.place], .below = !goal.up});
      }
      return absl::OkStatus();
    };
    const std::vector<Shard> shards = MakeShards(items, options.threads);
    SLUIS_RETURN_IF_ERROR(SweepShards(model, shards, options.threads, report.shortfalls, effort, work));
    AddEffort(effort, report.effort);
  }
  std::sort(report.shortfalls.begin(), report.shortfalls.end(), [](const Shortfall& a, const Shortfall& b) {
    return std::tuple(a.measure, a.cell, !a.below) < std::tuple(b.measure, b.cell, !b.below);
  });
  return report;
}

}  // namespace sluis::disclosure
