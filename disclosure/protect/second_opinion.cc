#include "disclosure/protect/second_opinion.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/attack/attack.h"
#include "disclosure/release/public_system.h"

namespace sluis::disclosure {
namespace {

absl::Status CheckConcessions(const CellSystem& system, const Pattern& pattern, const Concessions& conceded) {
  if (conceded.size() != system.measures.size() || pattern.size() != static_cast<std::size_t>(system.num_cells)) {
    return absl::InvalidArgumentError("concessions: a list for each measure and a pattern of all cells are expected");
  }
  for (std::size_t m = 0; m < conceded.size(); ++m) {
    std::int32_t last = -1;
    for (const std::int32_t cell : conceded[m]) {
      if (cell <= last || cell >= system.num_cells || pattern[static_cast<std::size_t>(cell)] == 0) {
        return absl::InvalidArgumentError(
            absl::StrCat("concessions: measure ", m, ": ascending suppressed cells are expected"));
      }
      last = cell;
      if (system.IsPrimary(static_cast<std::int32_t>(m), cell)) {
        return absl::FailedPreconditionError(absl::StrCat("measure ", m, ", cell ", cell, ": primary, and published"));
      }
    }
  }
  return absl::OkStatus();
}

AttackOptions ToAttackOptions(const SecondOpinionOptions& options) {
  return {.progress = options.progress, .cancelled = options.cancelled};
}

absl::StatusOr<std::vector<std::int32_t>> ExactCellsOf(const PublicMeasure& measure, const PublicMethods& methods,
                                                       const SecondOpinionOptions& options) {
  if (const auto found = methods.find(measure.name); found != methods.end()) {
    return FindPinned(measure.table, found->second.method, found->second.steps, ToAttackOptions(options));
  }
  SLUIS_ASSIGN_OR_RETURN(ExactReport report, FindExact(measure.table, ToAttackOptions(options)));
  return std::move(report.exact_cells);
}

// How many steps the text of a controlled rounding tells of; nothing if it is not the text of `method`.
std::optional<std::int32_t> StepsOf(const std::string& text, const ProtectionMethod& method) {
  const auto* rounding = std::get_if<ControlledRoundingMethod>(&method);
  const std::int32_t most = rounding == nullptr ? 0 : rounding->max_steps;
  for (std::int32_t steps = 0; steps <= most; ++steps) {
    if (text == DescribeMethod(method, steps)) return steps;
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<PublicMethods> ReadMethods(std::span<const ReleasedTable> tables,
                                          const std::map<std::string, ProtectionMethod>& methods) {
  PublicMethods result;
  for (const ReleasedTable& table : tables) {
    for (const ReleasedMeasure& measure : table.measures) {
      const auto due = methods.find(measure.name);
      if (due == methods.end() && measure.method.empty()) continue;
      const auto steps = due == methods.end() ? std::nullopt : StepsOf(measure.method, due->second);
      if (!steps || (result.contains(measure.name) && result.at(measure.name).steps != *steps)) {
        return absl::FailedPreconditionError("table " + table.name + ", measure " + measure.name +
                                             ": not the method that was asked for");
      }
      result[measure.name] = {.method = due->second, .steps = *steps};
    }
  }
  return result;
}

absl::Status ProveProtection(const CellSystem& system, const Pattern& pattern, const Concessions& conceded,
                             const Certificate& certificate) {
  SLUIS_RETURN_IF_ERROR(CheckConcessions(system, pattern, conceded));
  SLUIS_RETURN_IF_ERROR(CheckCertificate(system, pattern, certificate));
  for (std::size_t d = 0; d < certificate.deviations.size(); ++d) {
    const Deviation& deviation = certificate.deviations[d];
    const std::vector<std::int32_t>& fixed = conceded[static_cast<std::size_t>(deviation.measure)];
    for (const std::int32_t cell : deviation.cell) {
      if (std::binary_search(fixed.begin(), fixed.end(), cell)) {
        return absl::FailedPreconditionError(
            absl::StrCat("deviation ", d, ": moves cell ", cell, ", whose value is published"));
      }
    }
  }
  return absl::OkStatus();
}

absl::Status AttackLevels(const CellSystem& system, const Pattern& pattern, const Concessions& conceded,
                          const SecondOpinionOptions& options) {
  SLUIS_RETURN_IF_ERROR(CheckConcessions(system, pattern, conceded));
  // One measure at a time, because what is conceded differs between them.
  CellSystem one{.num_cells = system.num_cells,
                 .relations = system.relations,
                 .suppressible = system.suppressible,
                 .cost = system.cost,
                 .measures = {}};
  for (std::size_t m = 0; m < system.measures.size(); ++m) {
    one.measures = {system.measures[m]};
    Pattern hidden = pattern;
    for (const std::int32_t cell : conceded[m]) hidden[static_cast<std::size_t>(cell)] = 0;
    SLUIS_ASSIGN_OR_RETURN(const LevelReport report, VerifyLevels(one, hidden, ToAttackOptions(options)));
    if (!report.shortfalls.empty()) {
      return absl::FailedPreconditionError(
          absl::StrCat("measure ", system.measures[m].name, ": ", report.shortfalls.size(), " of ", report.levels,
                       " protection levels fall short, the first at cell ", report.shortfalls.front().cell));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ExactCell>> FindExactCells(std::span<const ReleasedTable> tables,
                                                      std::span<const std::int32_t> population,
                                                      const SecondOpinionOptions& options,
                                                      const PublicMethods& methods) {
  SLUIS_ASSIGN_OR_RETURN(const std::vector<PublicMeasure> measures, BuildPublicSystem(tables, population));
  std::vector<ExactCell> exact;
  for (const PublicMeasure& measure : measures) {
    const absl::StatusOr<std::vector<std::int32_t>> cells = ExactCellsOf(measure, methods, options);
    if (!cells.ok()) return common::Annotate(cells.status(), "measure " + measure.name);
    for (const std::int32_t cell : *cells) {
      const auto c = static_cast<std::size_t>(cell);
      exact.push_back({.table = measure.shown_in[c], .cell = measure.cell_there[c], .measure = measure.name});
    }
  }
  return exact;
}

}  // namespace sluis::disclosure
