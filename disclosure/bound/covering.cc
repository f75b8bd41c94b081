#include "disclosure/bound/covering.h"

#include <algorithm>
#include <atomic>
#include <compare>
#include <optional>
#include <thread>
#include <utility>

#include "common/sets/disjoint_sets.h"
#include "common/status/status.h"
#include "disclosure/lp/mip.h"
#include "disclosure/system/int128.h"

namespace sluis::disclosure {
namespace {

size_t Index(int64_t i) { return static_cast<size_t>(i); }

// A cut as it is left when the fixed cells are gone: sum of coefficient * x >= need over open cells.
struct OpenCut {
  std::vector<int32_t> cell;  // ascending
  std::vector<int64_t> coefficient;
  int64_t need = 0;

  friend auto operator<=>(const OpenCut&, const OpenCut&) = default;
};

// Each once; nullopt if one cannot be satisfied.
std::optional<std::vector<OpenCut>> OpenCuts(std::span<const CapacityCut> cuts, std::span<const uint8_t> lower,
                                             std::span<const uint8_t> upper) {
  std::vector<OpenCut> open;
  for (const CapacityCut& cut : cuts) {
    Int128 need = cut.need;
    Int128 taken = 0;  // what cells with a coefficient below 0 may take away
    for (size_t k = 0; k < cut.cell.size(); ++k) {
      const size_t i = Index(cut.cell[k]);
      if (lower[i] != 0) need -= cut.coefficient[k];
      if (lower[i] != upper[i]) taken -= std::min<int64_t>(0, cut.coefficient[k]);
    }
    if (need + taken <= 0) continue;
    OpenCut& left = open.emplace_back();
    left.need = static_cast<int64_t>(need);
    Int128 supply = 0;
    for (size_t k = 0; k < cut.cell.size(); ++k) {
      const size_t i = Index(cut.cell[k]);
      if (lower[i] == upper[i]) continue;
      left.cell.push_back(cut.cell[k]);
      left.coefficient.push_back(static_cast<int64_t>(std::min<Int128>(need + taken, cut.coefficient[k])));
      supply += std::max<int64_t>(0, left.coefficient.back());
    }
    if (supply < need) return std::nullopt;
  }
  std::sort(open.begin(), open.end());
  open.erase(std::unique(open.begin(), open.end()), open.end());
  return open;
}

struct Component {
  std::vector<int32_t> cells;  // ascending
  std::vector<const OpenCut*> cuts;
};

std::vector<Component> FindComponents(int32_t num_cells, const std::vector<OpenCut>& cuts) {
  common::DisjointSets sets(static_cast<uint32_t>(num_cells));
  std::vector<uint8_t> used(Index(num_cells), 0);
  for (const OpenCut& cut : cuts) {
    for (const int32_t cell : cut.cell) {
      used[Index(cell)] = 1;
      sets.Unite(static_cast<uint32_t>(cell), static_cast<uint32_t>(cut.cell.front()));
    }
  }
  std::vector<int32_t> number(used.size(), -1);
  std::vector<Component> components;
  for (int32_t i = 0; i < num_cells; ++i) {
    if (used[Index(i)] == 0) continue;
    int32_t& at = number[sets.Root(static_cast<uint32_t>(i))];
    if (at < 0) {
      at = static_cast<int32_t>(components.size());
      components.emplace_back();
    }
    components[Index(at)].cells.push_back(i);
  }
  for (const OpenCut& cut : cuts) {
    components[Index(number[sets.Root(static_cast<uint32_t>(cut.cell.front()))])].cuts.push_back(&cut);
  }
  return components;
}

std::vector<int64_t> KeyOf(const Component& component) {
  std::vector<int64_t> key;
  for (const OpenCut* cut : component.cuts) {
    key.push_back(static_cast<int64_t>(cut->cell.size()));
    key.push_back(cut->need);
    key.insert(key.end(), cut->cell.begin(), cut->cell.end());
    key.insert(key.end(), cut->coefficient.begin(), cut->coefficient.end());
  }
  return key;
}

lp::Problem MakeProblem(const ProtectionModel& model, const Component& component) {
  lp::Problem problem;
  const size_t columns = component.cells.size();
  for (const int32_t cell : component.cells) {
    problem.objective.push_back(static_cast<double>(model.system().cost[Index(cell)]));
  }
  problem.column_lower.assign(columns, 0);
  problem.column_upper.assign(columns, 1);
  problem.num_rows = static_cast<int32_t>(component.cuts.size());
  problem.row_upper.assign(component.cuts.size(), lp::kInfinity);
  std::vector<std::vector<std::pair<int32_t, double>>> by_column(columns);
  for (size_t r = 0; r < component.cuts.size(); ++r) {
    const OpenCut& cut = *component.cuts[r];
    int64_t scale = 1;  // rows are scaled to numbers of about 1
    for (const int64_t c : cut.coefficient) scale = std::max(scale, c < 0 ? -c : c);
    problem.row_lower.push_back(static_cast<double>(cut.need) / static_cast<double>(scale));
    for (size_t k = 0; k < cut.cell.size(); ++k) {
      const auto column = std::lower_bound(component.cells.begin(), component.cells.end(), cut.cell[k]);
      by_column[Index(column - component.cells.begin())].emplace_back(
          static_cast<int32_t>(r), static_cast<double>(cut.coefficient[k]) / static_cast<double>(scale));
    }
  }
  for (const auto& entries : by_column) {
    for (const auto& [row, coefficient] : entries) {
      problem.row.push_back(row);
      problem.coefficient.push_back(coefficient);
    }
    problem.begin.push_back(static_cast<int64_t>(problem.row.size()));
  }
  return problem;
}

}  // namespace

absl::StatusOr<CoveringAnswer> Covering::Solve(std::span<const CapacityCut> cuts, std::span<const uint8_t> lower,
                                               std::span<const uint8_t> upper, const CoveringOptions& options) {
  CoveringAnswer answer;
  answer.complete = true;
  const std::optional<std::vector<OpenCut>> open = OpenCuts(cuts, lower, upper);
  if (!open) return answer;
  const std::vector<Component> components = FindComponents(model_.num_cells(), *open);
  answer.components = static_cast<int64_t>(components.size());
  std::vector<Solution*> solutions;
  std::vector<size_t> unknown;
  for (size_t c = 0; c < components.size(); ++c) {
    solutions.push_back(&known_[KeyOf(components[c])]);
    if (!solutions.back()->complete) unknown.push_back(c);
  }
  answer.solved = static_cast<int64_t>(unknown.size());
  std::vector<absl::StatusOr<lp::BinaryAnswer>> solved(unknown.size(), lp::BinaryAnswer{});
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t u = next++; u < unknown.size(); u = next++) {
      solved[u] =
          lp::SolveBinary(MakeProblem(model_, components[unknown[u]]), {.max_nodes = options.max_nodes,
                                                                        .max_iterations = options.max_iterations,
                                                                        .few_cuts = true,
                                                                        .stop = options.stop});
    }
  };
  {
    std::vector<std::jthread> others;
    for (int32_t t = 1; t < options.threads; ++t) others.emplace_back(work);
    work();
  }
  for (size_t u = 0; u < unknown.size(); ++u) {
    SLUIS_RETURN_IF_ERROR(solved[u].status());
    answer.iterations += solved[u]->iterations;
    Solution& solution = *solutions[unknown[u]];
    solution.complete = solved[u]->complete;
    solution.x = std::move(solved[u]->solution).value_or(std::vector<uint8_t>{});
  }
  answer.pattern.assign(Index(model_.num_cells()), 0);
  for (int32_t i = 0; i < model_.num_cells(); ++i) {
    const bool fixed = model_.state(i) == CellState::kFree && lower[Index(i)] != 0;
    answer.pattern[Index(i)] = fixed || model_.state(i) == CellState::kSuppressed;
  }
  bool found = true;
  for (size_t c = 0; c < components.size(); ++c) {
    const Solution& solution = *solutions[c];
    answer.complete = answer.complete && solution.complete;
    found = found && !solution.x.empty();
    for (size_t j = 0; j < solution.x.size(); ++j) answer.pattern[Index(components[c].cells[j])] = solution.x[j];
  }
  if (!found) {
    answer.pattern.clear();
    return answer;
  }
  answer.cost = model_.CostOf(answer.pattern);
  return answer;
}

}  // namespace sluis::disclosure
