#include "disclosure/system/system.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/system/int128.h"

namespace sluis::disclosure {
namespace {

size_t Index(int64_t i) { return static_cast<size_t>(i); }

absl::Status CheckShape(const CellSystem& system) {
  const size_t n = Index(system.num_cells);
  const Relations& relations = system.relations;
  if (system.num_cells < 0) return absl::InvalidArgumentError("system: the number of cells is negative");
  if (system.suppressible.size() != n || system.cost.size() != n) {
    return absl::InvalidArgumentError("system: suppressible and cost need one entry per cell");
  }
  if (system.measures.empty()) return absl::InvalidArgumentError("system: at least one measure is needed");
  for (size_t m = 0; m < system.measures.size(); ++m) {
    const Measure& measure = system.measures[m];
    if (measure.value.size() != n || measure.reason.size() != n || measure.lower_level.size() != n ||
        measure.upper_level.size() != n || measure.upper_bound.size() != n) {
      return absl::InvalidArgumentError(absl::StrCat("measure ", m, ": every vector needs one entry per cell"));
    }
  }
  if (relations.part_begin.size() != relations.total.size() + 1 || relations.part_begin.front() != 0 ||
      relations.part_begin.back() != static_cast<int64_t>(relations.part.size())) {
    return absl::InvalidArgumentError("relations: part_begin does not delimit the parts");
  }
  return absl::OkStatus();
}

absl::Status CheckRelationCells(const CellSystem& system) {
  const Relations& relations = system.relations;
  std::vector<int64_t> seen(Index(system.num_cells), -1);
  for (int64_t r = 0; r < relations.size(); ++r) {
    const int64_t begin = relations.part_begin[Index(r)];
    const int64_t end = relations.part_begin[Index(r) + 1];
    if (begin >= end || end > static_cast<int64_t>(relations.part.size())) {
      return absl::InvalidArgumentError(absl::StrCat("relation ", r, ": has no parts"));
    }
    const auto visit = [&](int32_t cell) {
      if (cell < 0 || cell >= system.num_cells || seen[Index(cell)] == r) return false;
      seen[Index(cell)] = r;
      return true;
    };
    bool good = visit(relations.total[Index(r)]);
    for (int32_t cell : relations.parts(r)) good = good && visit(cell);
    if (!good) {
      return absl::InvalidArgumentError(absl::StrCat("relation ", r, ": a cell is out of range or stands in it twice"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckMeasure(const CellSystem& system, size_t m) {
  const Measure& measure = system.measures[m];
  const auto error = [m](int64_t cell, const char* what) {
    return absl::InvalidArgumentError(absl::StrCat("measure ", m, ", cell ", cell, ": ", what));
  };
  for (int64_t i = 0; i < system.num_cells; ++i) {
    const int64_t value = measure.value[Index(i)];
    const int64_t lower = measure.lower_level[Index(i)];
    const int64_t upper = measure.upper_level[Index(i)];
    const int64_t bound = measure.upper_bound[Index(i)];
    if (value < 0 || value > kMaxAmount) return error(i, "the value is outside 0 .. 2^50");
    if (bound < value) return error(i, "the value is above the attacker's upper bound");
    if (bound > kMaxAmount && bound != kNoUpperBound) return error(i, "the upper bound is above 2^50");
    if (lower < 0 || upper < 0 || upper > kMaxAmount) return error(i, "a protection level is outside 0 .. 2^50");
    if (lower > value) return error(i, "the lower protection level is above the value");
    if (measure.reason[Index(i)] == PrimaryReason::kNone) {
      if (lower != 0 || upper != 0) return error(i, "a protection level at a cell that is not primary");
      continue;
    }
    if (system.suppressible[Index(i)] == 0) return error(i, "a primary cell that is not suppressible");
    if (lower == 0 && upper == 0) return error(i, "a primary cell without protection levels");
  }
  for (int64_t r = 0; r < system.relations.size(); ++r) {
    Int128 sum = 0;
    for (int32_t part : system.relations.parts(r)) sum += measure.value[Index(part)];
    if (sum != measure.value[Index(system.relations.total[Index(r)])]) {
      return absl::InvalidArgumentError(
          absl::StrCat("relation ", r, ": the parts do not add up to the total in measure ", m));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckContributor(const CellSystem& system, size_t k, std::vector<int64_t>& named) {
  const Contributor& contributor = system.contributors.contributor[k];
  const size_t measures = system.measures.size();
  const auto error = [k](const char* what) {
    return absl::InvalidArgumentError(absl::StrCat("contributor ", k, ": ", what));
  };
  if (contributor.amount.size() != contributor.cell.size() * measures)
    return error("needs an amount a cell and measure");
  for (size_t c = 0; c < contributor.cell.size(); ++c) {
    const int32_t cell = contributor.cell[c];
    if (cell < 0 || cell >= system.num_cells) return error("a cell is out of range");
    if (c > 0 && cell <= contributor.cell[c - 1]) return error("the cells are not ascending");
    ++named[Index(cell)];
    for (size_t m = 0; m < measures; ++m) {
      const int64_t amount = contributor.amount[c * measures + m];
      if (amount < 0 || amount > system.measures[m].value[Index(cell)]) {
        return absl::InvalidArgumentError(
            absl::StrCat("contributor ", k, ", cell ", cell, ": the amount is outside 0 .. the cell's value"));
      }
    }
  }
  return absl::OkStatus();
}

absl::Status CheckContributors(const CellSystem& system) {
  const Contributors& contributors = system.contributors;
  const size_t n = Index(system.num_cells);
  if (contributors.in_cell.empty() && contributors.contributor.empty() && !contributors.protects()) {
    return absl::OkStatus();
  }
  if (contributors.in_cell.size() != n) {
    return absl::InvalidArgumentError("contributors: their number is needed for each cell");
  }
  if (contributors.coalition < 1 || contributors.coalition > kMaxCoalition) {
    return absl::InvalidArgumentError("contributors: a coalition has 1 to 3 members");
  }
  std::vector<int64_t> named(n, 0);
  for (size_t k = 0; k < contributors.contributor.size(); ++k) {
    SLUIS_RETURN_IF_ERROR(CheckContributor(system, k, named));
  }
  for (size_t i = 0; i < n; ++i) {
    if (contributors.in_cell[i] < named[i]) {
      return absl::InvalidArgumentError(absl::StrCat("cell ", i, ": more contributors are named than it has"));
    }
  }
  const ContributorIndex index(system);
  for (int64_t r = 0; r < system.relations.size(); ++r) {
    if (system.relations.parts(r).size() != 1) continue;
    const int32_t a = system.relations.total[Index(r)];
    const int32_t b = system.relations.parts(r).front();
    const auto of_a = index.Of(a);
    const auto of_b = index.Of(b);
    bool same = contributors.in_cell[Index(a)] == contributors.in_cell[Index(b)] &&
                std::equal(of_a.begin(), of_a.end(), of_b.begin(), of_b.end());
    for (size_t k = 0; same && k < of_a.size(); ++k) {
      for (int32_t m = 0; m < static_cast<int32_t>(system.measures.size()); ++m) {
        same = same && index.Least(of_a.subspan(k, 1), m, a) == index.Least(of_b.subspan(k, 1), m, b);
      }
    }
    if (!same) {
      return absl::InvalidArgumentError(
          absl::StrCat("relation ", r, ": cells ", a, " and ", b, " are one number, but have other contributors"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

void Relations::Add(int32_t total_cell, std::span<const int32_t> part_cells) {
  total.push_back(total_cell);
  part.insert(part.end(), part_cells.begin(), part_cells.end());
  part_begin.push_back(static_cast<int64_t>(part.size()));
}

Incidence BuildIncidence(const Relations& relations, int32_t num_cells) {
  Incidence incidence;
  incidence.begin.assign(Index(num_cells) + 1, 0);
  for (int32_t cell : relations.total) ++incidence.begin[Index(cell) + 1];
  for (int32_t cell : relations.part) ++incidence.begin[Index(cell) + 1];
  for (int64_t i = 0; i < num_cells; ++i) incidence.begin[Index(i) + 1] += incidence.begin[Index(i)];
  incidence.relation.resize(Index(incidence.begin.back()));
  incidence.sign.resize(Index(incidence.begin.back()));
  std::vector<int64_t> next(incidence.begin.begin(), incidence.begin.end() - 1);
  const auto put = [&](int32_t cell, int64_t relation, int8_t sign) {
    const size_t at = Index(next[Index(cell)]++);
    incidence.relation[at] = static_cast<int32_t>(relation);
    incidence.sign[at] = sign;
  };
  for (int64_t r = 0; r < relations.size(); ++r) {
    put(relations.total[Index(r)], r, -1);
    for (int32_t cell : relations.parts(r)) put(cell, r, 1);
  }
  return incidence;
}

bool CellSystem::IsPrimary(int32_t cell) const {
  return std::any_of(measures.begin(), measures.end(),
                     [cell](const Measure& m) { return m.reason[Index(cell)] != PrimaryReason::kNone; });
}

CellSystem MakeCellSystem(int32_t num_cells, std::span<const std::string> measure_names) {
  const size_t n = Index(num_cells);
  CellSystem system;
  system.num_cells = num_cells;
  system.suppressible.assign(n, 0);
  system.cost.assign(n, 0);
  for (const std::string& name : measure_names) {
    system.measures.push_back({.name = name,
                               .value = std::vector<int64_t>(n, 0),
                               .reason = std::vector<PrimaryReason>(n, PrimaryReason::kNone),
                               .lower_level = std::vector<int64_t>(n, 0),
                               .upper_level = std::vector<int64_t>(n, 0),
                               .upper_bound = std::vector<int64_t>(n, kNoUpperBound)});
  }
  return system;
}

void MarkEmptyCells(CellSystem& system) {
  for (size_t i = 0; i < Index(system.num_cells); ++i) {
    system.suppressible[i] = std::any_of(system.measures.begin(), system.measures.end(), [i](const Measure& measure) {
      return measure.value[i] != 0 || measure.reason[i] != PrimaryReason::kNone;
    });
  }
}

void SetUpperBounds(CellSystem& system) {
  for (Measure& measure : system.measures) {
    int64_t bound = 0;
    for (size_t i = 0; i < measure.value.size(); ++i) {
      bound = std::max(bound, measure.value[i] + measure.upper_level[i]);
    }
    measure.upper_bound.assign(measure.value.size(), bound);
  }
}

absl::Status AppendSystem(CellSystem& system, const CellSystem& other) {
  if (!std::equal(system.measures.begin(), system.measures.end(), other.measures.begin(), other.measures.end(),
                  [](const Measure& a, const Measure& b) { return a.name == b.name; })) {
    return absl::InvalidArgumentError("systems: the measures differ; tables of one system have the same measures");
  }
  if (int64_t{system.num_cells} + other.num_cells > std::numeric_limits<int32_t>::max()) {
    return absl::InvalidArgumentError("systems: together more than 2^31 - 1 cells");
  }
  const int32_t offset = system.num_cells;
  const auto append = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
  std::vector<int32_t> shifted;
  for (int64_t r = 0; r < other.relations.size(); ++r) {
    shifted.assign(other.relations.parts(r).begin(), other.relations.parts(r).end());
    for (int32_t& cell : shifted) cell += offset;
    system.relations.Add(other.relations.total[Index(r)] + offset, shifted);
  }
  append(system.suppressible, other.suppressible);
  append(system.cost, other.cost);
  for (size_t m = 0; m < system.measures.size(); ++m) {
    append(system.measures[m].value, other.measures[m].value);
    append(system.measures[m].reason, other.measures[m].reason);
    append(system.measures[m].lower_level, other.measures[m].lower_level);
    append(system.measures[m].upper_level, other.measures[m].upper_level);
    append(system.measures[m].upper_bound, other.measures[m].upper_bound);
  }
  Contributors& contributors = system.contributors;
  if (!contributors.in_cell.empty() || !other.contributors.in_cell.empty()) {
    contributors.in_cell.resize(Index(system.num_cells), 0);
    append(contributors.in_cell, other.contributors.in_cell);
    contributors.in_cell.resize(Index(offset) + Index(other.num_cells), 0);
    for (Contributor contributor : other.contributors.contributor) {
      for (int32_t& cell : contributor.cell) cell += offset;
      contributors.contributor.push_back(std::move(contributor));
    }
    contributors.protection = std::max(contributors.protection, other.contributors.protection);
    contributors.coalition = std::max(contributors.coalition, other.contributors.coalition);
  }
  system.num_cells += other.num_cells;
  return absl::OkStatus();
}

absl::Status Validate(const CellSystem& system) {
  SLUIS_RETURN_IF_ERROR(CheckShape(system));
  SLUIS_RETURN_IF_ERROR(CheckRelationCells(system));
  for (int64_t i = 0; i < system.num_cells; ++i) {
    if (system.cost[Index(i)] < 0 || system.cost[Index(i)] > kMaxAmount) {
      return absl::InvalidArgumentError(absl::StrCat("cell ", i, ": the cost is outside 0 .. 2^50"));
    }
  }
  for (size_t m = 0; m < system.measures.size(); ++m) SLUIS_RETURN_IF_ERROR(CheckMeasure(system, m));
  return CheckContributors(system);
}

}  // namespace sluis::disclosure
