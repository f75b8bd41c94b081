#include "linker/cluster/assignment.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "linker/cluster/log_odds.h"
#include "linker/cluster/matching.h"

namespace sluis::linker {
namespace {

absl::Status Validate(std::uint32_t rows_a, std::uint32_t rows_b, std::span<const ScoredPair> pairs,
                      const AssignmentOptions& options) {
  constexpr std::uint64_t kLimit = std::numeric_limits<std::uint32_t>::max();
  if (std::uint64_t{rows_a} + rows_b >= kLimit || pairs.size() >= kLimit) {
    return absl::InvalidArgumentError("an assignment is limited to 2^32 - 2 rows and as many pairs: split the input");
  }
  if (!IsUsable(options.threshold)) {
    return absl::InvalidArgumentError("threshold: must be a number within +-1,000,000");
  }
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (pairs[i].a >= rows_a || pairs[i].b >= rows_b) {
      return absl::InvalidArgumentError(absl::StrCat("pair ", i, ": row out of range of its source"));
    }
    if (!IsUsable(pairs[i].log_odds)) {
      return absl::InvalidArgumentError(
          absl::StrCat("pair ", i, ": log odds must be a number within +-1,000,000; NaN is not"));
    }
  }
  return absl::OkStatus();
}

// Positions of the pairs above the threshold, ascending by (a, b); of equal pairs only the one with the largest log
// odds.
std::vector<std::uint32_t> UsefulPairs(std::span<const ScoredPair> pairs, std::int64_t threshold) {
  std::vector<std::uint32_t> useful;
  for (std::uint32_t i = 0; i < pairs.size(); ++i) {
    if (ToUnits(pairs[i].log_odds) > threshold) {
      useful.push_back(i);
    }
  }
  const auto before = [&](std::uint32_t x, std::uint32_t y) {
    const ScoredPair& p = pairs[x];
    const ScoredPair& q = pairs[y];
    return std::tie(p.a, p.b, q.log_odds) < std::tie(q.a, q.b, p.log_odds);
  };
  if (!std::is_sorted(useful.begin(), useful.end(), before)) {
    std::sort(useful.begin(), useful.end(), before);
  }
  const auto same = [&](std::uint32_t x, std::uint32_t y) {
    return pairs[x].a == pairs[y].a && pairs[x].b == pairs[y].b;
  };
  useful.erase(std::unique(useful.begin(), useful.end(), same), useful.end());
  return useful;
}

// The optimum if rows of a may be in many pairs: each row of b with its best row of a, the first of equals.
Assignment BestOfEachB(std::uint32_t rows_a, std::uint32_t rows_b, std::span<const ScoredPair> pairs,
                       std::span<const std::uint32_t> useful) {
  std::vector<std::uint32_t> best(rows_b, kUnmatched);
  for (const std::uint32_t i : useful) {
    std::uint32_t& held = best[pairs[i].b];
    if (held == kUnmatched || ToUnits(pairs[i].log_odds) > ToUnits(pairs[held].log_odds)) {
      held = i;
    }
  }
  Assignment assignment;
  assignment.stats.pairs = useful.size();
  assignment.stats.edges_scanned = useful.size();
  std::vector<std::uint32_t> partners(rows_a, 0);
  for (const std::uint32_t i : useful) {
    if (best[pairs[i].b] != i) {
      continue;
    }
    assignment.pairs.push_back(pairs[i]);
    const std::uint64_t size = 1 + std::uint64_t{++partners[pairs[i].a]};
    assignment.stats.components += size == 2 ? 1 : 0;
    assignment.stats.largest_component = std::max(assignment.stats.largest_component, size);
  }
  return assignment;
}

}  // namespace

absl::StatusOr<Assignment> AssignPairs(std::uint32_t rows_a, std::uint32_t rows_b, std::span<const ScoredPair> pairs,
                                       const AssignmentOptions& options) {
  SLUIS_RETURN_IF_ERROR(Validate(rows_a, rows_b, pairs, options));
  const std::int64_t threshold = ToUnits(options.threshold);
  const std::vector<std::uint32_t> useful = UsefulPairs(pairs, threshold);
  if (options.cardinality == Cardinality::kOneToMany) {
    return BestOfEachB(rows_a, rows_b, pairs, useful);
  }
  std::vector<WeightedEdge> edges;
  edges.reserve(useful.size());
  for (const std::uint32_t i : useful) {
    edges.push_back({pairs[i].a, pairs[i].b, ToUnits(pairs[i].log_odds) - threshold});
  }
  MatchingStats stats;
  const std::vector<std::uint32_t> matched = MaximumWeightMatching(rows_a, rows_b, edges, options.stop, &stats);
  if (stats.cancelled) {
    return absl::CancelledError("the assignment was stopped");
  }
  Assignment assignment;
  assignment.stats = {useful.size(), stats.components, stats.largest_component, stats.edges_scanned};
  for (const std::uint32_t i : useful) {
    if (matched[pairs[i].a] == pairs[i].b) {
      assignment.pairs.push_back(pairs[i]);
    }
  }
  return assignment;
}

}  // namespace sluis::linker
