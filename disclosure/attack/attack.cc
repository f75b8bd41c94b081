#include "disclosure/attack/attack.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>
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

  absl::Status Step(int64_t cells = 1) {
    SLUIS_RETURN_IF_ERROR(CheckCancelled());
    if (!options_.progress) return absl::OkStatus();
    const std::lock_guard lock(mutex_);
    options_.progress(done_ += cells, total_);
    return absl::OkStatus();
  }

  absl::Status CheckCancelled() const {
    if (options_.cancelled == nullptr || !options_.cancelled->load(std::memory_order_relaxed)) return absl::OkStatus();
    return absl::CancelledError("attack: cancelled");
  }

  // Returns `push` that can be cancelled.
  template <typename Push>
  auto Watch(const Push& push) const {
    return [this, &push](size_t place) -> absl::Status {
      SLUIS_RETURN_IF_ERROR(CheckCancelled());
      return push(place);
    };
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

// True if two whole numbers lie in [low, high], whose ends are known to within `tolerance`.
bool HoldsTwoWholeNumbers(double low, double high, double tolerance) {
  return std::floor(high + tolerance) > std::ceil(low - tolerance);
}

// What is still to be shown of a cell: that it can go down, up, or both.
struct Open {
  bool down = false;
  bool up = false;
};

// Above every amount: no confinement on that side.
constexpr double kAnything = 2.0 * static_cast<double>(kMaxAmount);
// Rounds in which many cells are pushed at once. Each ends sooner if it brought little.
constexpr int kMaxPushRounds = 12;
// Below this many cells, pushing them one by one is as quick.
constexpr size_t kMinTogether = 8;

// Which way a cell goes that can be asked to go both: a bit of the finaliser of SplitMix64. What a total leaves to its
// parts is fixed, so that they cannot all go up; halves that change from round to round can make room for each other.
bool GoesUp(size_t place, int round) {
  uint64_t x = static_cast<uint64_t>(place) * 0x9E3779B97F4A7C15 + static_cast<uint64_t>(round / 2) + 1;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return ((x >> 63) != 0) == (round % 2 == 0);
}

// Pushes the cells of which open_of(place) is not yet shown, in three steps. First all are pushed together, each up or
// down and in the next round the other way: one linear program in the place of hundreds. confine(place, up) keeps a
// cell from going further than what is to be shown, so that all get something. Then one by one; last, what the
// confinement of the others forbade is tried without it. `places`: ascending.
template <typename OpenOf, typename Confine, typename PushOne>
absl::Status PushAll(std::span<const size_t> places, size_t num_cells, const OpenOf& open_of, const Confine& confine,
                     const PushOne& push_one, ComponentAttack& attack, AttackEffort& effort) {
  std::vector<double> direction(num_cells, 0);
  size_t before = 0;
  for (int round = 0; round < kMaxPushRounds; ++round) {
    size_t count = 0;
    for (const size_t place : places) {
      const Open open = open_of(place);
      const bool up = open.up && (!open.down || GoesUp(place, round));
      direction[place] = up ? 1 : (open.down ? -1 : 0);
      if (open.up || open.down) {
        ++count;
        confine(place, up);
      } else {
        attack.Confine(place, 0, kAnything);
      }
    }
    if (count < kMinTogether || (round > 1 && round % 2 == 0 && count + count / 20 >= before)) break;
    if (round % 2 == 0) before = count;
    SLUIS_RETURN_IF_ERROR(attack.PushTogether(direction, effort));
  }
  const auto is_open = [&open_of](size_t place) {
    const Open open = open_of(place);
    return open.down || open.up;
  };
  for (const size_t place : places) {
    if (is_open(place)) SLUIS_RETURN_IF_ERROR(push_one(place));
  }
  if (std::none_of(places.begin(), places.end(), is_open)) return absl::OkStatus();
  attack.Release();
  for (const size_t place : places) {
    if (is_open(place)) SLUIS_RETURN_IF_ERROR(push_one(place));
  }
  return absl::OkStatus();
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
  SLUIS_ASSIGN_OR_RETURN(const AttackerModel model, BuildAttackerModel(table, options.known));
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
  SLUIS_ASSIGN_OR_RETURN(const AttackerModel model, BuildAttackerModel(table, options.known));
  ExactReport report{.effort = MeasureModel(model), .exact_cells = {}};
  Progress progress(options, report.effort.suppressed_cells);
  const auto work = [&](const Shard& shard, ComponentAttack& attack, std::vector<int32_t>& found,
                        AttackEffort& effort) -> absl::Status {
    const std::vector<int32_t>& cells = model.components[shard.component];
    std::vector<size_t> places(shard.end - shard.begin);
    std::iota(places.begin(), places.end(), shard.begin);
    std::vector<double> first_seen;
    for (const size_t j : places) first_seen.push_back(attack.seen_low(j));
    // Two whole numbers are seen at the latest when a cell has moved by two units; in the other direction it makes
    // room.
    const auto confine = [&](size_t j, bool up) {
      const double first = first_seen[j - shard.begin];
      up ? attack.Confine(j, 0, first + 2) : attack.Confine(j, first - 2, kAnything);
    };
    const auto open_of = [&](size_t j) {
      const bool open = !HoldsTwoWholeNumbers(attack.seen_low(j), attack.seen_high(j), attack.tolerance());
      return Open{.down = open, .up = open};
    };
    const auto push_one = [&](size_t j) -> absl::Status {
      SLUIS_RETURN_IF_ERROR(attack.Push(j, true, kNoUpperBound, effort).status());
      return open_of(j).up ? attack.Push(j, false, -1, effort).status() : absl::OkStatus();
    };
    SLUIS_RETURN_IF_ERROR(PushAll(places, cells.size(), open_of, confine, progress.Watch(push_one), attack, effort));
    for (const size_t j : places) {
      if (open_of(j).up) found.push_back(cells[j]);
    }
    return progress.Step(static_cast<int64_t>(places.size()));
  };
  const std::vector<Shard> shards = MakeShards(CellsOfComponents(model), options.threads);
  SLUIS_RETURN_IF_ERROR(SweepShards(model, shards, options.threads, report.exact_cells, report.effort, work));
  std::erase_if(report.exact_cells, [&options](int32_t cell) {
    return std::any_of(options.known.begin(), options.known.end(),
                       [cell](const KnownRange& known) { return known.cell == cell && known.exact(); });
  });
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
  std::vector<KnownRange> known(pattern.size());
  for (const KnownRange& range : options.known) {
    if (range.cell < 0 || range.cell >= system.num_cells) {
      return absl::InvalidArgumentError("attack: what is known of a cell is out of range");
    }
    known[Index(range.cell)] = range;
  }
  // What must be possible of `cell`, unless the attacker's own contributions rule it out.
  const auto least_of = [&known](const Measure& measure, int32_t cell) {
    return std::max(measure.value[Index(cell)] - measure.lower_level[Index(cell)], known[Index(cell)].low);
  };
  const auto due_of = [&](const Measure& measure, int32_t cell) {
    if (known[Index(cell)].exact()) return Open{};
    return Open{.down = least_of(measure, cell) < measure.value[Index(cell)],
                .up = measure.upper_level[Index(cell)] > 0};
  };
  int64_t with_levels = 0;
  for (const Measure& measure : system.measures) {
    for (int32_t i = 0; i < system.num_cells; ++i) {
      const Open due = due_of(measure, i);
      report.levels += (due.down ? 1 : 0) + (due.up ? 1 : 0);
      with_levels += (due.down || due.up) && pattern[Index(i)] != 0 ? 1 : 0;
    }
  }
  Progress progress(options, with_levels);
  for (int32_t m = 0; m < static_cast<int32_t>(system.measures.size()); ++m) {
    const Measure& measure = system.measures[Index(m)];
    const auto fall_short = [&](int32_t cell, Open open, std::vector<Shortfall>& found) {
      if (open.down) found.push_back({.measure = m, .cell = cell, .below = true});
      if (open.up) found.push_back({.measure = m, .cell = cell, .below = false});
    };
    const auto due = [&](int32_t cell) { return due_of(measure, cell); };
    for (int32_t i = 0; i < system.num_cells; ++i) {
      if (pattern[Index(i)] == 0) fall_short(i, due(i), report.shortfalls);  // published
    }
    SLUIS_ASSIGN_OR_RETURN(const AttackerModel model,
                           BuildAttackerModel(Publish(system, m, pattern, true), options.known));
    AttackEffort effort = MeasureModel(model);
    std::vector<std::vector<size_t>> with_level(model.components.size());
    std::vector<size_t> items;
    for (size_t c = 0; c < model.components.size(); ++c) {
      for (size_t j = 0; j < model.components[c].size(); ++j) {
        const Open open = due(model.components[c][j]);
        if (open.down || open.up) with_level[c].push_back(j);
      }
      items.push_back(with_level[c].size());
    }
    const auto work = [&](const Shard& shard, ComponentAttack& attack, std::vector<Shortfall>& found,
                          AttackEffort& own_effort) -> absl::Status {
      const std::vector<int32_t>& cells = model.components[shard.component];
      const std::span<const size_t> places =
          std::span(with_level[shard.component]).subspan(shard.begin, shard.end - shard.begin);
      const auto least = [&](size_t j) { return least_of(measure, cells[j]); };
      const auto largest = [&](size_t j) {
        return measure.value[Index(cells[j])] + measure.upper_level[Index(cells[j])];
      };
      const auto confine = [&](size_t j, bool up) {
        up ? attack.Confine(j, 0, static_cast<double>(largest(j)))
           : attack.Confine(j, static_cast<double>(least(j)), kAnything);
      };
      const auto open_of = [&](size_t j) {
        Open open = due(cells[j]);
        open.down = open.down && attack.seen_low(j) > static_cast<double>(least(j)) + attack.tolerance();
        open.up = open.up && attack.seen_high(j) < static_cast<double>(largest(j)) - attack.tolerance();
        return open;
      };
      const auto push_one = [&](size_t j) -> absl::Status {
        if (open_of(j).down) SLUIS_RETURN_IF_ERROR(attack.Push(j, false, least(j), own_effort).status());
        return open_of(j).up ? attack.Push(j, true, largest(j), own_effort).status() : absl::OkStatus();
      };
      SLUIS_RETURN_IF_ERROR(
          PushAll(places, cells.size(), open_of, confine, progress.Watch(push_one), attack, own_effort));
      for (const size_t j : places) fall_short(cells[j], open_of(j), found);
      return progress.Step(static_cast<int64_t>(places.size()));
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
