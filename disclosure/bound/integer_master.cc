#include "disclosure/bound/integer_master.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>
#include <utility>

#include "common/sets/disjoint_sets.h"
#include "common/status/status.h"
#include "disclosure/lp/mip.h"

namespace sluis::disclosure {
namespace {

size_t Index(int64_t i) { return static_cast<size_t>(i); }

// A cut as it is left when the fixed cells are gone: sum of coefficient * x >= need over open cells.
struct OpenCut {
  std::vector<int32_t> cell;
  std::vector<double> coefficient;  // in parts of the need, at most 1
};

struct Component {
  std::vector<int32_t> cells;
  std::vector<size_t> cuts;  // indices into the open cuts
};

lp::Problem MakeProblem(const ProtectionModel& model, const Component& component, const std::vector<OpenCut>& cuts,
                        std::vector<int32_t>& column_of) {
  lp::Problem problem;
  const size_t columns = component.cells.size();
  for (size_t j = 0; j < columns; ++j) {
    column_of[Index(component.cells[j])] = static_cast<int32_t>(j);
    problem.objective.push_back(static_cast<double>(model.system().cost[Index(component.cells[j])]));
  }
  problem.column_lower.assign(columns, 0);
  problem.column_upper.assign(columns, 1);
  problem.num_rows = static_cast<int32_t>(component.cuts.size());
  problem.row_lower.assign(component.cuts.size(), 1);
  problem.row_upper.assign(component.cuts.size(), lp::kInfinity);
  std::vector<std::vector<std::pair<int32_t, double>>> by_column(columns);
  for (size_t r = 0; r < component.cuts.size(); ++r) {
    const OpenCut& cut = cuts[component.cuts[r]];
    for (size_t k = 0; k < cut.cell.size(); ++k) {
      by_column[Index(column_of[Index(cut.cell[k])])].emplace_back(static_cast<int32_t>(r), cut.coefficient[k]);
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

// The cuts with fixed cells taken out; nullopt if one cannot be satisfied.
std::optional<std::vector<OpenCut>> OpenCuts(const CutMaster& master, const std::vector<uint8_t>& open) {
  std::vector<OpenCut> cuts;
  for (const std::span<const CapacityCut> some : {master.cuts(), master.set_aside()}) {
    for (const CapacityCut& cut : some) {
      int64_t need = cut.need;
      for (size_t k = 0; k < cut.cell.size() && need > 0; ++k) {
        if (master.lower()[Index(cut.cell[k])] != 0) need -= cut.coefficient[k];
      }
      if (need <= 0) continue;
      OpenCut& left = cuts.emplace_back();
      double supply = 0;
      for (size_t k = 0; k < cut.cell.size(); ++k) {
        if (open[Index(cut.cell[k])] == 0) continue;
        left.cell.push_back(cut.cell[k]);
        left.coefficient.push_back(static_cast<double>(std::min(need, cut.coefficient[k])) / static_cast<double>(need));
        supply += left.coefficient.back();
      }
      if (supply < 1 - 1e-9) return std::nullopt;
    }
  }
  return cuts;
}

std::vector<Component> FindComponents(const ProtectionModel& model, const std::vector<OpenCut>& cuts) {
  common::DisjointSets together(static_cast<uint32_t>(model.num_cells()));
  const auto root = [&together](int32_t cell) { return together.Root(static_cast<uint32_t>(cell)); };
  std::vector<uint8_t> used(together.size(), 0);
  for (const OpenCut& cut : cuts) {
    for (const int32_t cell : cut.cell) {
      used[Index(cell)] = 1;
      together.Unite(static_cast<uint32_t>(cut.cell.front()), static_cast<uint32_t>(cell));
    }
  }
  std::vector<int32_t> number(together.size(), -1);
  std::vector<Component> components;
  for (int32_t i = 0; i < model.num_cells(); ++i) {
    if (used[Index(i)] == 0) continue;
    int32_t& at = number[root(i)];
    if (at < 0) {
      at = static_cast<int32_t>(components.size());
      components.emplace_back();
    }
    components[Index(at)].cells.push_back(i);
  }
  for (size_t c = 0; c < cuts.size(); ++c) {
    components[Index(number[root(cuts[c].cell.front())])].cuts.push_back(c);
  }
  return components;
}

}  // namespace

absl::StatusOr<IntegerMasterAnswer> SolveIntegerMaster(const ProtectionModel& model, const CutMaster& master,
                                                       const IntegerMasterOptions& options) {
  IntegerMasterAnswer answer;
  answer.optimal = options.relative_gap == 0;
  answer.pattern.assign(Index(model.num_cells()), 0);
  std::vector<uint8_t> open(Index(model.num_cells()), 0);
  for (int32_t i = 0; i < model.num_cells(); ++i) {
    if (model.state(i) == CellState::kSuppressed) answer.pattern[Index(i)] = 1;
    if (model.state(i) != CellState::kFree) continue;
    if (master.lower()[Index(i)] != 0) answer.pattern[Index(i)] = 1;
    if (master.lower()[Index(i)] == master.upper()[Index(i)]) continue;
    if (options.max_reduced >= 0 && master.reduced()[Index(i)] >= options.max_reduced) {
      answer.optimal = false;
      continue;
    }
    open[Index(i)] = 1;
  }
  const std::optional<std::vector<OpenCut>> cuts = OpenCuts(master, open);
  if (!cuts) {
    answer.pattern.clear();
    return answer;
  }
  const std::vector<Component> components = FindComponents(model, *cuts);
  answer.components = static_cast<int64_t>(components.size());
  std::vector<absl::StatusOr<lp::BinaryAnswer>> solved(components.size(), lp::BinaryAnswer{});
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    std::vector<int32_t> column_of(Index(model.num_cells()), -1);
    for (size_t c = next++; c < components.size(); c = next++) {
      solved[c] = lp::SolveBinary(MakeProblem(model, components[c], *cuts, column_of),
                                  {.max_nodes = options.max_nodes,
                                   .max_iterations = options.max_iterations,
                                   .relative_gap = options.relative_gap,
                                   .stop = options.stop});
    }
  };
  {
    std::vector<std::jthread> others;
    for (int32_t t = 1; t < options.threads; ++t) others.emplace_back(work);
    work();
  }
  bool complete = true;
  for (size_t c = 0; c < components.size(); ++c) {
    SLUIS_RETURN_IF_ERROR(solved[c].status());
    answer.iterations += solved[c]->iterations;
    if (!solved[c]->solution) {
      answer.optimal = answer.optimal && solved[c]->complete;  // one component without a solution proves it for all
      answer.pattern.clear();
      return answer;
    }
    complete = complete && solved[c]->complete;
    answer.largest_component = std::max(answer.largest_component, static_cast<int64_t>(components[c].cells.size()));
    for (size_t j = 0; j < components[c].cells.size(); ++j) {
      answer.pattern[Index(components[c].cells[j])] = (*solved[c]->solution)[j];
    }
  }
  answer.optimal = answer.optimal && complete;
  for (int32_t i = 0; i < model.num_cells(); ++i) {
    if (model.state(i) == CellState::kFree && answer.pattern[Index(i)] != 0) {
      answer.cost += model.system().cost[Index(i)];
    }
  }
  return answer;
}

}  // namespace sluis::disclosure
