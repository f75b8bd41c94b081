#include "disclosure/rules/rules.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/system/int128.h"

namespace sluis::disclosure {
namespace {

constexpr int32_t kMaxTopPerCell = 64;

// ceil(a / b) for a >= 0, b > 0.
Int128 CeilDivide(Int128 a, Int128 b) { return (a + b - 1) / b; }

// Collects the rules that hold for one cell.
class Verdict {
 public:
  void Add(PrimaryReason reason, Int128 width) {
    if (reason_ == PrimaryReason::kNone) reason_ = reason;
    width_ = std::max({width_, width, Int128{1}});
  }
  absl::StatusOr<PrimaryStatus> Finish(size_t cell, int64_t total) const {
    if (reason_ == PrimaryReason::kNone) return PrimaryStatus{};
    if (width_ > kMaxAmount) {
      return absl::OutOfRangeError(
          absl::StrCat("cell ", cell, ": the protection level is above 2^50; declare a larger unit"));
    }
    const int64_t width = static_cast<int64_t>(width_);
    return PrimaryStatus{.reason = reason_, .lower_level = std::min(width, total), .upper_level = width};
  }

 private:
  PrimaryReason reason_ = PrimaryReason::kNone;
  Int128 width_ = 0;
};

absl::Status CheckCell(const CellContributions& cells, size_t i, std::span<const int64_t> top) {
  const auto error = [i](const char* what) { return absl::InvalidArgumentError(absl::StrCat("cell ", i, ": ", what)); };
  const int64_t total = cells.total[i];
  const int64_t contributors = cells.contributors[i];
  if (contributors < 0) return error("the number of contributors is negative");
  if (total < 0 || total > kMaxAmount) return error("the total is outside 0 .. 2^50");
  if (contributors == 0 && total != 0) return error("a total without contributors");
  Int128 sum = 0;
  for (size_t j = 0; j < top.size(); ++j) {
    if (top[j] < 0 || top[j] > kMaxAmount) return error("a contribution is outside 0 .. 2^50");
    if (j > 0 && top[j] > top[j - 1]) return error("the contributions are not in descending order");
    if (top[j] > 0 && static_cast<int64_t>(j) >= contributors) return error("more contributions than contributors");
    sum += top[j];
  }
  if (sum > total) return error("the contributions add up to more than the total");
  if (!top.empty() && contributors <= static_cast<int64_t>(top.size()) && sum != total) {
    return error("the contributions of all contributors do not add up to the total");
  }
  return absl::OkStatus();
}

void ApplyAmountRules(const RuleSet& rules, Int128 total, std::span<const int64_t> top, Verdict& verdict) {
  for (const DominanceRule& rule : rules.dominance) {
    Int128 sum = 0;
    for (int32_t j = 0; j < rule.n; ++j) sum += top[static_cast<size_t>(j)];
    if (100 * sum > rule.k_percent * total) {
      verdict.Add(PrimaryReason::kDominance, CeilDivide(100 * sum, rule.k_percent) - total);
    }
  }
  const auto bounded_by_second = [&](PrimaryReason reason, int32_t p, int32_t q) {
    const Int128 rest = total - top[0] - top[1];
    const Int128 ask = Int128{p} * top[0];
    if (q * rest < ask) verdict.Add(reason, CeilDivide(ask, q) - rest);
  };
  if (rules.p_percent) bounded_by_second(PrimaryReason::kPPercent, rules.p_percent->p, 100);
  if (rules.prior_posterior) {
    bounded_by_second(PrimaryReason::kPriorPosterior, rules.prior_posterior->p, rules.prior_posterior->q);
  }
}

}  // namespace

absl::Status ValidateRules(const RuleSet& rules, int32_t top_per_cell) {
  const auto error = [](const char* what) { return absl::InvalidArgumentError(what); };
  if (!rules.minimum_frequency && rules.dominance.empty() && !rules.p_percent && !rules.prior_posterior) {
    return error("rules: name at least one primary rule");
  }
  if (const auto& rule = rules.minimum_frequency) {
    if (rule->threshold < 2 || rule->threshold > 1'000'000) {
      return error("minimum_frequency.threshold: must be 2 .. 1000000");
    }
    if (rule->count_range < 1 || rule->count_range > 1'000'000) {
      return error("minimum_frequency.count_range: must be 1 .. 1000000");
    }
    if (rule->amount_range_percent < 1 || rule->amount_range_percent > 100) {
      return error("minimum_frequency.amount_range_percent: must be 1 .. 100");
    }
  }
  if (rules.dominance.size() > 2) return error("dominance: at most two rules");
  for (const DominanceRule& rule : rules.dominance) {
    if (rule.n < 1 || rule.n > top_per_cell) {
      return error("dominance.n: must be 1 .. the number of contributions kept per cell");
    }
    if (rule.k_percent < 1 || rule.k_percent > 99) return error("dominance.k_percent: must be 1 .. 99");
  }
  if (rules.p_percent && (rules.p_percent->p < 1 || rules.p_percent->p > 100)) {
    return error("p_percent.p: must be 1 .. 100");
  }
  if (const auto& rule = rules.prior_posterior) {
    if (rule->q < 2 || rule->q > 100) return error("prior_posterior.q: must be 2 .. 100");
    if (rule->p < 1 || rule->p >= rule->q) return error("prior_posterior.p: must be 1 .. q - 1");
  }
  if ((rules.p_percent || rules.prior_posterior) && top_per_cell < 2) {
    return error("p_percent, prior_posterior: need the two largest contributions of each cell");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<PrimaryStatus>> EvaluateRules(const CellContributions& cells, MeasureKind kind,
                                                         const RuleSet& rules) {
  if (cells.top_per_cell < 0 || cells.top_per_cell > kMaxTopPerCell) {
    return absl::InvalidArgumentError("cells: top_per_cell must be 0 .. 64");
  }
  if (kind == MeasureKind::kAmount) {
    SLUIS_RETURN_IF_ERROR(ValidateRules(rules, cells.top_per_cell));
  } else {
    SLUIS_RETURN_IF_ERROR(ValidateRules(rules, kMaxTopPerCell));  // the other rules are not applied to counts
  }
  const size_t n = cells.total.size();
  const size_t width = static_cast<size_t>(cells.top_per_cell);
  if (cells.contributors.size() != n || cells.top.size() != n * width) {
    return absl::InvalidArgumentError("cells: contributors, total and top have unequal lengths");
  }
  std::vector<PrimaryStatus> result(n);
  for (size_t i = 0; i < n; ++i) {
    const std::span<const int64_t> top = std::span(cells.top).subspan(i * width, width);
    SLUIS_RETURN_IF_ERROR(CheckCell(cells, i, top));
    Verdict verdict;
    if (const auto& rule = rules.minimum_frequency;
        rule && cells.contributors[i] > 0 && cells.contributors[i] < rule->threshold) {
      verdict.Add(PrimaryReason::kFrequency,
                  kind == MeasureKind::kCount ? Int128{rule->count_range}
                                              : CeilDivide(Int128{rule->amount_range_percent} * cells.total[i], 100));
    }
    if (kind == MeasureKind::kAmount) ApplyAmountRules(rules, cells.total[i], top, verdict);
    SLUIS_ASSIGN_OR_RETURN(result[i], verdict.Finish(i, cells.total[i]));
  }
  return result;
}

absl::Status ApplyStatus(std::span<const PrimaryStatus> status, int32_t measure, CellSystem& system) {
  if (measure < 0 || static_cast<size_t>(measure) >= system.measures.size()) {
    return absl::InvalidArgumentError(absl::StrCat("measure ", measure, ": the system has no such measure"));
  }
  if (status.size() != static_cast<size_t>(system.num_cells)) {
    return absl::InvalidArgumentError("status: needs one entry per cell of the system");
  }
  Measure& target = system.measures[static_cast<size_t>(measure)];
  for (size_t i = 0; i < status.size(); ++i) {
    target.reason[i] = status[i].reason;
    target.lower_level[i] = status[i].lower_level;
    target.upper_level[i] = status[i].upper_level;
  }
  return absl::OkStatus();
}

}  // namespace sluis::disclosure
