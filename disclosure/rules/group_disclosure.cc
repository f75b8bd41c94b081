#include "disclosure/rules/group_disclosure.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/system/int128.h"

namespace sluis::disclosure {
namespace {

size_t Index(int64_t i) { return static_cast<size_t>(i); }

bool IsMarked(std::span<const uint8_t> marks, int32_t cell) { return !marks.empty() && marks[Index(cell)] != 0; }

absl::Status CheckLengths(const Relations& relations, std::span<const int64_t> units, std::span<const uint8_t> exempt,
                          std::span<const uint8_t> structural) {
  int32_t largest = -1;
  for (const int32_t cell : relations.total) largest = std::max(largest, cell);
  for (const int32_t cell : relations.part) largest = std::max(largest, cell);
  const auto fits = [&](const auto& marks) { return marks.empty() || marks.size() == units.size(); };
  if (largest >= static_cast<int64_t>(units.size()) || !fits(exempt) || !fits(structural)) {
    return absl::InvalidArgumentError("group_disclosure: units, exempt and structural need one entry per cell");
  }
  return absl::OkStatus();
}

// Makes zero cells suppressible where something must be able to move.
class ZeroOpener {
 public:
  ZeroOpener(std::span<const uint8_t> structural, CellSystem& system)
      : structural_(structural), system_(system), incidence_(BuildIncidence(system.relations, system.num_cells)) {}

  // Sees to it that some part of `relation` beside `category` can move, if there is any that is not structural.
  void OpenBeside(int64_t relation, int32_t category) {
    const std::span<const int32_t> parts = system_.relations.parts(relation);
    const bool movable = std::any_of(parts.begin(), parts.end(), [&](int32_t cell) {
      return cell != category && system_.suppressible[Index(cell)] != 0;
    });
    if (!movable) {
      for (const int32_t cell : parts) Open(cell);
    }
    while (!opened_.empty()) {
      const int32_t cell = opened_.back();
      opened_.pop_back();
      const auto begin = Index(incidence_.begin[Index(cell)]), end = Index(incidence_.begin[Index(cell) + 1]);
      for (size_t i = begin; i < end; ++i) AccompanyIn(incidence_.relation[i], cell);
    }
  }

 private:
  void Open(int32_t cell) {
    uint8_t& suppressible = system_.suppressible[Index(cell)];
    const bool zero = std::all_of(system_.measures.begin(), system_.measures.end(),
                                  [&](const Measure& measure) { return measure.value[Index(cell)] == 0; });
    if (suppressible != 0 || !zero || IsMarked(structural_, cell)) return;
    suppressible = 1;
    opened_.push_back(cell);
  }

  // An open cell that is alone in a relation could not move.
  void AccompanyIn(int64_t relation, int32_t cell) {
    const std::span<const int32_t> parts = system_.relations.parts(relation);
    const int32_t total = system_.relations.total[Index(relation)];
    const auto other_moves = [&](int32_t other) { return other != cell && system_.suppressible[Index(other)] != 0; };
    if (other_moves(total) || std::any_of(parts.begin(), parts.end(), other_moves)) return;
    Open(total);
    for (const int32_t part : parts) Open(part);
  }

  std::span<const uint8_t> structural_;
  CellSystem& system_;
  const Incidence incidence_;
  std::vector<int32_t> opened_;
};

// Findings in order, each category of a relation once, with the largest level.
std::vector<GroupFinding> Merge(std::span<const GroupFinding> findings) {
  std::vector<GroupFinding> merged(findings.begin(), findings.end());
  std::sort(merged.begin(), merged.end(), [](const GroupFinding& a, const GroupFinding& b) {
    return std::tie(a.relation, a.category, b.level) < std::tie(b.relation, b.category, a.level);
  });
  const auto same = [](const GroupFinding& a, const GroupFinding& b) {
    return a.relation == b.relation && a.category == b.category;
  };
  merged.erase(std::unique(merged.begin(), merged.end(), same), merged.end());
  return merged;
}

void RaiseStatus(const PrimaryStatus& status, int32_t cell, Measure& measure) {
  const size_t i = Index(cell);
  const PrimaryStatus merged = MergeStatus(
      {.reason = measure.reason[i], .lower_level = measure.lower_level[i], .upper_level = measure.upper_level[i]},
      status);
  measure.reason[i] = merged.reason;
  measure.lower_level[i] = merged.lower_level;
  measure.upper_level[i] = merged.upper_level;
}

absl::Status CheckFindings(std::span<const GroupFinding> findings, int32_t measure, const CellSystem& system) {
  if (measure < 0 || Index(measure) >= system.measures.size()) {
    return absl::InvalidArgumentError(absl::StrCat("measure ", measure, ": the system has no such measure"));
  }
  for (const GroupFinding& finding : findings) {
    if (finding.relation < 0 || finding.relation >= system.relations.size()) {
      return absl::InvalidArgumentError(absl::StrCat("relation ", finding.relation, ": the system has none such"));
    }
    const std::span<const int32_t> parts = system.relations.parts(finding.relation);
    if (parts.size() < 2 || std::find(parts.begin(), parts.end(), finding.category) == parts.end()) {
      return absl::InvalidArgumentError(absl::StrCat("relation ", finding.relation, ": has no such category"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<GroupFinding>> FindGroupDisclosure(const Relations& relations,
                                                              std::span<const int64_t> units,
                                                              std::span<const uint8_t> exempt,
                                                              std::span<const uint8_t> structural,
                                                              const GroupDisclosureRule& rule) {
  SLUIS_RETURN_IF_ERROR(ValidateRules({.group_disclosure = rule}, 0));
  SLUIS_RETURN_IF_ERROR(CheckLengths(relations, units, exempt, structural));
  std::vector<GroupFinding> findings;
  for (int64_t r = 0; r < relations.size(); ++r) {
    const int32_t total_cell = relations.total[Index(r)];
    const std::span<const int32_t> parts = relations.parts(r);
    const Int128 total = units[Index(total_cell)];
    if (parts.size() < 2 || total < rule.from_total || IsMarked(exempt, total_cell)) continue;
    for (const int32_t category : parts) {
      const Int128 inside = units[Index(category)];
      if (100 * inside < rule.percent * total) continue;
      const bool elsewhere_possible = std::any_of(
          parts.begin(), parts.end(), [&](int32_t part) { return part != category && !IsMarked(structural, part); });
      if (!elsewhere_possible) continue;
      const Int128 outside = std::max(total - inside, Int128{0});
      const Int128 allowed = (100 - rule.percent) * total / 100;
      findings.push_back({.relation = r,
                          .category = category,
                          .level = static_cast<int64_t>(std::max(allowed + 1 - outside, Int128{1}))});
    }
  }
  const auto order = [](const GroupFinding& a, const GroupFinding& b) {
    return std::tie(a.relation, a.category) < std::tie(b.relation, b.category);
  };
  std::sort(findings.begin(), findings.end(), order);
  return findings;
}

absl::Status ProtectGroups(std::span<const GroupFinding> findings, int32_t measure, std::span<const uint8_t> structural,
                           CellSystem& system) {
  SLUIS_RETURN_IF_ERROR(CheckFindings(findings, measure, system));
  if (!structural.empty() && structural.size() != Index(system.num_cells)) {
    return absl::InvalidArgumentError("structural: needs one entry per cell of the system");
  }
  const std::vector<GroupFinding> merged = Merge(findings);
  // Zeros first: the opener looks at the relations of the tables alone.
  ZeroOpener opener(structural, system);
  for (const GroupFinding& finding : merged) opener.OpenBeside(finding.relation, finding.category);
  std::vector<int64_t> outside(system.measures.size());
  for (const GroupFinding& finding : merged) {
    const PrimaryStatus status = {.reason = PrimaryReason::kGroup, .lower_level = 0, .upper_level = finding.level};
    const std::span<const int32_t> parts = system.relations.parts(finding.relation);
    if (parts.size() == 2) {
      const int32_t other = parts[0] == finding.category ? parts[1] : parts[0];
      RaiseStatus(status, other, system.measures[Index(measure)]);
      system.suppressible[Index(other)] = 1;
      continue;
    }
    const int32_t total = system.relations.total[Index(finding.relation)];
    for (size_t m = 0; m < outside.size(); ++m) {
      const std::vector<int64_t>& value = system.measures[m].value;
      outside[m] = value[Index(total)] - value[Index(finding.category)];
    }
    SLUIS_ASSIGN_OR_RETURN(const int32_t cell, AppendUnpublishedCell(outside, measure, status, system));
    system.relations.Add(total, std::vector<int32_t>{finding.category, cell});
  }
  return absl::OkStatus();
}

absl::StatusOr<int32_t> AppendUnpublishedCell(std::span<const int64_t> value, int32_t measure,
                                              const PrimaryStatus& status, CellSystem& system) {
  if (system.num_cells == std::numeric_limits<int32_t>::max()) {
    return absl::ResourceExhaustedError("system: more than 2^31 - 1 cells");
  }
  system.suppressible.push_back(1);
  system.cost.push_back(0);
  for (size_t m = 0; m < system.measures.size(); ++m) {
    Measure& target = system.measures[m];
    const PrimaryStatus own = m == Index(measure) ? status : PrimaryStatus{};
    target.value.push_back(value[m]);
    target.reason.push_back(own.reason);
    target.lower_level.push_back(own.lower_level);
    target.upper_level.push_back(own.upper_level);
    target.upper_bound.push_back(kNoUpperBound);
  }
  return system.num_cells++;
}

}  // namespace sluis::disclosure
