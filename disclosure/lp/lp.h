#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"

// Linear programs behind one small interface, so that no other folder knows which solver is used.

namespace sluis::disclosure::lp {

inline constexpr double kInfinity = std::numeric_limits<double>::max();

// minimise objective * x  subject to  row_lower <= A x <= row_upper,  column_lower <= x <= column_upper.
// A by columns: column j has the entries row[begin[j] .. begin[j + 1]) and coefficient[...].
struct Problem {
  int32_t num_rows = 0;
  std::vector<int64_t> begin = {0};  // one more than there are columns
  std::vector<int32_t> row;
  std::vector<double> coefficient;
  std::vector<double> column_lower;
  std::vector<double> column_upper;
  std::vector<double> objective;
  std::vector<double> row_lower;
  std::vector<double> row_upper;
};

enum class Outcome {
  kOptimal,
  kInfeasible,
  kUnbounded,
  kFailed,  // iteration limit, stopped, or numerical trouble: nothing follows from the solution
};

// Where a column stands at the end of a solve. A column that is not basic stands exactly at the bound named.
enum class ColumnStatus { kBasic, kAtLower, kAtUpper };

struct SolverOptions {
  int32_t max_iterations = 1'000'000;  // per solve: beyond it the outcome is kFailed
  // Lets the solver perturb costs while it works, which covering programs with many equal vertices need. The solution
  // then stands at its bounds to about 1e-7 only.
  bool perturb = false;
  // Asked after every few iterations; once it answers true, the solve at hand ends with kFailed. May be empty.
  std::function<bool()> stop = {};
};

// Rows to be added, one after the other: row i has the entries column[begin[i] .. begin[i + 1]).
struct Rows {
  std::vector<int64_t> begin = {0};  // one more than there are rows
  std::vector<int32_t> column;
  std::vector<double> coefficient;
  std::vector<double> lower;
  std::vector<double> upper;

  [[nodiscard]] int32_t size() const { return static_cast<int32_t>(lower.size()); }
};

// One linear program that is solved many times with changed bounds and objective. Not thread-safe; two objects are
// independent. Deterministic: the same calls give the same solutions. Nothing is printed.
class Solver {
 public:
  virtual ~Solver() = default;

  // Errors: INVALID_ARGUMENT if the vectors of `problem` do not fit together.
  [[nodiscard]] virtual absl::Status Load(const Problem& problem) = 0;

  // Precondition of all below: Load has succeeded, and `column` is in range.
  virtual void SetColumnBounds(int32_t column, double lower, double upper) = 0;
  virtual void SetObjective(int32_t column, double coefficient) = 0;
  // All columns at once; one entry per column.
  virtual void SetAllColumnBounds(std::span<const double> lower, std::span<const double> upper) = 0;
  virtual void SetAllObjectives(std::span<const double> coefficients) = 0;

  // Adds `rows` below those there are; the basis stays, each new row with its slack in it.
  // Errors: INVALID_ARGUMENT if the vectors do not fit together.
  [[nodiscard]] virtual absl::Status AddRows(const Rows& rows) = 0;
  // Removes rows; those below move up. Precondition: ascending, each in range.
  virtual void DeleteRows(std::span<const int32_t> rows) = 0;

  // The dual simplex method from the slack basis: short where few columns leave their bounds.
  virtual Outcome SolveFromSlack() = 0;
  // The primal simplex method from the last basis: short after a change of objective.
  virtual Outcome SolveWarm() = 0;
  // The dual simplex method from the last basis: short after rows were added or bounds have changed.
  virtual Outcome SolveDual() = 0;

  // The solution of the last solve: one entry per column; valid until the next call.
  [[nodiscard]] virtual std::span<const double> Solution() const = 0;
  [[nodiscard]] virtual ColumnStatus StatusOf(int32_t column) const = 0;
  // The multiplier of each row at the last solve: objective - A^T multipliers is the reduced cost of each column, which
  // is >= 0 at a lower and <= 0 at an upper bound. Valid until the next call.
  [[nodiscard]] virtual std::span<const double> RowDuals() const = 0;
  // Simplex iterations of the last solve.
  [[nodiscard]] virtual int64_t Iterations() const = 0;
};

// Returns a solver that is backed by Clp (COIN-OR).
[[nodiscard]] std::unique_ptr<Solver> MakeSolver(const SolverOptions& options = {});

}  // namespace sluis::disclosure::lp
