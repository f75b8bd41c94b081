#include "disclosure/suppress/tied_cells.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "common/sets/disjoint_sets.h"

namespace sluis::disclosure {
namespace {

size_t Index(int64_t i) { return static_cast<size_t>(i); }

// Per cell the first cell that it is tied to, itself if none.
std::vector<int32_t> TieCells(const CellSystem& system) {
  const Relations& relations = system.relations;
  common::DisjointSets tied(static_cast<uint32_t>(system.num_cells));
  for (int64_t r = 0; r < relations.size(); ++r) {
    if (relations.parts(r).size() != 1) continue;
    tied.Unite(static_cast<uint32_t>(relations.total[Index(r)]), static_cast<uint32_t>(relations.parts(r).front()));
  }
  std::vector<int32_t> root(Index(system.num_cells));
  for (int32_t i = 0; i < system.num_cells; ++i) {
    root[Index(i)] = static_cast<int32_t>(tied.Root(static_cast<uint32_t>(i)));
  }
  // Cells that would stand in a relation twice stay apart, with all that are tied to them.
  std::vector<uint8_t> apart(Index(system.num_cells), 0);
  std::vector<int64_t> seen(Index(system.num_cells), -1);
  for (int64_t r = 0; r < relations.size(); ++r) {
    if (relations.parts(r).size() == 1) continue;
    const auto visit = [&](int32_t cell) {
      const size_t first = Index(root[Index(cell)]);
      if (seen[first] == r) apart[first] = 1;
      seen[first] = r;
    };
    visit(relations.total[Index(r)]);
    for (const int32_t cell : relations.parts(r)) visit(cell);
  }
  std::vector<int32_t> result(Index(system.num_cells));
  for (int32_t i = 0; i < system.num_cells; ++i) {
    result[Index(i)] = apart[Index(root[Index(i)])] != 0 ? i : root[Index(i)];
  }
  return result;
}

void MergeRelations(const CellSystem& system, MergedSystem& merged) {
  std::set<std::pair<int32_t, std::vector<int32_t>>> known;
  std::vector<int32_t> parts;
  for (int64_t r = 0; r < system.relations.size(); ++r) {
    const int32_t total = merged.merged_of[Index(system.relations.total[Index(r)])];
    parts.clear();
    for (const int32_t cell : system.relations.parts(r)) parts.push_back(merged.merged_of[Index(cell)]);
    std::sort(parts.begin(), parts.end());
    if (parts.size() == 1 && parts.front() == total) continue;
    if (known.emplace(total, parts).second) merged.system.relations.Add(total, parts);
  }
}

// Validate has seen to it that tied cells have the same contributors, who all contribute the same to them.
void MergeContributors(const CellSystem& system, MergedSystem& merged) {
  const Contributors& from = system.contributors;
  Contributors& to = merged.system.contributors;
  if (from.in_cell.empty()) return;
  to.protection = from.protection;
  to.coalition = from.coalition;
  for (const std::vector<int32_t>& originals : merged.originals) {
    to.in_cell.push_back(from.in_cell[Index(originals.front())]);
  }
  const size_t measures = system.measures.size();
  for (const Contributor& contributor : from.contributor) {
    Contributor& copy = to.contributor.emplace_back();
    for (size_t c = 0; c < contributor.cell.size(); ++c) {
      const int32_t cell = merged.merged_of[Index(contributor.cell[c])];
      // Merged cells are numbered in the order of their first originals.
      if (merged.originals[Index(cell)].front() != contributor.cell[c]) continue;
      copy.cell.push_back(cell);
      const auto amount = contributor.amount.begin() + static_cast<std::ptrdiff_t>(c * measures);
      copy.amount.insert(copy.amount.end(), amount, amount + static_cast<std::ptrdiff_t>(measures));
    }
  }
}

}  // namespace

MergedSystem MergeTiedCells(const CellSystem& system) {
  MergedSystem merged;
  const std::vector<int32_t> first = TieCells(system);
  merged.merged_of.resize(Index(system.num_cells));
  for (int32_t i = 0; i < system.num_cells; ++i) {
    if (first[Index(i)] == i) {
      merged.merged_of[Index(i)] = static_cast<int32_t>(merged.originals.size());
      merged.originals.emplace_back();
    } else {
      merged.merged_of[Index(i)] = merged.merged_of[Index(first[Index(i)])];
    }
    merged.originals[Index(merged.merged_of[Index(i)])].push_back(i);
  }
  std::vector<std::string> names;
  for (const Measure& measure : system.measures) names.push_back(measure.name);
  merged.system = MakeCellSystem(static_cast<int32_t>(merged.originals.size()), names);
  for (size_t j = 0; j < merged.originals.size(); ++j) {
    merged.system.suppressible[j] = 1;
    for (const int32_t i : merged.originals[j]) {
      if (system.suppressible[Index(i)] == 0) merged.system.suppressible[j] = 0;
      merged.system.cost[j] = std::min(merged.system.cost[j] + system.cost[Index(i)], kMaxAmount);
      for (size_t m = 0; m < system.measures.size(); ++m) {
        const Measure& from = system.measures[m];
        Measure& to = merged.system.measures[m];
        to.value[j] = from.value[Index(i)];
        if (to.reason[j] == PrimaryReason::kNone) to.reason[j] = from.reason[Index(i)];
        to.lower_level[j] = std::max(to.lower_level[j], from.lower_level[Index(i)]);
        to.upper_level[j] = std::max(to.upper_level[j], from.upper_level[Index(i)]);
        to.upper_bound[j] = std::min(to.upper_bound[j], from.upper_bound[Index(i)]);
      }
    }
  }
  MergeRelations(system, merged);
  MergeContributors(system, merged);
  return merged;
}

SuppressOptions MergeOptions(const CellSystem& system, const MergedSystem& merged, const SuppressOptions& options) {
  SuppressOptions result = options;
  if (!options.start.empty()) result.start.assign(merged.originals.size(), 0);
  if (!options.guide.empty()) result.guide.assign(merged.originals.size(), 1);
  for (size_t j = 0; j < merged.originals.size(); ++j) {
    double weighted = 0;
    double weight = 0;
    for (const int32_t i : merged.originals[j]) {
      if (!options.start.empty() && options.start[Index(i)] != 0) result.start[j] = 1;
      if (options.guide.empty()) continue;
      const double cost = static_cast<double>(system.cost[Index(i)]) + 1;
      weighted += options.guide[Index(i)] * cost;
      weight += cost;
    }
    if (!options.guide.empty()) result.guide[j] = weighted / weight;
  }
  return result;
}

Pattern UnmergePattern(const MergedSystem& merged, const Pattern& pattern) {
  Pattern result(merged.merged_of.size());
  for (size_t i = 0; i < result.size(); ++i) result[i] = pattern[Index(merged.merged_of[i])];
  return result;
}

Certificate UnmergeCertificate(const CellSystem& system, const MergedSystem& merged, Certificate certificate) {
  for (Deviation& deviation : certificate.deviations) {
    std::vector<std::pair<int32_t, int64_t>> entries;
    for (size_t k = 0; k < deviation.cell.size(); ++k) {
      for (const int32_t i : merged.originals[Index(deviation.cell[k])]) {
        entries.emplace_back(i, deviation.numerator[k]);
      }
    }
    std::sort(entries.begin(), entries.end());
    deviation.cell.clear();
    deviation.numerator.clear();
    for (const auto& [cell, numerator] : entries) {
      deviation.cell.push_back(cell);
      deviation.numerator.push_back(numerator);
    }
  }
  std::map<std::tuple<int32_t, int32_t, Direction>, std::vector<int32_t>> proof;
  for (const Claim& claim : certificate.claims) {
    proof[std::tuple(claim.measure, claim.cell, claim.direction)].push_back(claim.deviation);
  }
  certificate.claims.clear();
  for (int32_t m = 0; m < static_cast<int32_t>(system.measures.size()); ++m) {
    const Measure& measure = system.measures[Index(m)];
    for (int32_t i = 0; i < system.num_cells; ++i) {
      for (const Direction direction : {Direction::kLower, Direction::kUpper}) {
        if ((direction == Direction::kUpper ? measure.upper_level : measure.lower_level)[Index(i)] == 0) continue;
        for (const int32_t deviation : proof.at({m, merged.merged_of[Index(i)], direction})) {
          certificate.claims.push_back({.measure = m, .cell = i, .direction = direction, .deviation = deviation});
        }
      }
    }
  }
  return certificate;
}

}  // namespace sluis::disclosure
