#include <CbcEventHandler.hpp>
#include <CbcHeuristic.hpp>
#include <CbcHeuristicGreedy.hpp>
#include <CbcHeuristicRINS.hpp>
#include <CbcModel.hpp>
#include <CglGomory.hpp>
#include <CglKnapsackCover.hpp>
#include <CglMixedIntegerRounding2.hpp>
#include <CglProbing.hpp>
#include <CglZeroHalf.hpp>
#include <CoinError.hpp>
#include <OsiClpSolverInterface.hpp>
#include <algorithm>

#include "disclosure/lp/mip.h"

namespace sluis::disclosure::lp {
namespace {

// Asks the caller whether to go on.
class StopHandler final : public CbcEventHandler {
 public:
  explicit StopHandler(const std::function<bool()>& stop) : stop_(stop) {}
  CbcAction event(CbcEvent) override { return stop_ && stop_() ? CbcEventHandler::stop : noAction; }
  CbcEventHandler* clone() const override { return new StopHandler(*this); }

 private:
  const std::function<bool()>& stop_;
};

// The cuts and heuristics that pay on covering programs. Set up here and not by Cbc's own main program: that one keeps
// state in global variables.
void Equip(CbcModel& model, bool few_cuts) {
  CglProbing probing;
  probing.setUsingObjective(1);
  probing.setMaxPass(1);
  probing.setMaxPassRoot(3);
  probing.setMaxProbeRoot(200);
  probing.setMaxLookRoot(50);
  probing.setMaxElements(300);
  probing.setRowCuts(3);
  CglKnapsackCover knapsack;
  CglMixedIntegerRounding2 rounding(1, true, 1);
  CglGomory gomory;
  gomory.setLimitAtRoot(300);
  gomory.setLimit(50);
  CglZeroHalf zero_half;
  model.addCutGenerator(&probing, -1, "probing");
  model.addCutGenerator(&gomory, -98, "gomory");
  model.addCutGenerator(&knapsack, -98, "knapsack");
  if (!few_cuts) {
    model.addCutGenerator(&rounding, -98, "rounding");
    model.addCutGenerator(&zero_half, -98, "zero half");
  }
  model.setMaximumCutPassesAtRoot(20);
  model.setMaximumCutPasses(few_cuts ? 1 : 2);
  CbcRounding by_rounding(model);
  model.addHeuristic(&by_rounding, "rounding");
  CbcHeuristicGreedyCover greedy(model);
  model.addHeuristic(&greedy, "greedy");
  CbcHeuristicRINS rins(model);
  rins.setHowOften(20);
  model.addHeuristic(&rins, "rins");
}

}  // namespace

absl::StatusOr<BinaryAnswer> SolveBinary(const Problem& problem, const BinaryOptions& options) {
  const size_t columns = problem.column_lower.size();
  if (columns == 0) return BinaryAnswer{.solution = std::vector<uint8_t>{}, .complete = true, .iterations = 0};
  try {
    const std::vector<CoinBigIndex> begin(problem.begin.begin(), problem.begin.end());
    OsiClpSolverInterface solver;
    solver.messageHandler()->setLogLevel(0);
    solver.getModelPtr()->setLogLevel(0);
    solver.loadProblem(static_cast<int>(columns), problem.num_rows, begin.data(), problem.row.data(),
                       problem.coefficient.data(), problem.column_lower.data(), problem.column_upper.data(),
                       problem.objective.data(), problem.row_lower.data(), problem.row_upper.data());
    for (int j = 0; j < static_cast<int>(columns); ++j) solver.setInteger(j);
    solver.initialSolve();
    if (solver.isProvenPrimalInfeasible()) {
      return BinaryAnswer{.solution = std::nullopt, .complete = true, .iterations = 0};
    }
    CbcModel model(solver);
    model.setLogLevel(0);
    model.solver()->messageHandler()->setLogLevel(0);
    model.setMaximumNodes(static_cast<int>(std::min<int64_t>(options.max_nodes, 1'000'000'000)));
    model.setMaximumNumberIterations(static_cast<int>(std::min<int64_t>(options.max_iterations, 1'000'000'000)));
    model.setAllowableFractionGap(options.relative_gap);
    StopHandler handler(options.stop);
    model.passInEventHandler(&handler);
    if (options.cutoff < kInfinity) model.setCutoff(options.cutoff);
    Equip(model, options.few_cuts);
    model.branchAndBound();
    BinaryAnswer answer;
    answer.iterations = model.getIterationCount();
    answer.complete = model.status() == 0;  // searched to the end; else a limit or an event
    if (const double* best = model.bestSolution(); best != nullptr) {
      std::vector<uint8_t>& solution = answer.solution.emplace(columns);
      for (size_t j = 0; j < columns; ++j) solution[j] = best[j] > 0.5;
    }
    return answer;
  } catch (const CoinError&) {
    return absl::InternalError("integer program: the solver failed");
  }
}

}  // namespace sluis::disclosure::lp
