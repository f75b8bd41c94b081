#include "cli/attack/judge.h"

#include <algorithm>
#include <utility>

#include "cli/tables/make_system.h"
#include "common/status/status.h"
#include "disclosure/rules/suppressed_sums.h"

namespace sluis::cli {
namespace {

using disclosure::AttackEffort;
using disclosure::AttackOptions;
using disclosure::PublishedTable;

AttackOptions ForStep(const JudgeOptions& options, const std::string& step) {
  AttackOptions attack;
  attack.cancelled = options.cancelled;
  attack.threads = options.threads;
  attack.known = options.known;
  if (options.progress) {
    attack.progress = [&options, step](std::int64_t done, std::int64_t total) { options.progress(step, done, total); };
  }
  return attack;
}

void Count(const AttackEffort& effort, Verdict& verdict) {
  verdict.linear_programs += effort.linear_programs;
  verdict.iterations += effort.iterations;
  verdict.components = std::max(verdict.components, effort.components);
  verdict.largest_component = std::max(verdict.largest_component, effort.largest_component);
}

absl::StatusOr<PublishedTable> ReadersView(const CellTable& table, std::span<const std::uint8_t> pattern) {
  PublishedTable published;
  published.relations = table.relations;
  published.published.resize(pattern.size());
  for (std::size_t i = 0; i < pattern.size(); ++i) published.published[i] = pattern[i] == 0;
  SLUIS_ASSIGN_OR_RETURN(published.value, PublishedValues(table, pattern));
  published.upper_bound.assign(pattern.size(), disclosure::kNoUpperBound);
  return published;
}

// Auxiliary sums are nobody's secret.
template <typename Items, typename CellOf>
void DropAuxiliary(const CellTable& table, Items& items, const CellOf& cell_of) {
  std::erase_if(items, [&](const auto& item) { return cell_of(item) >= table.num_named(); });
}

absl::Status FindIntervals(const CellTable& table, const PublishedTable& published, const JudgeOptions& options,
                           Verdict& verdict) {
  auto report = disclosure::FindIntervals(published, ForStep(options, "intervals"));
  if (!report.ok()) return NameCells(report.status(), table);
  Count(report->effort, verdict);
  verdict.intervals = std::move(report->intervals);
  DropAuxiliary(table, verdict.intervals, [](const auto& interval) { return interval.cell; });
  return absl::OkStatus();
}

}  // namespace

std::int64_t Verdict::CellsShort() const {
  std::int64_t cells = 0;
  for (std::size_t i = 0; i < shortfalls.size(); ++i) {
    if (i == 0 || shortfalls[i].cell != shortfalls[i - 1].cell) ++cells;
  }
  return cells;
}

absl::StatusOr<Verdict> JudgePublic(const CellTable& table, std::span<const std::uint8_t> pattern,
                                    const JudgeOptions& options) {
  Verdict verdict;
  verdict.suppressed = std::count(pattern.begin(), pattern.begin() + table.num_named(), 1);
  SLUIS_ASSIGN_OR_RETURN(const PublishedTable published, ReadersView(table, pattern));
  auto exact = disclosure::FindExact(published, ForStep(options, "recompute"));
  if (!exact.ok()) return NameCells(exact.status(), table);
  Count(exact->effort, verdict);
  verdict.exact = std::move(exact->exact_cells);
  DropAuxiliary(table, verdict.exact, [](std::int32_t cell) { return cell; });
  if (options.all_intervals) SLUIS_RETURN_IF_ERROR(FindIntervals(table, published, options, verdict));
  return verdict;
}

absl::StatusOr<Verdict> JudgeLevels(const CellTable& table, const disclosure::CellSystem& system,
                                    const disclosure::Pattern& pattern, const disclosure::Certificate* certificate,
                                    const JudgeOptions& options) {
  JudgeOptions exact_only = options;
  exact_only.all_intervals = false;
  SLUIS_ASSIGN_OR_RETURN(Verdict verdict, JudgePublic(table, pattern, exact_only));
  auto levels = disclosure::VerifyLevels(system, pattern, ForStep(options, "verify"));
  if (!levels.ok()) return NameCells(levels.status(), table);
  Count(levels->effort, verdict);
  verdict.with_levels = true;
  verdict.levels = levels->levels;
  verdict.shortfalls = std::move(levels->shortfalls);
  if (options.suppressed_sum) {
    std::vector<std::int64_t> contributors = table.contributors;
    contributors.resize(static_cast<std::size_t>(table.num_named()));
    SLUIS_ASSIGN_OR_RETURN(const std::vector<std::int64_t> relations,
                           disclosure::FindShortSums(table.relations, pattern, contributors, *options.suppressed_sum));
    for (const std::int64_t relation : relations) {
      verdict.short_sums.push_back(table.relations.total[static_cast<std::size_t>(relation)]);
    }
  }
  if (system.contributors.protects() && options.known.empty()) {
    auto report = disclosure::VerifyAgainstContributors(system, pattern, ForStep(options, "contributors"));
    if (!report.ok()) return NameCells(report.status(), table);
    verdict.against_contributors = true;
    verdict.coalitions = report->coalitions;
    verdict.all_coalitions = report->complete;
    verdict.contributor_shortfalls = std::move(report->shortfalls);
    verdict.linear_programs += report->effort.linear_programs;
    verdict.iterations += report->effort.iterations;
  }
  if (certificate != nullptr) {
    verdict.certificate = NameCells(disclosure::CheckCertificate(system, pattern, *certificate), table);
  }
  if (options.all_intervals) {
    SLUIS_RETURN_IF_ERROR(FindIntervals(table, disclosure::Publish(system, 0, pattern, true), options, verdict));
  }
  return verdict;
}

}  // namespace sluis::cli
