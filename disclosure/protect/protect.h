#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/bytes/secret.h"
#include "disclosure/optimise/optimise.h"
#include "disclosure/protect/joint.h"
#include "disclosure/release/evidence.h"
#include "disclosure/release/released_table.h"
#include "disclosure/release/summary.h"
#include "disclosure/rules/rules.h"
#include "disclosure/suppress/suppress.h"
#include "disclosure/table/build_system.h"
#include "disclosure/table/columns.h"
#include "disclosure/table/plan.h"

// From opened rows to tables that may leave: tabulate, apply the rules, suppress, and then let code that shares nothing
// with the engine try to break the result. What fails there is not released.

namespace sluis::disclosure {

// The reason (common::ReasonOf) of every refusal to release for lack of protection.
inline constexpr char kProtectionFailed[] = "PROTECTION_FAILED";

// What the release is about; becomes part of manifest, log entry and evidence. Nothing of it is interpreted here.
struct ReleaseDocuments {
  std::string permit_id;
  common::Hash256 permit_sha256{};
  std::string link_set;
  std::string software;                            // name and version, such as "sluis 0.1.0"
  std::string request;                             // exact bytes of the request document
  std::string rule_set_name;                       // the permit's name for it
  std::string rule_set;                            // exact bytes; `rules` was read from them
  std::map<std::string, std::string> attachments;  // of the permit, those that the plan was made with
};

struct ProtectInput {
  const TablePlan& plan;
  std::span<const RegisterColumns> registers;  // in the order of the permit
  const RuleSet& rules;
  const ReleaseDocuments& documents;
  // For methods that need draws (NeedsRecordKeys); else they may be absent. Of each register the keys of its rows, and
  // the gate's secret, which must not change as long as the rows are tabulated.
  std::span<const std::vector<std::uint64_t>> record_keys = {};
  const common::SecretBytes* draw_secret = nullptr;
  const LedgerInput* ledger = nullptr;  // what was released before; null: nothing, and nobody will ask
};

struct ProtectOptions {
  int threads = 2;                       // for tabulation, 1 .. 64
  std::int64_t max_cleanup_lps = 5'000;  // as SuppressOptions; more gives fewer secondary cells
  std::int64_t max_cleanup_iterations = 60'000;
  // As OptimiseOptions::max_steps: some seconds. Small tables are solved to the optimum within them.
  std::int64_t max_search_steps = 120'000;
  // Steps: "derive", "tabulate", "suppress", "clean up", "conceal", "search", "prove", "attack", in this order. Called
  // from the calling thread; may be empty.
  std::function<void(std::string_view step, std::int64_t done, std::int64_t total)> progress = {};
  const std::atomic<bool>* cancelled = nullptr;  // may be null
};

struct ProtectedRelease {
  std::vector<ReleasedTable> tables;
  std::vector<std::int32_t> population;  // of each table, as NumberPopulations
  Evidence evidence;                     // without released_sha256: see AddReleasedHashes in package.h
  RequesterSummary for_requester;
  AuditorSummary for_auditor;
  std::vector<LedgerTable> ledger;  // what the ledger is to keep, if ProtectInput had one
  std::int64_t cells = 0;           // of all tables together, as published
  std::int64_t suppressed = 0;      // of these, with at least one suppressed measure
  std::int64_t conceded = 0;        // values of suppressed cells that are published all the same: see README.md
  std::int64_t withheld = 0;        // values of perturbed measures that are not published: see README.md
  bool cleanup_complete = true;
};

// Returns the tables of `input.plan` in a form that has passed the second opinion (second_opinion.h).
//
// Errors (nothing is released; messages say nothing about cells):
//   INVALID_ARGUMENT     as DeriveColumns, TabulatePlan, BuildSystem and PerturbMeasures: request or rows are wrong
//   PERMISSION_DENIED    as CheckMethods
//   FAILED_PRECONDITION  with reason PROTECTION_FAILED: the tables cannot be protected, or the second opinion broke the
//                        pattern that the engine found; RELEASE_IN_THE_WAY naming an earlier release: they can, but not
//                        together with it and those before it; as JoinEarlier
//   CANCELLED            options.cancelled
//   OUT_OF_RANGE, RESOURCE_EXHAUSTED, INTERNAL  as the steps
// Deterministic in everything but options.threads, and in that too. Cost: README.md.
[[nodiscard]] absl::StatusOr<ProtectedRelease> Protect(const ProtectInput& input, const ProtectOptions& options);

// Returns the pattern and certificate of Optimise. Errors: as Suppress, but a system that cannot be protected is
// FAILED_PRECONDITION with reason PROTECTION_FAILED and a message for requesters, who must not learn how many cells it
// is.
[[nodiscard]] absl::StatusOr<SuppressionResult> FindPattern(const CellSystem& system, const ProtectOptions& options);

// Returns the pattern for `request` under which also the sums of suppressed cells obey rules.suppressed_sum: as long as
// one falls short, it becomes a cell that is protected (request.system then has further cells), and a new pattern is
// found. Without that rule: FindPattern. Errors: as FindPattern; PROTECTION_FAILED too if 50 rounds do not do.
[[nodiscard]] absl::StatusOr<SuppressionResult> FindPatternUnderRules(const RuleSet& rules, RequestSystem& request,
                                                                      const ProtectOptions& options);

// Returns the pattern for `request` joined with all that input.ledger has (JoinEarlier); request.system is then the
// joint system. Without ledger: FindPatternUnderRules. Errors: as both; RELEASE_IN_THE_WAY naming an earlier release if
// only with it, and those before it, nothing protects.
[[nodiscard]] absl::StatusOr<SuppressionResult> FindJointPattern(const ProtectInput& input, RequestSystem& request,
                                                                 const ProtectOptions& options);

// The second half of Protect: judges `pattern` and `certificate`, whoever made them, and makes the release. Errors: as
// Protect; INVALID_ARGUMENT also if the pattern has another length than the system has cells.
[[nodiscard]] absl::StatusOr<ProtectedRelease> ReleaseUnderPattern(const ProtectInput& input, RequestSystem request,
                                                                   const Pattern& pattern,
                                                                   const Certificate& certificate,
                                                                   const ProtectOptions& options);

struct DryRunResult {
  DryRunFigures figures;
  std::vector<std::string> refusals;  // why Protect would refuse; empty: it would release
};

// Returns what Protect would make of the request, without the second opinion and without making tables. Errors: as
// Protect, but that lack of protection is a refusal and no error.
[[nodiscard]] absl::StatusOr<DryRunResult> DryRun(const ProtectInput& input, const ProtectOptions& options);

}  // namespace sluis::disclosure
