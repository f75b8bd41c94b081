#include "disclosure/rules/rules.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/system/int128.h"

namespace sluis::disclosure {
namespace {

constexpr int32_t kMaxTopPerCell = 64;

// ceil(a / b) for b > 0.
Int128 CeilDivide(Int128 a, Int128 b) { return a >= 0 ? (a + b - 1) / b : -(-a / b); }

// Collects the rules that hold for one cell.
class Verdict {
 public:
  void Add(PrimaryReason reason, Int128 width) {
    if (reason_ == PrimaryReason::kNone) reason_ = reason;
    width_ = std::max({width_, width, Int128{1}});
  }
  // `room`: how far the total is above what everybody knows it not to be below.
  absl::StatusOr<PrimaryStatus> Finish(size_t cell, int64_t room) const {
    if (reason_ == PrimaryReason::kNone) return PrimaryStatus{};
    if (width_ > kMaxAmount) {
      return absl::OutOfRangeError(
          absl::StrCat("cell ", cell, ": the protection level is above 2^50; declare a larger unit"));
    }
    const int64_t width = static_cast<int64_t>(width_);
    return PrimaryStatus{.reason = reason_, .lower_level = std::min(width, room), .upper_level = width};
  }

 private:
  PrimaryReason reason_ = PrimaryReason::kNone;
  Int128 width_ = 0;
};

// One cell as the rules see it.
struct CellView {
  int64_t contributors = 0;
  int64_t total = 0;
  int64_t magnitude = 0;
  int64_t floor = 0;
  std::span<const int64_t> top;
  std::span<const int64_t> weight;  // empty: each is kWeightOne
  int64_t asking = 0;
  bool structural = false;

  // What the largest `count` units of contributors contribute together, in millionths.
  Int128 Largest(int64_t count) const {
    Int128 left = Int128{count} * kWeightOne, sum = 0;
    for (size_t j = 0; j < top.size() && left > 0; ++j) {
      const Int128 units = weight.empty() ? Int128{kWeightOne} : std::min(left, Int128{weight[j]});
      sum += units * top[j];
      left -= units;
    }
    return sum;
  }
};

CellView ViewOf(const CellContributions& cells, size_t i) {
  const size_t width = static_cast<size_t>(cells.top_per_cell);
  CellView view{.contributors = cells.contributors[i],
                .total = cells.total[i],
                .magnitude = cells.magnitude.empty() ? cells.total[i] : cells.magnitude[i],
                .floor = cells.floor.empty() ? 0 : cells.floor[i],
                .top = std::span(cells.top).subspan(i * width, width),
                .weight = {},
                .asking = cells.largest_asking.empty() ? 0 : cells.largest_asking[i],
                .structural = !cells.structural.empty() && cells.structural[i] != 0};
  if (!cells.top_weight.empty()) view.weight = std::span(cells.top_weight).subspan(i * width, width);
  return view;
}

absl::Status CheckTop(const CellView& cell, size_t i) {
  const auto error = [i](const char* what) { return absl::InvalidArgumentError(absl::StrCat("cell ", i, ": ", what)); };
  Int128 sum = 0;
  for (size_t j = 0; j < cell.top.size(); ++j) {
    if (cell.top[j] < 0 || cell.top[j] > kMaxAmount) return error("a contribution is outside 0 .. 2^50");
    if (j > 0 && cell.top[j] > cell.top[j - 1]) return error("the contributions are not in descending order");
    if (cell.top[j] > 0 && static_cast<int64_t>(j) >= cell.contributors) {
      return error("more contributions than contributors");
    }
    if (!cell.weight.empty() && cell.top[j] > 0 && (cell.weight[j] < kWeightOne || cell.weight[j] > kMaxWeight)) {
      return error("a weight is outside 1 .. 1000000");
    }
    sum += cell.top[j];
  }
  if (sum > cell.magnitude) return error("the contributions add up to more than the total");
  if (cell.asking < 0 || cell.asking > cell.magnitude) {
    return error("the contribution of one who asks is outside 0 .. the total");
  }
  if (cell.weight.empty() && !cell.top.empty() && cell.contributors <= static_cast<int64_t>(cell.top.size()) &&
      sum != cell.magnitude) {
    return error("the contributions of all contributors do not add up to the total");
  }
  return absl::OkStatus();
}

absl::Status CheckCell(const CellView& cell, size_t i, bool has_floor) {
  const auto error = [i](const char* what) { return absl::InvalidArgumentError(absl::StrCat("cell ", i, ": ", what)); };
  if (cell.contributors < 0) return error("the number of contributors is negative");
  if (has_floor) {
    if (cell.total < -kMaxAmount || cell.total > kMaxAmount) return error("the total is outside -2^50 .. 2^50");
    if (cell.floor < -kMaxAmount || cell.floor > cell.total) return error("the floor is outside -2^50 .. the total");
  } else if (cell.total < 0 || cell.total > kMaxAmount) {
    return error("the total is outside 0 .. 2^50");
  }
  if (cell.magnitude > kMaxAmount || cell.magnitude < std::max(cell.total, -cell.total)) {
    return error("the sum of magnitudes is outside |total| .. 2^50");
  }
  if (cell.contributors == 0 && cell.magnitude != 0) return error("a total without contributors");
  if (cell.structural && cell.contributors != 0) return error("structurally empty, yet it has contributors");
  return CheckTop(cell, i);
}

absl::Status CheckLengths(const CellContributions& cells) {
  const size_t n = cells.total.size();
  const size_t width = static_cast<size_t>(cells.top_per_cell);
  const auto fits = [](const auto& optional, size_t size) { return optional.empty() || optional.size() == size; };
  if (cells.contributors.size() != n || cells.top.size() != n * width) {
    return absl::InvalidArgumentError("cells: contributors, total and top have unequal lengths");
  }
  if (!fits(cells.top_weight, n * width) || !fits(cells.magnitude, n) || !fits(cells.floor, n) ||
      !fits(cells.largest_asking, n) || !fits(cells.structural, n)) {
    return absl::InvalidArgumentError(
        "cells: top_weight, magnitude, floor, largest_asking and structural must be empty or have an entry for each");
  }
  return absl::OkStatus();
}

void ApplyAmountRules(const RuleSet& rules, const CellView& cell, Verdict& verdict) {
  const Int128 total = Int128{cell.magnitude} * kWeightOne;  // in millionths, as everything here
  for (const DominanceRule& rule : rules.dominance) {
    const Int128 sum = cell.Largest(rule.n);
    if (100 * sum > rule.k_percent * total) {
      verdict.Add(PrimaryReason::kDominance, CeilDivide(100 * sum - rule.k_percent * total,  //
                                                        Int128{rule.k_percent} * kWeightOne));
    }
  }
  const Int128 first = cell.Largest(1);
  const Int128 rest = std::max(total - cell.Largest(2), Int128{0});
  const auto bounded_by_second = [&](PrimaryReason reason, int32_t p, int32_t q) {
    const Int128 lacking = p * first - q * rest;
    if (lacking > 0) verdict.Add(reason, CeilDivide(lacking, Int128{q} * kWeightOne));
  };
  if (rules.p_percent) bounded_by_second(PrimaryReason::kPPercent, rules.p_percent->p, 100);
  if (rules.prior_posterior) {
    bounded_by_second(PrimaryReason::kPriorPosterior, rules.prior_posterior->p, rules.prior_posterior->q);
  }
  if (const auto& rule = rules.request) {
    const Int128 lacking = Int128{100} * cell.asking - Int128{rule->g_percent} * cell.magnitude;
    if (lacking > 0) verdict.Add(PrimaryReason::kRequest, CeilDivide(lacking, rule->g_percent));
  }
}

Verdict Apply(const RuleSet& rules, MeasureKind kind, const CellView& cell) {
  const bool count = kind == MeasureKind::kCount;
  Verdict verdict;
  if (const auto& rule = rules.minimum_frequency;
      rule && cell.contributors > 0 && cell.contributors < rule->threshold) {
    verdict.Add(PrimaryReason::kFrequency, FrequencyWidth(*rule, kind, cell.magnitude));
  }
  if (!count) ApplyAmountRules(rules, cell, verdict);
  if (const auto& rule = rules.zero_cells; rule && cell.magnitude == 0 && !cell.structural) {
    verdict.Add(PrimaryReason::kZero, count ? rule->count_range : rule->amount_range);
  }
  return verdict;
}

absl::Status ValidateMinimumFrequency(const MinimumFrequencyRule& rule, const std::string& name) {
  const auto error = [&](const char* what) { return absl::InvalidArgumentError(absl::StrCat(name, what)); };
  if (rule.threshold < 2 || rule.threshold > 1'000'000) return error(".threshold: must be 2 .. 1000000");
  if (rule.count_range < 1 || rule.count_range > 1'000'000) return error(".count_range: must be 1 .. 1000000");
  if (rule.amount_range_percent < 0 || rule.amount_range_percent > 100) {
    return error(".amount_range_percent: must be 0 .. 100");
  }
  if (rule.amount_range < 0 || rule.amount_range > kMaxAmount) return error(".amount_range: must be 0 .. 2^50");
  if (rule.amount_range_percent == 0 && rule.amount_range == 0) {
    return error(": amount_range_percent and amount_range must not both be 0");
  }
  return absl::OkStatus();
}

absl::Status ValidateContributionRules(const RuleSet& rules, int32_t top_per_cell) {
  const auto error = [](const char* what) { return absl::InvalidArgumentError(what); };
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
  if (rules.request && (rules.request->g_percent < 1 || rules.request->g_percent > 99)) {
    return error("request.g_percent: must be 1 .. 99");
  }
  return absl::OkStatus();
}

}  // namespace

bool HasPrimaryRule(const RuleSet& rules) {
  return rules.minimum_frequency || !rules.dominance.empty() || rules.p_percent || rules.prior_posterior ||
         rules.request || rules.zero_cells || rules.group_disclosure;
}

absl::Status ValidateRules(const RuleSet& rules, int32_t top_per_cell) {
  const auto error = [](const char* what) { return absl::InvalidArgumentError(what); };
  if (!HasPrimaryRule(rules)) return error("rules: name at least one primary rule");
  if (rules.minimum_frequency) {
    SLUIS_RETURN_IF_ERROR(ValidateMinimumFrequency(*rules.minimum_frequency, "minimum_frequency"));
  }
  if (rules.suppressed_sum) {
    SLUIS_RETURN_IF_ERROR(ValidateMinimumFrequency(*rules.suppressed_sum, "suppressed_sum"));
  }
  if (const auto& rule = rules.contributors) {
    if (rule->protection == ContributorProtection::kNone) return error("contributors.protect: level or exact");
    if (rule->coalition < 1 || rule->coalition > kMaxCoalition) return error("contributors.coalition: must be 1 .. 3");
    if (rule->share_percent < 0 || rule->share_percent > 100) {
      return error("contributors.share_percent: must be 0 .. 100");
    }
  }
  SLUIS_RETURN_IF_ERROR(ValidateContributionRules(rules, top_per_cell));
  if (const auto& rule = rules.zero_cells) {
    if (rule->count_range < 1 || rule->count_range > 1'000'000) {
      return error("zero_cells.count_range: must be 1 .. 1000000");
    }
    if (rule->amount_range < 1 || rule->amount_range > kMaxAmount) {
      return error("zero_cells.amount_range: must be 1 .. 2^50");
    }
  }
  if (const auto& rule = rules.group_disclosure) {
    if (rule->percent < 51 || rule->percent > 100) return error("group_disclosure.percent: must be 51 .. 100");
    if (rule->from_total < 1 || rule->from_total > 1'000'000) {
      return error("group_disclosure.from_total: must be 1 .. 1000000");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<PrimaryStatus>> EvaluateRules(const CellContributions& cells, MeasureKind kind,
                                                         const RuleSet& rules) {
  if (cells.top_per_cell < 0 || cells.top_per_cell > kMaxTopPerCell) {
    return absl::InvalidArgumentError("cells: top_per_cell must be 0 .. 64");
  }
  const bool count = kind == MeasureKind::kCount;
  // The rules about contributions are not applied to counts.
  SLUIS_RETURN_IF_ERROR(ValidateRules(rules, count ? kMaxTopPerCell : cells.top_per_cell));
  SLUIS_RETURN_IF_ERROR(CheckLengths(cells));
  if (!count && rules.request && cells.largest_asking.empty() && !cells.total.empty()) {
    return absl::InvalidArgumentError("request: the data do not say who asked for protection (largest_asking)");
  }
  std::vector<PrimaryStatus> result(cells.total.size());
  for (size_t i = 0; i < result.size(); ++i) {
    const CellView cell = ViewOf(cells, i);
    SLUIS_RETURN_IF_ERROR(CheckCell(cell, i, !cells.floor.empty()));
    SLUIS_ASSIGN_OR_RETURN(result[i], Apply(rules, kind, cell).Finish(i, cell.total - cell.floor));
  }
  return result;
}

int64_t FrequencyWidth(const MinimumFrequencyRule& rule, MeasureKind kind, int64_t magnitude) {
  if (kind == MeasureKind::kCount) return rule.count_range;
  const Int128 share = CeilDivide(Int128{rule.amount_range_percent} * magnitude, 100);
  return std::max({static_cast<int64_t>(share), rule.amount_range, int64_t{1}});
}

PrimaryStatus MergeStatus(const PrimaryStatus& a, const PrimaryStatus& b) {
  if (a.reason == PrimaryReason::kNone) return b;
  if (b.reason == PrimaryReason::kNone) return a;
  return {.reason = std::min(a.reason, b.reason),
          .lower_level = std::max(a.lower_level, b.lower_level),
          .upper_level = std::max(a.upper_level, b.upper_level)};
}

absl::StatusOr<PrimaryStatus> DeclaredStatus(int64_t value, int64_t lower, int64_t upper, int64_t sliding) {
  if (value < 0 || value > kMaxAmount) return absl::InvalidArgumentError("the value is outside 0 .. 2^50");
  for (const int64_t level : {lower, upper, sliding}) {
    if (level < 0 || level > kMaxAmount) return absl::InvalidArgumentError("a protection level is outside 0 .. 2^50");
  }
  PrimaryStatus status = {
      .reason = PrimaryReason::kDeclared, .lower_level = std::min(lower, value), .upper_level = upper};
  status.upper_level = std::max(upper, sliding - status.lower_level);
  if (status.lower_level == 0 && status.upper_level == 0) {
    return absl::InvalidArgumentError("a primary cell needs a protection level above 0");
  }
  return status;
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
