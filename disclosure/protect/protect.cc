#include "disclosure/protect/protect.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/protect/second_opinion.h"
#include "disclosure/release/make_release.h"
#include "disclosure/rules/suppressed_sums.h"
#include "disclosure/table/derive.h"

namespace sluis::disclosure {
namespace {

// For requesters: how many cells, and which, would tell them what the suppression hides.
constexpr char kUnprotectable[] =
    "the tables cannot be protected even if every cell that may be suppressed is: ask for fewer or coarser dimensions";

constexpr char kUnroundable[] =
    "the tables cannot be rounded so that they add up within the steps of the rule set, or its base is too small for "
    "their amounts: ask for fewer dimensions, or another method";

constexpr char kRoundingTells[] =
    "the rounded values of the tables together would tell a true one: ask for fewer tables, or another method";

absl::Status Refuse(std::string_view message) {
  return common::WithReason(absl::FailedPreconditionError(absl::string_view(message.data(), message.size())),
                            kProtectionFailed);
}

// The judgement of one part of the second opinion, without the details, which are for nobody outside.
absl::Status Judged(const absl::Status& status, const char* part) {
  if (status.ok() || absl::IsCancelled(status) || absl::IsInternal(status)) return status;
  return Refuse(absl::StrCat("the second opinion (", part, ") does not hold: nothing is released; report this fault"));
}

absl::Status CheckCancelled(const ProtectOptions& options) {
  if (options.cancelled != nullptr && options.cancelled->load()) return absl::CancelledError("cancelled");
  return absl::OkStatus();
}

absl::Status Step(const ProtectOptions& options, std::string_view step, std::int64_t done, std::int64_t total) {
  if (options.progress) options.progress(step, done, total);
  return CheckCancelled(options);
}

absl::StatusOr<std::vector<Cube>> MakeCubes(const ProtectInput& input, const ProtectOptions& options) {
  SLUIS_RETURN_IF_ERROR(CheckMethods(input.plan, input.rules));
  if (HasPrimaryRule(input.rules)) SLUIS_RETURN_IF_ERROR(ValidateRules(input.rules, TopNeeded(input.rules)));
  SLUIS_RETURN_IF_ERROR(Step(options, "derive", 0, 1));
  SLUIS_ASSIGN_OR_RETURN(const std::vector<DerivedColumn> columns,
                         DeriveColumns(input.plan.variables, input.registers));
  SLUIS_RETURN_IF_ERROR(Step(options, "tabulate", 0, 1));
  const TabulateOptions tabulate{.threads = options.threads, .top = TopNeeded(input.rules)};
  return TabulatePlan(
      input.plan, input.registers, columns, tabulate,
      NeedsRecordKeys(input.plan, input.rules) ? input.record_keys : std::span<const std::vector<std::uint64_t>>());
}

// Values by other methods than suppression, whoever asks: a requester is not told more than that it cannot be done.
absl::StatusOr<std::vector<PerturbedMeasure>> PerturbAll(const ProtectInput& input, const RequestSystem& request) {
  absl::StatusOr<std::vector<PerturbedMeasure>> perturbed =
      PerturbMeasures(input.plan, request, input.rules, input.draw_secret);
  if (absl::IsFailedPrecondition(perturbed.status())) return Refuse(kUnroundable);
  return perturbed;
}

// Withholds values of perturbed measures until none with the others tells a true value. `pinned`: cells of published
// tables that are told. Where a withheld one is told all the same, what adds up with it goes too.
// Precondition: each is of a measure in `perturbed`. Errors: FAILED_PRECONDITION if nothing is left to withhold.
absl::Status Withhold(const std::vector<ExactCell>& pinned, const RequestSystem& request,
                      std::vector<PerturbedMeasure>& perturbed) {
  for (const ExactCell& cell : pinned) {
    const auto own = std::find_if(perturbed.begin(), perturbed.end(), [&](const PerturbedMeasure& one) {
      return request.system.measures[static_cast<std::size_t>(one.measure)].name == cell.measure;
    });
    const std::int32_t told =
        request.cell_of[static_cast<std::size_t>(cell.table)][static_cast<std::size_t>(cell.cell)];
    if (own->withheld[static_cast<std::size_t>(told)] == 0) {
      own->withheld[static_cast<std::size_t>(told)] = 1;
      continue;
    }
    bool more = false;
    const Relations& relations = request.system.relations;
    for (std::int64_t r = 0; r < relations.size(); ++r) {
      const std::span<const std::int32_t> parts = relations.parts(r);
      const std::int32_t total = relations.total[static_cast<std::size_t>(r)];
      if (total != told && std::find(parts.begin(), parts.end(), told) == parts.end()) continue;
      const auto withhold = [&](std::int32_t other) {
        if (static_cast<std::size_t>(other) >= own->withheld.size()) return;
        more = more || own->withheld[static_cast<std::size_t>(other)] == 0;
        own->withheld[static_cast<std::size_t>(other)] = 1;
      };
      withhold(total);
      std::for_each(parts.begin(), parts.end(), withhold);
    }
    if (!more) return absl::FailedPreconditionError("a withheld value is told");
  }
  return absl::OkStatus();
}

OptimiseOptions ToOptimiseOptions(const ProtectOptions& options) {
  OptimiseOptions optimise;
  optimise.max_steps = options.max_search_steps;
  optimise.max_cleanup_lps = options.max_cleanup_lps;
  optimise.max_cleanup_iterations = options.max_cleanup_iterations;
  optimise.threads = options.threads;
  optimise.cancelled = options.cancelled;
  if (options.progress) {
    optimise.suppress_progress = [&options](SuppressPhase phase, std::int64_t done, std::int64_t total) {
      const char* step = phase == SuppressPhase::kConstruct ? "suppress"
                         : phase == SuppressPhase::kCleanup ? "clean up"
                                                            : "conceal";
      options.progress(step, done, total);
    };
    optimise.progress = [&options](const OptimiseProgress& progress) {
      options.progress("search", std::min(progress.steps, options.max_search_steps), options.max_search_steps);
    };
  }
  return optimise;
}

// Whether there is a pattern does not depend on how well it is cleaned up.
ProtectOptions Quick(ProtectOptions options) {
  options.max_cleanup_lps = 0;
  options.max_search_steps = 0;
  return options;
}

// Publishes the values in `exact` and returns where they are: values of suppressed cells that anyone can compute, in a
// measure in which they are not primary. To mark them as suppressed would promise what does not hold.
Concessions Concede(const std::vector<ExactCell>& exact, const RequestSystem& request,
                    std::vector<ReleasedTable>& tables) {
  const CellSystem& system = request.system;
  Concessions conceded(system.measures.size());
  for (const ExactCell& cell : exact) {
    const auto named = [&](const Measure& measure) { return measure.name == cell.measure; };
    const auto m = std::find_if(system.measures.begin(), system.measures.end(), named) - system.measures.begin();
    conceded[static_cast<std::size_t>(m)].push_back(
        request.cell_of[static_cast<std::size_t>(cell.table)][static_cast<std::size_t>(cell.cell)]);
  }
  for (std::size_t m = 0; m < conceded.size(); ++m) {
    std::vector<std::int32_t>& cells = conceded[m];
    std::sort(cells.begin(), cells.end());
    cells.erase(std::unique(cells.begin(), cells.end()), cells.end());
    for (std::size_t t = 0; t < tables.size(); ++t) {
      ReleasedTable& table = tables[t];
      for (std::size_t shown = 0; shown < table.measures.size(); ++shown) {
        if (table.measures[shown].name != system.measures[m].name) continue;
        for (std::size_t cell = 0; cell < request.cell_of[t].size(); ++cell) {
          const std::int32_t in_system = request.cell_of[t][cell];
          if (!std::binary_search(cells.begin(), cells.end(), in_system)) continue;
          table.values[cell * table.measures.size() + shown] =
              system.measures[m].value[static_cast<std::size_t>(in_system)];
        }
      }
    }
  }
  return conceded;
}

void CountSuppressed(ProtectedRelease& release) {
  for (const ReleasedTable& table : release.tables) {
    release.cells += table.Cells();
    const auto measures = static_cast<std::ptrdiff_t>(table.measures.size());
    for (auto cell = table.values.begin(); cell != table.values.end(); cell += measures) {
      release.suppressed += std::find(cell, cell + measures, std::nullopt) != cell + measures ? 1 : 0;
    }
  }
}

}  // namespace

absl::StatusOr<SuppressionResult> FindPattern(const CellSystem& system, const ProtectOptions& options) {
  absl::StatusOr<OptimiseResult> result = Optimise(system, ToOptimiseOptions(options));
  if (absl::IsFailedPrecondition(result.status())) return Refuse(kUnprotectable);
  SLUIS_RETURN_IF_ERROR(result.status());
  return std::move(result->suppression);
}

absl::StatusOr<SuppressionResult> FindPatternUnderRules(const RuleSet& rules, RequestSystem& request,
                                                        const ProtectOptions& options) {
  constexpr int kMaxRounds = 50;
  for (int round = 0; round < kMaxRounds; ++round) {
    SLUIS_ASSIGN_OR_RETURN(SuppressionResult found, FindPattern(request.system, options));
    SLUIS_ASSIGN_OR_RETURN(
        const std::vector<ShortSums> short_sums,
        FindShortSumsInViews(request.SuppressedViews(), request.system.relations, found.pattern, rules));
    if (short_sums.empty()) return found;
    for (const ShortSums& sums : short_sums) {
      SLUIS_RETURN_IF_ERROR(
          ProtectSums(sums.relations, found.pattern, sums.measure, sums.kind, *rules.suppressed_sum, request.system));
    }
    RaiseUpperBounds(request);
  }
  return Refuse(kUnprotectable);
}

absl::StatusOr<SuppressionResult> FindJointPattern(const ProtectInput& input, RequestSystem& request,
                                                   const ProtectOptions& options) {
  if (input.ledger == nullptr) return FindPatternUnderRules(input.rules, request, options);
  const std::vector<LedgerTable>& earlier = input.ledger->earlier.tables;
  const RequestSystem alone = request;
  const auto find = [&](std::size_t tables, RequestSystem& joint, const ProtectOptions& how) {
    joint = alone;
    const auto joined = JoinEarlier(*input.ledger, tables, input.rules, joint);
    if (!joined.ok()) return absl::StatusOr<SuppressionResult>(joined.status());
    return FindPatternUnderRules(input.rules, joint, how);
  };
  absl::StatusOr<SuppressionResult> found = find(earlier.size(), request, options);
  if (common::ReasonOf(found.status()) != kProtectionFailed || earlier.empty()) return found;
  // Which release is it? The last of the fewest with which it fails.
  std::size_t good = 0, bad = earlier.size();
  RequestSystem tried;
  if (common::ReasonOf(find(0, tried, Quick(options)).status()) == kProtectionFailed) return found;
  while (bad - good > 1) {
    const std::size_t middle = (good + bad) / 2;
    (common::ReasonOf(find(middle, tried, Quick(options)).status()) == kProtectionFailed ? bad : good) = middle;
    SLUIS_RETURN_IF_ERROR(CheckCancelled(options));
  }
  return common::WithReason(absl::FailedPreconditionError(absl::StrCat(
                                "the tables cannot be protected together with release ", earlier[bad - 1].release,
                                ", which is published: ask for fewer or coarser dimensions")),
                            kReleaseInTheWay);
}

absl::StatusOr<ProtectedRelease> ReleaseUnderPattern(const ProtectInput& input, RequestSystem request,
                                                     const Pattern& pattern, const Certificate& certificate,
                                                     const ProtectOptions& options) {
  const CellSystem& system = request.system;
  if (pattern.size() != static_cast<std::size_t>(system.num_cells)) {
    return absl::InvalidArgumentError("pattern: one entry a cell is expected");
  }
  SecondOpinionOptions attack{.progress = {}, .cancelled = options.cancelled};
  if (options.progress) {
    attack.progress = [&options](std::int64_t done, std::int64_t total) { options.progress("attack", done, total); };
  }
  SLUIS_RETURN_IF_ERROR(Step(options, "prove", 0, 1));
  const Concessions none(system.measures.size());
  SLUIS_RETURN_IF_ERROR(Judged(ProveProtection(system, pattern, none, certificate), "certificate"));
  SLUIS_RETURN_IF_ERROR(Judged(AttackLevels(system, pattern, none, attack), "attack on the protection levels"));
  const auto short_sums = FindShortSumsInViews(request.SuppressedViews(), system.relations, pattern, input.rules);
  SLUIS_RETURN_IF_ERROR(short_sums.status());
  if (!short_sums->empty()) return Judged(absl::FailedPreconditionError("sums"), "sums of suppressed cells");

  ProtectedRelease release;
  release.population = NumberPopulations(input.plan);
  SLUIS_ASSIGN_OR_RETURN(std::vector<PerturbedMeasure> perturbed, PerturbAll(input, request));
  PublicMethods methods;
  for (const PerturbedMeasure& own : perturbed) {
    methods[system.measures[static_cast<std::size_t>(own.measure)].name] = {
        .method = input.rules.methods.at(own.method), .steps = own.values.steps};
  }
  std::vector<ExactCell> suppressed;
  do {
    absl::StatusOr<std::vector<ReleasedTable>> tables =
        MakeReleasedTables(input.plan, request, pattern, perturbed, input.rules);
    SLUIS_RETURN_IF_ERROR(Judged(tables.status(), "primary cells in sight"));
    release.tables = *std::move(tables);
    absl::StatusOr<std::vector<ExactCell>> told = FindExactCells(release.tables, release.population, attack, methods);
    SLUIS_RETURN_IF_ERROR(Judged(told.status(), "attack on the published bytes"));
    const auto first_perturbed = std::stable_partition(
        told->begin(), told->end(), [&](const ExactCell& cell) { return !methods.contains(cell.measure); });
    suppressed.assign(told->begin(), first_perturbed);
    told->erase(told->begin(), first_perturbed);
    if (told->empty()) break;
    // What is left out of a table that adds up is the rest of its sum.
    if (std::any_of(told->begin(), told->end(),
                    [&](const ExactCell& cell) { return AddsUp(methods.at(cell.measure).method); })) {
      return Refuse(kRoundingTells);
    }
    SLUIS_RETURN_IF_ERROR(Judged(Withhold(*told, request, perturbed), "attack on perturbed values"));
  } while (true);
  for (const PerturbedMeasure& own : perturbed) {
    release.withheld += std::count(own.withheld.begin(), own.withheld.end(), 1);
  }
  absl::StatusOr<std::vector<ExactCell>> exact = std::move(suppressed);
  if (!exact->empty()) {
    const Concessions conceded = Concede(*exact, request, release.tables);
    for (const std::vector<std::int32_t>& cells : conceded) release.conceded += static_cast<std::int64_t>(cells.size());
    SLUIS_RETURN_IF_ERROR(Judged(ProveProtection(system, pattern, conceded, certificate), "values anyone can compute"));
    SLUIS_RETURN_IF_ERROR(
        Judged(AttackLevels(system, pattern, conceded, attack), "attack with the values anyone can compute"));
    exact = FindExactCells(release.tables, release.population, attack, methods);
    SLUIS_RETURN_IF_ERROR(Judged(exact.status(), "attack on the published bytes"));
    if (!exact->empty()) return Judged(absl::FailedPreconditionError("exact"), "cells that can be recomputed");
  }
  release.for_requester = SummariseForRequester(release.tables);
  release.for_auditor = SummariseForAuditor(system, pattern, input.rules);
  CountSuppressed(release);

  if (input.ledger != nullptr) {
    release.ledger = ReleasedLedgerTables(input.ledger->request, request, release.tables, input.plan.request_id);
  }
  release.evidence = MakeEvidence(input.plan, std::move(request), pattern, std::move(perturbed));
  const ReleaseDocuments& documents = input.documents;
  Evidence& evidence = release.evidence;
  evidence.request_id = input.plan.request_id;
  evidence.permit_id = documents.permit_id;
  evidence.link_set = documents.link_set;
  evidence.software = documents.software;
  evidence.permit_sha256 = documents.permit_sha256;
  evidence.request = documents.request;
  evidence.rule_set = documents.rule_set;
  evidence.attachments = documents.attachments;
  const std::vector<std::byte> bytes = EncodeCertificate(certificate);
  evidence.certificate.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return release;
}

absl::StatusOr<ProtectedRelease> Protect(const ProtectInput& input, const ProtectOptions& options) {
  SLUIS_ASSIGN_OR_RETURN(const std::vector<Cube> cubes, MakeCubes(input, options));
  SLUIS_ASSIGN_OR_RETURN(RequestSystem request, BuildSystem(input.plan, cubes, input.rules));
  SLUIS_RETURN_IF_ERROR(CheckCancelled(options));
  SLUIS_ASSIGN_OR_RETURN(const SuppressionResult found, FindJointPattern(input, request, options));
  SLUIS_ASSIGN_OR_RETURN(ProtectedRelease release,
                         ReleaseUnderPattern(input, std::move(request), found.pattern, found.certificate, options));
  release.cleanup_complete = found.cleanup_complete;
  return release;
}

absl::StatusOr<DryRunResult> DryRun(const ProtectInput& input, const ProtectOptions& options) {
  SLUIS_ASSIGN_OR_RETURN(const std::vector<Cube> cubes, MakeCubes(input, options));
  DryRunResult result{.figures = SummariseDryRun(input.plan, cubes), .refusals = {}};
  SLUIS_ASSIGN_OR_RETURN(RequestSystem request, BuildSystem(input.plan, cubes, input.rules));
  const absl::StatusOr<std::vector<PerturbedMeasure>> perturbed = PerturbAll(input, request);
  if (absl::IsFailedPrecondition(perturbed.status())) {
    result.refusals.emplace_back(kUnroundable);
  } else if (!perturbed.ok()) {
    return perturbed.status();
  }
  const absl::StatusOr<SuppressionResult> found = FindJointPattern(input, request, Quick(options));
  if (absl::IsFailedPrecondition(found.status())) {
    result.refusals.emplace_back(found.status().message());
  } else if (!found.ok()) {
    return found.status();
  }
  return result;
}

}  // namespace sluis::disclosure
