#include "linker/cluster/fixed.h"

#include <algorithm>
#include <cstdint>
#include <numeric>

namespace sluis::linker {
namespace {

// The groups that the pairs of one pass form out of what was merged before.
class PassGroups {
 public:
  PassGroups(const NumberedInput& numbered, std::span<const std::uint32_t> pass, common::DisjointSets* sets)
      : sets_(*sets), roots_(Roots(numbered, pass, sets)), groups_(static_cast<std::uint32_t>(roots_.size())) {
    for (const std::uint32_t i : pass) {
      groups_.Unite(Position(numbered.fixed[i].a), Position(numbered.fixed[i].b));
    }
    reason_.resize(roots_.size());
  }

  // Notes for every group what contradicts it.
  void Check(const NumberedInput& numbered, SourceSet exclusive, const std::vector<SourceSet>& present) {
    std::vector<SourceSet> seen(roots_.size(), 0);
    std::vector<SourceSet> twice(roots_.size(), 0);
    for (std::uint32_t i = 0; i < roots_.size(); ++i) {
      const std::uint32_t group = groups_.Root(i);
      twice[group] |= seen[group] & present[roots_[i]] & exclusive;
      seen[group] |= present[roots_[i]];
    }
    constexpr SourceSet kExisting = SourceSet{1} << kMaxSources;
    for (std::uint32_t group = 0; group < roots_.size(); ++group) {
      if ((twice[group] & ~kExisting) != 0) {
        reason_[group] = ConflictReason::kOnePerPerson;
      } else if (twice[group] != 0) {
        reason_[group] = ConflictReason::kEntitiesExist;
      }
    }
    for (const NumberedPair& apart : numbered.apart) {
      const std::optional<std::uint32_t> a = FindPosition(apart.a);
      const std::optional<std::uint32_t> b = FindPosition(apart.b);
      if (a.has_value() && b.has_value() && groups_.Root(*a) == groups_.Root(*b)) {
        std::optional<ConflictReason>& reason = reason_[groups_.Root(*a)];
        reason = reason == ConflictReason::kOnePerPerson ? reason : ConflictReason::kApart;
      }
    }
  }

  std::optional<ConflictReason> ReasonOf(std::uint32_t record) { return reason_[groups_.Root(Position(record))]; }

 private:
  static std::vector<std::uint32_t> Roots(const NumberedInput& numbered, std::span<const std::uint32_t> pass,
                                          common::DisjointSets* sets) {
    std::vector<std::uint32_t> roots;
    for (const std::uint32_t i : pass) {
      roots.push_back(sets->Root(numbered.fixed[i].a));
      roots.push_back(sets->Root(numbered.fixed[i].b));
    }
    std::sort(roots.begin(), roots.end());
    roots.erase(std::unique(roots.begin(), roots.end()), roots.end());
    return roots;
  }

  std::optional<std::uint32_t> FindPosition(std::uint32_t record) {
    const std::uint32_t root = sets_.Root(record);
    const auto found = std::lower_bound(roots_.begin(), roots_.end(), root);
    if (found == roots_.end() || *found != root) {
      return std::nullopt;
    }
    return static_cast<std::uint32_t>(found - roots_.begin());
  }

  std::uint32_t Position(std::uint32_t record) { return *FindPosition(record); }

  common::DisjointSets& sets_;
  std::vector<std::uint32_t> roots_;
  common::DisjointSets groups_;
  std::vector<std::optional<ConflictReason>> reason_;  // by group
};

}  // namespace

FixedOutcome MergeFixedPairs(const NumberedInput& numbered, std::span<const FixedPair> fixed, SourceSet exclusive,
                             common::DisjointSets* sets, std::vector<SourceSet>* present) {
  FixedOutcome outcome;
  outcome.refused.resize(fixed.size());
  std::vector<std::uint32_t> order(fixed.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t x, std::uint32_t y) { return fixed[x].pass < fixed[y].pass; });
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin;
    while (end < order.size() && fixed[order[end]].pass == fixed[order[begin]].pass) {
      ++end;
    }
    const std::span<const std::uint32_t> pass = std::span(order).subspan(begin, end - begin);
    begin = end;
    PassGroups groups(numbered, pass, sets);
    groups.Check(numbered, exclusive, *present);
    for (const std::uint32_t i : pass) {
      // Records that an earlier pass or an existing entity brought together are no contradiction themselves.
      if (sets->Root(numbered.fixed[i].a) != sets->Root(numbered.fixed[i].b)) {
        outcome.refused[i] = groups.ReasonOf(numbered.fixed[i].a);
      }
    }
    for (const std::uint32_t i : pass) {
      const std::uint32_t a = sets->Root(numbered.fixed[i].a);
      const std::uint32_t b = sets->Root(numbered.fixed[i].b);
      if (outcome.refused[i].has_value() || a == b) {
        continue;
      }
      sets->Unite(a, b);
      (*present)[std::min(a, b)] = (*present)[a] | (*present)[b];
      ++outcome.merges;
    }
  }
  return outcome;
}

}  // namespace sluis::linker
