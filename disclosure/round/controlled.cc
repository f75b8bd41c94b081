#include "disclosure/round/controlled.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/add_up/add_up.h"
#include "disclosure/lp/mip.h"
#include "disclosure/round/leaf_rounding.h"
#include "disclosure/round/rounding_program.h"

namespace sluis::disclosure {
namespace {

absl::Status CheckInput(const Relations& relations, std::span<const int64_t> values,
                        const ControlledRoundingOptions& options) {
  if (options.base < 2 || options.base > int64_t{1} << 40) {
    return absl::InvalidArgumentError("rounding: a base of 2 .. 2^40 is expected");
  }
  if (options.max_steps < 0 || options.max_steps > 8) {
    return absl::InvalidArgumentError("rounding: max_steps of 0 .. 8 is expected");
  }
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] < 0 || values[i] > kMaxAmount) {
      return absl::InvalidArgumentError(absl::StrCat("cell ", i, ": a value of 0 .. 2^50 is expected"));
    }
  }
  const int64_t broken = FirstBrokenRelation(relations, values);
  if (broken >= 0) return absl::InvalidArgumentError(absl::StrCat("relation ", broken, " does not add up"));
  return absl::OkStatus();
}

// Returns `solution` as whole numbers, if every entry is one to within 1e-6.
std::optional<std::vector<uint8_t>> AsWhole(std::span<const double> solution) {
  std::vector<uint8_t> result;
  result.reserve(solution.size());
  for (const double x : solution) {
    if (std::abs(x - std::round(x)) > 1e-6 || x < -0.5 || x > 1.5) return std::nullopt;
    result.push_back(x > 0.5 ? 1 : 0);
  }
  return result;
}

// Looks for a rounding with `steps` and a smaller total distance than `best` (if that keeps the steps), and puts it
// there.
class ProgramSearch {
 public:
  ProgramSearch(const Relations& relations, std::span<const int64_t> values, const LeafRounding& leaves,
                const ControlledRoundingOptions& options)
      : relations_(relations), values_(values), leaves_(leaves), options_(options) {}

  absl::Status Run(int32_t steps, ControlledRounding& best) const {
    const RoundingProgram program(relations_, values_, options_.base, steps);
    const auto solver = lp::MakeSolver({.max_iterations = options_.max_iterations});
    SLUIS_RETURN_IF_ERROR(solver->Load(program.problem()));
    if (solver->SolveFromSlack() != lp::Outcome::kOptimal) return absl::OkStatus();
    double objective = static_cast<double>(program.constant());
    for (size_t j = 0; j < solver->Solution().size(); ++j) {
      objective += program.problem().objective[j] * solver->Solution()[j];
    }
    const int64_t bound = static_cast<int64_t>(std::ceil(objective - 1e-3));
    if (const auto whole = AsWhole(solver->Solution()); whole.has_value()) {
      SLUIS_RETURN_IF_ERROR(Keep(program.Values(*whole), RoundingMethod::kLinearProgram, steps, best));
    } else {
      const std::vector<uint8_t> up = program.CellsUp(solver->Solution());
      SLUIS_RETURN_IF_ERROR(
          Keep(leaves_.From(up, options_.max_evaluations), RoundingMethod::kLeavesOfProgram, steps, best));
      SLUIS_RETURN_IF_ERROR(SearchTree(program, steps, bound, best));
    }
    if (!Within(best, steps)) return absl::OkStatus();
    best.steps = steps;
    best.distance_bound = bound;
    best.optimal = best.optimal || best.facts.total_distance <= bound;
    return absl::OkStatus();
  }

  static bool Within(const ControlledRounding& rounding, int32_t steps) {
    return rounding.facts.additive && rounding.facts.max_steps <= steps;
  }

 private:
  // Puts `value` in the place of `best` if it is a rounding, to the last unit, and better.
  absl::Status Keep(std::vector<int64_t> value, RoundingMethod method, int32_t steps, ControlledRounding& best) const {
    ControlledRounding found{.value = std::move(value), .method = method, .facts = {}};
    SLUIS_ASSIGN_OR_RETURN(found.facts, CheckRounding(relations_, values_, options_.base, found.value));
    if (!found.facts.multiples || !Within(found, steps)) return absl::OkStatus();
    if (Within(best, steps) && best.facts.total_distance <= found.facts.total_distance) return absl::OkStatus();
    best = std::move(found);
    return absl::OkStatus();
  }

  absl::Status SearchTree(const RoundingProgram& program, int32_t steps, int64_t bound,
                          ControlledRounding& best) const {
    const bool within = Within(best, steps);
    if (static_cast<int64_t>(values_.size()) > options_.max_search_cells ||
        (within && best.facts.total_distance <= bound)) {
      return absl::OkStatus();
    }
    lp::BinaryOptions search;
    search.max_nodes = options_.max_nodes;
    if (within) {
      search.cutoff = static_cast<double>(static_cast<int64_t>(best.facts.total_distance) - program.constant()) - 0.5;
    }
    SLUIS_ASSIGN_OR_RETURN(const lp::BinaryAnswer answer, lp::SolveBinary(program.problem(), search));
    if (answer.solution.has_value()) {
      SLUIS_RETURN_IF_ERROR(Keep(program.Values(*answer.solution), RoundingMethod::kSearch, steps, best));
    }
    best.optimal = answer.complete && Within(best, steps);
    return absl::OkStatus();
  }

  const Relations& relations_;
  std::span<const int64_t> values_;
  const LeafRounding& leaves_;
  const ControlledRoundingOptions& options_;
};

}  // namespace

ControlledRoundingOptions DefaultRounding(int64_t base) {
  return {.base = base,
          .max_steps = 2,
          .max_program_cells = 10'000,
          .max_search_cells = 400,
          .max_iterations = 50'000,
          .max_nodes = 200,
          .max_evaluations = 4'000'000};
}

absl::StatusOr<ControlledRounding> RoundControlled(const Relations& relations, std::span<const int64_t> values,
                                                   const ControlledRoundingOptions& options) {
  // First of all that cells are in range and not defined by each other, which CheckInput takes for granted.
  SLUIS_RETURN_IF_ERROR(OrderFromLeaves(relations, static_cast<int32_t>(values.size())).status());
  SLUIS_RETURN_IF_ERROR(CheckInput(relations, values, options));
  SLUIS_ASSIGN_OR_RETURN(const LeafRounding leaves, LeafRounding::Create(relations, values, options.base));
  ControlledRounding best;
  best.value = leaves.FromNothing(options.max_evaluations);
  SLUIS_ASSIGN_OR_RETURN(best.facts, CheckRounding(relations, values, options.base, best.value));
  best.steps = static_cast<int32_t>(std::min<int64_t>(best.facts.max_steps, INT32_MAX));
  if (static_cast<int64_t>(values.size()) <= options.max_program_cells) {
    const ProgramSearch search(relations, values, leaves, options);
    for (int32_t steps = 0; steps <= options.max_steps; ++steps) {
      // Programs with more steps are larger and seldom better: they are for small tables, and for those that the leaves
      // cannot make additive.
      const bool enough = ProgramSearch::Within(best, steps) ||
                          (best.facts.additive && static_cast<int64_t>(values.size()) > options.max_search_cells);
      if (steps > 0 && enough) return best;
      SLUIS_RETURN_IF_ERROR(search.Run(steps, best));
      if (ProgramSearch::Within(best, steps)) return best;
    }
  }
  if (!best.facts.additive) {
    return absl::FailedPreconditionError(
        "rounding: no additive table was found; allow more steps, or round tables that share totals separately");
  }
  return best;
}

}  // namespace sluis::disclosure
