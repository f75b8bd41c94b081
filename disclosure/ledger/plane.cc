#include "disclosure/ledger/plane.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "common/status/status.h"

namespace sluis::disclosure {
namespace {

std::size_t At(std::int64_t i) { return static_cast<std::size_t>(i); }

}  // namespace

absl::Status Plane::AddTable(std::size_t in_space, const LedgerTable& table, const LedgerMeasure& measure,
                             std::int32_t earlier, std::span<const std::int32_t> own_cells) {
  const std::vector<std::optional<Region>> regions = space_.RegionsOf(in_space);
  Shown& shown = shown_.emplace_back();
  kind_ = measure.kind;
  shown.earlier = earlier;
  std::vector<std::set<std::int32_t>> sets(space_.num_variables());
  std::set<std::int32_t> distinct;
  for (std::size_t i = 0; i < regions.size(); ++i) {
    const bool known = earlier < 0 || (measure.published[i] < 2 && (table.values_kept || measure.published[i] != 0));
    if (!regions[i] || !known) continue;
    PlaneCell cell;
    cell.value = measure.value[i];
    if (!measure.contributors.empty()) cell.contributors = measure.contributors[i];
    if (kind_ == MeasureKind::kCount) cell.contributors = cell.value;
    const auto top = measure.top.begin() + static_cast<std::ptrdiff_t>(i * At(measure.top_per_cell));
    cell.top.assign(top, top + measure.top_per_cell);
    cell.release_of = earlier;
    if (earlier < 0) {
      cell.state = PlaneState::kAsked;
      cell.own = own_cells[i];
    } else {
      cell.state = measure.published[i] != 0 ? PlaneState::kPublished : PlaneState::kWithheld;
      if (cell.state == PlaneState::kWithheld && !measure.lower_level.empty()) {
        cell.lower_level = measure.lower_level[i];
        cell.upper_level = measure.upper_level[i];
      }
    }
    SLUIS_ASSIGN_OR_RETURN(const std::int32_t number, AddCell(*regions[i], std::move(cell)));
    distinct.insert(number);
    for (std::size_t v = 0; v < sets.size(); ++v) sets[v].insert((*regions[i])[v]);
  }
  for (const std::set<std::int32_t>& of_variable : sets)
    shown.sets.emplace_back(of_variable.begin(), of_variable.end());
  shown.cells.assign(distinct.begin(), distinct.end());
  return absl::OkStatus();
}

absl::StatusOr<std::int32_t> Plane::AddCell(const Region& region, PlaneCell cell) {
  const auto [at, is_new] = by_region_.emplace(region, static_cast<std::int32_t>(cells_.size()));
  if (!is_new) {
    PlaneCell& known = cells_[At(at->second)];
    if (known.value != cell.value) {
      conflict_ = std::max(known.release_of, cell.release_of);
      return absl::FailedPreconditionError("tables of the same records have different values");
    }
    known.state = std::min(known.state, cell.state);
    if (known.contributors < 0) known.contributors = cell.contributors;
    if (known.top.empty()) known.top = std::move(cell.top);
    known.lower_level = std::max(known.lower_level, cell.lower_level);
    known.upper_level = std::max(known.upper_level, cell.upper_level);
    if (cell.own >= 0) known.own = cell.own;
    if (known.release_of < 0) known.release_of = cell.release_of;
    return at->second;
  }
  if (cells_.size() >= limits_.max_cells) {
    return absl::ResourceExhaustedError("the tables and those released before have too many cells together");
  }
  const std::int32_t number = at->second;
  cells_.push_back(std::move(cell));
  regions_.push_back(region);
  Region key = region;
  for (std::size_t v = 0; v < region.size(); ++v) {
    key[v] = -1;
    const auto [line, is_new_line] = by_line_.emplace(key, static_cast<std::int32_t>(lines_.size()));
    if (is_new_line) lines_.push_back({.members = {}, .variable = v, .queued = false});
    Line& on = lines_[At(line->second)];
    on.members.emplace(region[v], number);
    if (!on.queued && on.members.size() > 1) {
      on.queued = true;
      queue_.push_back(line->second);
    }
    key[v] = region[v];
  }
  return number;
}

absl::StatusOr<const LinePlan*> Plane::PlanOf(const Line& line) {
  std::vector<std::int32_t> family;
  for (const auto& [set, cell] : line.members) family.push_back(set);
  const auto key = std::pair(line.variable, family);
  const auto known = plans_.find(key);
  if (known != plans_.end()) return &known->second;
  std::vector<AtomSet> sets;
  for (const std::int32_t set : family) sets.push_back(space_.Set(line.variable, set));
  SLUIS_ASSIGN_OR_RETURN(LinePlan plan, CloseLine(sets, limits_.line));
  return &plans_.emplace(key, std::move(plan)).first->second;
}

absl::StatusOr<PlaneCell> Plane::Derive(std::span<const std::pair<std::int32_t, std::int64_t>> terms) {
  PlaneCell cell;
  std::int64_t contributors = 0;
  int added = 0;
  bool is_bound = true;
  for (const auto& [term, times] : terms) {
    const PlaneCell& from = cells_[At(term)];
    cell.value += times * from.value;
    contributors += times * from.contributors;
    is_bound = is_bound && from.contributors >= 0;
    cell.release_of = std::max(cell.release_of, from.release_of);
    if (times < 0) continue;
    added += static_cast<int>(times);
    if (added == 1) {
      cell.top = from.top;
      continue;
    }
    // A contributor may be in several: none has more than the largest of each together.
    const std::int64_t largest = cell.top.empty() || from.top.empty() ? 0 : cell.top[0] + times * from.top[0];
    cell.top.assign(std::min(cell.top.size(), from.top.size()), largest);
  }
  // Contributors of a whole are not more than those of its parts together; the other way round it does not hold.
  if (is_bound && added == 1) cell.contributors = std::max<std::int64_t>(0, contributors);
  if (kind_ == MeasureKind::kCount) cell.contributors = cell.value;
  if (cell.value < 0) {
    conflict_ = cell.release_of;
    return absl::FailedPreconditionError("a table has more in a part than another has in the whole");
  }
  return cell;
}

absl::Status Plane::CloseLineOf(std::int32_t line) {
  // By value: adding cells moves the lines.
  const Line on = lines_[At(line)];
  SLUIS_ASSIGN_OR_RETURN(const LinePlan* const plan, PlanOf(on));
  std::vector<std::int32_t> cell_of;
  for (const auto& [set, cell] : on.members) cell_of.push_back(cell);
  for (std::size_t k = 0; k < plan->differences.size(); ++k) {
    const LineDifference& difference = plan->differences[k];
    std::vector<std::pair<std::int32_t, std::int64_t>> terms;
    for (const auto& [set, times] : difference.terms) terms.emplace_back(cell_of[At(set)], times);
    SLUIS_ASSIGN_OR_RETURN(PlaneCell cell, Derive(terms));
    Region region = regions_[At(cell_of[0])];
    region[on.variable] = space_.Number(on.variable, plan->sets[on.members.size() + k]);
    cell.can_be_empty_only = cell.value == 0 && space_.IsUnnamed(region);
    SLUIS_ASSIGN_OR_RETURN(const std::int32_t added, AddCell(region, std::move(cell)));
    cell_of.push_back(added);
  }
  return absl::OkStatus();
}

absl::Status Plane::Close(std::int64_t threshold) {
  while (!queue_.empty()) {
    const std::int32_t line = queue_.front();
    queue_.pop_front();
    lines_[At(line)].queued = false;
    SLUIS_RETURN_IF_ERROR(CloseLineOf(line));
  }
  SLUIS_RETURN_IF_ERROR(AddLineSums());
  SLUIS_RETURN_IF_ERROR(AddCrossings());
  return threshold > 0 ? AddNear(threshold) : absl::OkStatus();
}

absl::Status Plane::AddLineSums() {
  std::vector<std::int32_t> parts;
  for (const Line& line : lines_) {
    if (line.members.size() < 2) continue;
    SLUIS_ASSIGN_OR_RETURN(const LinePlan* const plan, PlanOf(line));
    std::vector<std::int32_t> cell_of;
    for (const auto& [set, cell] : line.members) cell_of.push_back(cell);
    for (const LineSum& sum : plan->sums) {
      parts.clear();
      std::int64_t value = 0;
      for (const std::int32_t part : sum.parts) {
        parts.push_back(cell_of[At(part)]);
        value += cells_[At(parts.back())].value;
      }
      const std::int32_t whole = cell_of[At(sum.whole)];
      if (value != cells_[At(whole)].value) {
        for (const std::int32_t part : parts) conflict_ = std::max(conflict_, cells_[At(part)].release_of);
        conflict_ = std::max(conflict_, cells_[At(whole)].release_of);
        return absl::FailedPreconditionError("a table does not add up to another of the same records");
      }
      std::sort(parts.begin(), parts.end());
      relations_.Add(whole, parts);
    }
  }
  return absl::OkStatus();
}

// Returns the sets among `sets` that are within `set` and in no other such set. Empty if they overlap.
std::vector<std::int32_t> Plane::LargestWithin(std::size_t variable, std::int32_t set,
                                               const std::vector<std::int32_t>& sets) const {
  std::vector<std::int32_t> within;
  for (const std::int32_t other : sets) {
    if (IsSubset(space_.Set(variable, other), space_.Set(variable, set))) within.push_back(other);
  }
  std::stable_sort(within.begin(), within.end(), [&](std::int32_t a, std::int32_t b) {
    return CountAtoms(space_.Set(variable, a)) > CountAtoms(space_.Set(variable, b));
  });
  std::vector<std::int32_t> largest;
  for (const std::int32_t other : within) {
    const bool apart = std::all_of(largest.begin(), largest.end(), [&](std::int32_t kept) {
      return AreDisjoint(space_.Set(variable, other), space_.Set(variable, kept));
    });
    if (apart) largest.push_back(other);
  }
  return largest;
}

absl::Status Plane::AddCrossings() {
  for (const Shown& outer : shown_) {
    for (const Shown& inner : shown_) {
      if (&outer != &inner) SLUIS_RETURN_IF_ERROR(Cross(outer, inner));
    }
  }
  return absl::OkStatus();
}

// Cells of `outer` that hold cells of `inner` in two variables or more at once, with no table in between: what is left
// is no product of sets, and no line has it.
absl::Status Plane::Cross(const Shown& outer, const Shown& inner) {
  const std::size_t variables = space_.num_variables();
  std::vector<std::map<std::int32_t, std::vector<std::int32_t>>> within(variables);
  std::size_t strict_variables = 0;
  for (std::size_t v = 0; v < variables; ++v) {
    bool strict = false;
    for (const std::int32_t set : outer.sets[v]) {
      strict = strict || !std::binary_search(inner.sets[v].begin(), inner.sets[v].end(), set);
    }
    strict_variables += strict ? 1 : 0;
  }
  if (strict_variables < 2) return absl::OkStatus();
  for (std::size_t v = 0; v < variables; ++v) {
    for (const std::int32_t set : outer.sets[v]) within[v][set] = LargestWithin(v, set, inner.sets[v]);
  }
  for (const std::int32_t whole : outer.cells) {
    const Region region = regions_[At(whole)];
    std::vector<std::size_t> strict;
    bool any = true;
    for (std::size_t v = 0; v < variables && any; ++v) {
      const std::vector<std::int32_t>& sets = within[v][region[v]];
      any = !sets.empty();
      if (any && sets[0] != region[v]) strict.push_back(v);
    }
    if (!any || strict.size() < 2) continue;
    // If all cells one step further in are known, the lines say it already.
    const bool has_between = std::any_of(strict.begin(), strict.end(), [&](std::size_t v) {
      Region between = region;
      return std::all_of(within[v][region[v]].begin(), within[v][region[v]].end(), [&](std::int32_t set) {
        between[v] = set;
        return by_region_.contains(between);
      });
    });
    if (has_between) continue;
    std::vector<Region> products = {region};
    for (const std::size_t v : strict) {
      std::vector<Region> longer;
      for (const Region& product : products) {
        for (const std::int32_t set : within[v][region[v]]) {
          longer.push_back(product);
          longer.back()[v] = set;
        }
      }
      products = std::move(longer);
    }
    std::vector<std::int32_t> parts;
    for (const Region& product : products) {
      const auto at = by_region_.find(product);
      if (at != by_region_.end()) parts.push_back(at->second);
    }
    if (parts.empty()) continue;
    std::vector<std::int32_t>& within_whole = crossing_parts_[whole];
    within_whole.insert(within_whole.end(), parts.begin(), parts.end());
    SLUIS_RETURN_IF_ERROR(AddRest(whole, std::move(parts)));
  }
  return absl::OkStatus();
}

// Adds what is left of `whole` without `parts`, once.
absl::Status Plane::AddRest(std::int32_t whole, std::vector<std::int32_t> parts) {
  std::sort(parts.begin(), parts.end());
  std::vector<std::int32_t> key = parts;
  key.push_back(whole);
  if (!rests_.insert(std::move(key)).second) return absl::OkStatus();
  if (cells_.size() >= limits_.max_cells) {
    return absl::ResourceExhaustedError("the tables and those released before have too many cells together");
  }
  std::vector<std::pair<std::int32_t, std::int64_t>> terms = {{whole, 1}};
  for (const std::int32_t part : parts) terms.emplace_back(part, -1);
  SLUIS_ASSIGN_OR_RETURN(PlaneCell rest, Derive(terms));
  parts.push_back(static_cast<std::int32_t>(cells_.size()));
  cells_.push_back(std::move(rest));
  regions_.emplace_back();
  relations_.Add(whole, parts);
  return absl::OkStatus();
}

// Returns the numbers of all sets that are within another and not it.
const std::vector<std::int32_t>& Plane::StrictSubsets(std::size_t variable, std::int32_t set) {
  const auto [at, is_new] = subsets_.try_emplace(std::pair(variable, set));
  for (std::int32_t other = 0; is_new && other < space_.NumSets(variable); ++other) {
    if (other != set && IsSubset(space_.Set(variable, other), space_.Set(variable, set))) at->second.push_back(other);
  }
  return at->second;
}

// Returns the cells one step further in: on a line, or across variables.
std::vector<std::int32_t> Plane::CellsWithin(std::int32_t whole) {
  std::vector<std::int32_t> within;
  Region key = regions_[At(whole)];
  for (std::size_t v = 0; v < key.size(); ++v) {
    const std::int32_t set = std::exchange(key[v], -1);
    const std::map<std::int32_t, std::int32_t>& members = lines_[At(by_line_.at(key))].members;
    for (const std::int32_t other : StrictSubsets(v, set)) {
      const auto at = members.find(other);
      if (at != members.end()) within.push_back(at->second);
    }
    key[v] = set;
  }
  const auto crossing = crossing_parts_.find(whole);
  if (crossing != crossing_parts_.end()) within.insert(within.end(), crossing->second.begin(), crossing->second.end());
  return within;
}

absl::Status Plane::AddNear(std::int64_t threshold) {
  std::vector<std::set<std::size_t>> tables(cells_.size());
  for (std::size_t t = 0; t < shown_.size(); ++t) {
    for (const std::int32_t cell : shown_[t].cells) tables[At(cell)].insert(t);
  }
  for (std::size_t whole = 0; whole < tables.size(); ++whole) {
    if (tables[whole].empty()) continue;
    std::set<std::int32_t> seen;
    std::vector<std::int32_t> stack = {static_cast<std::int32_t>(whole)};
    while (!stack.empty()) {
      const std::int32_t at = stack.back();
      stack.pop_back();
      for (const std::int32_t part : CellsWithin(at)) {
        const std::int64_t rest = cells_[whole].contributors - cells_[At(part)].contributors;
        if (rest >= threshold || !seen.insert(part).second) continue;
        stack.push_back(part);
        const std::set<std::size_t>& shows = tables[At(part)];
        const bool together =
            std::any_of(shows.begin(), shows.end(), [&](std::size_t table) { return tables[whole].contains(table); });
        if (shows.empty() || together || rest <= 0) continue;
        SLUIS_RETURN_IF_ERROR(AddRest(static_cast<std::int32_t>(whole), {part}));
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace sluis::disclosure
