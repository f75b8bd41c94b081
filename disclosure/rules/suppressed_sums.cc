#include "disclosure/rules/suppressed_sums.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/rules/group_disclosure.h"
#include "disclosure/system/int128.h"

namespace sluis::disclosure {
namespace {

size_t Index(int64_t i) { return static_cast<size_t>(i); }

absl::Status CheckRule(const MinimumFrequencyRule& rule) {
  // The rule for cells is there because a rule set needs one.
  return ValidateRules({.p_percent = PPercentRule{.p = 1}, .suppressed_sum = rule}, 2);
}

}  // namespace

absl::StatusOr<std::vector<int64_t>> FindShortSums(const Relations& relations, std::span<const uint8_t> pattern,
                                                   std::span<const int64_t> contributors,
                                                   const MinimumFrequencyRule& rule) {
  SLUIS_RETURN_IF_ERROR(CheckRule(rule));
  if (pattern.size() < contributors.size()) {
    return absl::InvalidArgumentError("pattern: needs an entry for each cell with contributors");
  }
  const auto in_table = [&](int32_t cell) { return cell >= 0 && Index(cell) < contributors.size(); };
  std::vector<int64_t> short_sums;
  for (int64_t r = 0; r < relations.size(); ++r) {
    const int32_t total = relations.total[Index(r)];
    const std::span<const int32_t> parts = relations.parts(r);
    if (!in_table(total) || pattern[Index(total)] != 0 || !std::all_of(parts.begin(), parts.end(), in_table)) continue;
    Int128 sum = 0;
    for (const int32_t part : parts) {
      if (pattern[Index(part)] != 0) sum += contributors[Index(part)];
    }
    if (sum > 0 && sum < rule.threshold) short_sums.push_back(r);
  }
  return short_sums;
}

absl::Status ProtectSums(std::span<const int64_t> short_sums, std::span<const uint8_t> pattern, int32_t measure,
                         MeasureKind kind, const MinimumFrequencyRule& rule, CellSystem& system) {
  SLUIS_RETURN_IF_ERROR(CheckRule(rule));
  if (measure < 0 || Index(measure) >= system.measures.size()) {
    return absl::InvalidArgumentError(absl::StrCat("measure ", measure, ": the system has no such measure"));
  }
  for (const int64_t relation : short_sums) {
    if (relation < 0 || relation >= system.relations.size()) {
      return absl::InvalidArgumentError(absl::StrCat("relation ", relation, ": the system has none such"));
    }
    std::vector<int32_t> suppressed;
    std::vector<int64_t> sum(system.measures.size(), 0);
    for (const int32_t part : system.relations.parts(relation)) {
      if (Index(part) >= pattern.size() || pattern[Index(part)] == 0) continue;
      suppressed.push_back(part);
      // Within the total of the relation, hence in range.
      for (size_t m = 0; m < sum.size(); ++m) sum[m] += system.measures[m].value[Index(part)];
    }
    if (suppressed.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("relation ", relation, ": none of its parts is suppressed"));
    }
    const int64_t width = FrequencyWidth(rule, kind, sum[Index(measure)]);
    const PrimaryStatus status = {
        .reason = PrimaryReason::kFrequency, .lower_level = std::min(width, sum[Index(measure)]), .upper_level = width};
    SLUIS_ASSIGN_OR_RETURN(const int32_t cell, AppendUnpublishedCell(sum, measure, status, system));
    system.relations.Add(cell, suppressed);
  }
  return absl::OkStatus();
}

}  // namespace sluis::disclosure
