#include <ClpEventHandler.hpp>
#include <ClpSimplex.hpp>
#include <CoinError.hpp>
#include <CoinPackedMatrix.hpp>
#include <algorithm>
#include <utility>

#include "disclosure/lp/lp.h"

namespace sluis::disclosure::lp {
namespace {

static_assert(sizeof(CoinBigIndex) == sizeof(int), "Debian's Clp indexes matrix entries by int");

// Ends the solve at hand when asked to. Clp copies it into each model that it makes of one.
class StopHandler final : public ClpEventHandler {
 public:
  explicit StopHandler(std::function<bool()> stop) : stop_(std::move(stop)) {}
  ClpEventHandler* clone() const override { return new StopHandler(*this); }
  int event(Event what) override {
    if (what != endOfIteration || ++iterations_ % kIterationsPerLook != 0) return kGoOn;
    return stop_() ? kEnd : kGoOn;
  }

 private:
  static constexpr int kGoOn = -1;
  static constexpr int kEnd = 0;
  static constexpr int64_t kIterationsPerLook = 16;

  std::function<bool()> stop_;
  int64_t iterations_ = 0;
};

class ClpSolver final : public Solver {
 public:
  explicit ClpSolver(const SolverOptions& options) {
    model_.setLogLevel(0);
    model_.messageHandler()->setLogLevel(0);
    // 100, off: vertices stay at exact bounds. 50: Clp perturbs where it finds that it pays; its random numbers start
    // from the same seed in every object.
    model_.setPerturbation(options.perturb ? 50 : 100);
    model_.scaling(0);  // coefficients are 1 or -1, or near them
    model_.setMaximumIterations(options.max_iterations);
    if (!options.stop) return;
    const StopHandler handler(options.stop);
    model_.passInEventHandler(&handler);
  }

  absl::Status Load(const Problem& problem) override {
    const size_t columns = problem.column_lower.size();
    const size_t entries = problem.row.size();
    if (problem.begin.size() != columns + 1 || problem.column_upper.size() != columns ||
        problem.objective.size() != columns || problem.coefficient.size() != entries ||
        problem.row_lower.size() != static_cast<size_t>(problem.num_rows) ||
        problem.row_upper.size() != static_cast<size_t>(problem.num_rows) ||
        problem.begin.back() != static_cast<int64_t>(entries) ||
        entries > static_cast<size_t>(std::numeric_limits<int>::max()) ||
        !std::is_sorted(problem.begin.begin(), problem.begin.end()) || problem.begin.front() != 0 ||
        std::any_of(problem.row.begin(), problem.row.end(),
                    [&](int32_t r) { return r < 0 || r >= problem.num_rows; })) {
      return absl::InvalidArgumentError("linear program: the vectors do not fit together");
    }
    const std::vector<CoinBigIndex> begin(problem.begin.begin(), problem.begin.end());
    try {
      model_.loadProblem(static_cast<int>(columns), problem.num_rows, begin.data(), problem.row.data(),
                         problem.coefficient.data(), problem.column_lower.data(), problem.column_upper.data(),
                         problem.objective.data(), problem.row_lower.data(), problem.row_upper.data());
      model_.allSlackBasis(true);
    } catch (const CoinError&) {
      return absl::InternalError("linear program: the solver refused the problem");
    }
    return absl::OkStatus();
  }

  void SetColumnBounds(int32_t column, double lower, double upper) override {
    model_.setColumnBounds(column, lower, upper);
  }
  void SetObjective(int32_t column, double coefficient) override {
    model_.setObjectiveCoefficient(column, coefficient);
  }
  void SetAllColumnBounds(std::span<const double> lower, std::span<const double> upper) override {
    std::copy(lower.begin(), lower.end(), model_.columnLower());
    std::copy(upper.begin(), upper.end(), model_.columnUpper());
    model_.setWhatsChanged(0);
  }
  void SetAllObjectives(std::span<const double> coefficients) override {
    std::copy(coefficients.begin(), coefficients.end(), model_.objective());
    model_.setWhatsChanged(0);
  }

  absl::Status AddRows(const Rows& rows) override {
    const size_t entries = rows.column.size();
    if (rows.begin.size() != rows.lower.size() + 1 || rows.upper.size() != rows.lower.size() ||
        rows.coefficient.size() != entries || rows.begin.front() != 0 ||
        rows.begin.back() != static_cast<int64_t>(entries) || !std::is_sorted(rows.begin.begin(), rows.begin.end()) ||
        entries > static_cast<size_t>(std::numeric_limits<int>::max()) ||
        std::any_of(rows.column.begin(), rows.column.end(),
                    [&](int32_t c) { return c < 0 || c >= model_.numberColumns(); })) {
      return absl::InvalidArgumentError("linear program: the vectors of new rows do not fit together");
    }
    const std::vector<CoinBigIndex> begin(rows.begin.begin(), rows.begin.end());
    try {
      model_.addRows(rows.size(), rows.lower.data(), rows.upper.data(), begin.data(), rows.column.data(),
                     rows.coefficient.data());
    } catch (const CoinError&) {
      return absl::InternalError("linear program: the solver refused the new rows");
    }
    return absl::OkStatus();
  }
  void DeleteRows(std::span<const int32_t> rows) override {
    model_.deleteRows(static_cast<int>(rows.size()), rows.data());
  }

  Outcome SolveFromSlack() override {
    return Run([this] {
      model_.allSlackBasis(true);
      model_.dual();
    });
  }
  Outcome SolveWarm() override {
    return Run([this] { model_.primal(); });
  }
  Outcome SolveDual() override {
    return Run([this] { model_.dual(); });
  }

  std::span<const double> Solution() const override {
    return {model_.primalColumnSolution(), static_cast<size_t>(model_.numberColumns())};
  }
  ColumnStatus StatusOf(int32_t column) const override {
    switch (model_.getColumnStatus(column)) {
      case ClpSimplex::atUpperBound:
        return ColumnStatus::kAtUpper;
      case ClpSimplex::atLowerBound:
      case ClpSimplex::isFixed:
        return ColumnStatus::kAtLower;
      default:
        return ColumnStatus::kBasic;
    }
  }
  std::span<const double> RowDuals() const override {
    return {model_.dualRowSolution(), static_cast<size_t>(model_.numberRows())};
  }
  int64_t Iterations() const override { return model_.numberIterations(); }

 private:
  template <typename Step>
  Outcome Run(Step step) {
    try {
      step();
    } catch (const CoinError&) {
      return Outcome::kFailed;
    }
    switch (model_.status()) {
      case 0:
        return Outcome::kOptimal;
      case 1:
        return Outcome::kInfeasible;
      case 2:
        return Outcome::kUnbounded;
      default:
        return Outcome::kFailed;
    }
  }

  ClpSimplex model_;
};

}  // namespace

std::unique_ptr<Solver> MakeSolver(const SolverOptions& options) { return std::make_unique<ClpSolver>(options); }

}  // namespace sluis::disclosure::lp
