#pragma once

#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "linker/fuzzy/match_records.h"

namespace sluis::linker {

// The records of one source that take part in a comparison.
struct CompareSide {
  const MatchSource* source = nullptr;
  std::vector<bool> left_out;  // by record; empty: none is
};

struct CompareResult {
  ComparisonReport report;
  std::vector<ScoredPair> pairs;  // of records, not rows
};

// Compares two sources, or one within itself (`b` null), as step 2 of MatchRecords says. `repeats`: a record may have
// more than one match. Errors: as MatchRecords.
[[nodiscard]] absl::StatusOr<CompareResult> Compare(const CompareSide& a, const CompareSide* b, bool repeats,
                                                    const MatchPlan& plan, const MatchOptions& options,
                                                    std::uint64_t seed);

// Returns the candidates between `a` and `b`, or within `a` if `b` is null, by the plan's limits;
// `tokens`: passes beside those over the encodings.
[[nodiscard]] absl::StatusOr<Candidates> Block(const EncodingTable& a, const EncodingTable* b, const MatchPlan& plan,
                                               const MatchOptions& options, std::uint64_t seed,
                                               std::span<const TokenPass> tokens = {});

// Enters into `report` what blocking compared, and which share of the matches it reached.
void ReportBlocking(const CandidateStats& stats, ComparisonReport& report);

}  // namespace sluis::linker
