#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "common/status/matchers.h"
#include "disclosure/attack/attack.h"
#include "disclosure/attack/contributors.h"
#include "gtest/gtest.h"
#include "tests/disclosure/small_tables.h"

// The judge for contributors against one that asks VerifyLevels or FindIntervals anew for each coalition.

namespace sluis::disclosure {
namespace {

using common::testing::IsOk;
using common::testing::StatusIs;
using testing::MakePrimary;
using testing::MakeSmallTable;
using testing::SmallTable;

using Key = std::tuple<int32_t, int32_t, std::vector<int32_t>>;  // measure, cell, members

struct Table {
  SmallTable small;
  std::vector<uint8_t> pattern;
};

// Inner cells have 0 to 3 contributors out of `people`; most cells are suppressed, at random.
Table RandomTable(const std::vector<int32_t>& sizes, int people, std::mt19937_64& random) {
  std::vector<std::map<int32_t, int64_t>> inner;
  Table table{.small = MakeSmallTable(sizes, {"value"},
                                      [&](size_t) {
                                        std::map<int32_t, int64_t>& own = inner.emplace_back();
                                        const uint64_t size = random() % 4;
                                        while (own.size() < size) {
                                          own.emplace(static_cast<int32_t>(random() % static_cast<uint64_t>(people)),
                                                      1 + static_cast<int64_t>(random() % 50));
                                        }
                                        int64_t sum = 0;
                                        for (const auto& [person, amount] : own) sum += amount;
                                        return sum;
                                      }),
              .pattern = {}};
  CellSystem& system = table.small.system;
  std::vector<std::map<int32_t, int64_t>> own(static_cast<size_t>(system.num_cells));
  for (int32_t cell = 0; cell < system.num_cells; ++cell) {
    const std::vector<int32_t> margin = table.small.shape.Codes(cell);
    for (size_t k = 0; k < inner.size(); ++k) {
      const std::vector<int32_t> codes = table.small.shape.Codes(table.small.inner[k]);
      bool contains = true;
      for (size_t d = 0; d < codes.size(); ++d) contains = contains && (margin[d] == 0 || margin[d] == codes[d]);
      if (!contains) continue;
      for (const auto& [person, amount] : inner[k]) own[static_cast<size_t>(cell)][person] += amount;
    }
  }
  Contributors& contributors = system.contributors;
  contributors.contributor.resize(static_cast<size_t>(people));
  for (int32_t cell = 0; cell < system.num_cells; ++cell) {
    const auto& of = own[static_cast<size_t>(cell)];
    contributors.in_cell.push_back(static_cast<int64_t>(of.size()));
    for (const auto& [person, amount] : of) {
      contributors.contributor[static_cast<size_t>(person)].cell.push_back(cell);
      contributors.contributor[static_cast<size_t>(person)].amount.push_back(amount);
    }
    const bool few = of.size() == 1 || of.size() == 2;
    if (few && random() % 3 != 0) MakePrimary(system, 0, cell, 1 + static_cast<int64_t>(random() % 10));
    table.pattern.push_back(system.suppressible[static_cast<size_t>(cell)] != 0 &&
                            (system.IsPrimary(cell) || random() % 3 != 0));
  }
  SetUpperBounds(system);
  return table;
}

std::vector<KnownRange> KnownTo(const CellSystem& system, const std::vector<int32_t>& members) {
  std::map<int32_t, std::pair<int64_t, int64_t>> of;  // cell -> how many of them, how much
  for (const int32_t member : members) {
    const Contributor& contributor = system.contributors.contributor[static_cast<size_t>(member)];
    for (size_t c = 0; c < contributor.cell.size(); ++c) {
      ++of[contributor.cell[c]].first;
      of[contributor.cell[c]].second += contributor.amount[c];
    }
  }
  std::vector<KnownRange> known;
  for (const auto& [cell, share] : of) {
    const bool all = share.first == system.contributors.in_cell[static_cast<size_t>(cell)];
    known.push_back({.cell = cell, .low = share.second, .high = all ? share.second : kNoUpperBound});
  }
  return known;
}

// What the tested function is to find, one coalition after the other.
std::map<Key, std::pair<bool, bool>> Naive(const Table& table) {
  const CellSystem& system = table.small.system;
  const auto people = static_cast<int32_t>(system.contributors.contributor.size());
  std::vector<std::vector<int32_t>> coalitions;
  for (int32_t a = 0; a < people; ++a) {
    coalitions.push_back({a});
    if (system.contributors.coalition < 2) continue;
    for (int32_t b = a + 1; b < people; ++b) coalitions.push_back({a, b});
  }
  std::map<Key, std::pair<bool, bool>> found;
  for (const std::vector<int32_t>& members : coalitions) {
    AttackOptions options;
    options.known = KnownTo(system, members);
    if (system.contributors.protection == ContributorProtection::kLevel) {
      const auto report = VerifyLevels(system, table.pattern, options);
      EXPECT_THAT(report, IsOk());
      for (const Shortfall& shortfall : report->shortfalls) {
        auto& ends = found[{0, shortfall.cell, members}];
        (shortfall.below ? ends.first : ends.second) = true;
      }
    } else {
      const auto report = FindIntervals(Publish(system, 0, table.pattern, true), options);
      EXPECT_THAT(report, IsOk());
      for (const FeasibilityInterval& interval : report->intervals) {
        const bool knows = std::any_of(options.known.begin(), options.known.end(), [&](const KnownRange& range) {
          return range.cell == interval.cell && range.exact();
        });
        if (knows || !system.IsPrimary(interval.cell) || interval.high - interval.low > 0.5) continue;
        found[{0, interval.cell, members}] = {true, true};
      }
    }
  }
  return found;
}

// Only of those who contribute to the component of the cell: others know nothing that helps.
std::map<Key, std::pair<bool, bool>> Found(const ContributorReport& report) {
  std::map<Key, std::pair<bool, bool>> found;
  for (const ContributorShortfall& shortfall : report.shortfalls) {
    found[{shortfall.measure, shortfall.cell, shortfall.members}] = {shortfall.below, shortfall.above};
  }
  return found;
}

struct Setting {
  ContributorProtection protection;
  int32_t coalition;
  std::vector<int32_t> sizes;
  int people;
};

class VerifyContributors : public ::testing::TestWithParam<Setting> {};

TEST_P(VerifyContributors, FindsWhatEachCoalitionByItselfFinds) {
  const Setting& setting = GetParam();
  std::mt19937_64 random(5);
  int broken = 0;
  for (int trial = 0; trial < (setting.people > 20 ? 4 : 12); ++trial) {
    Table table = RandomTable(setting.sizes, setting.people, random);
    table.small.system.contributors.protection = setting.protection;
    table.small.system.contributors.coalition = setting.coalition;
    AttackOptions options;
    options.threads = 1 + trial % 2;
    const auto report = VerifyAgainstContributors(table.small.system, table.pattern, options);
    ASSERT_THAT(report, IsOk());
    EXPECT_TRUE(report->complete);
    const auto truth = Naive(table);
    const auto found = Found(*report);
    for (const auto& [key, ends] : found) {
      ASSERT_EQ(truth.count(key), 1u) << "trial " << trial;
      EXPECT_EQ(truth.at(key), ends) << "trial " << trial;
    }
    // A coalition with a member who knows nothing in the component is not tried: the smaller one is.
    for (const auto& [key, ends] : truth) {
      const auto& [measure, cell, members] = key;
      const bool covered = std::any_of(found.begin(), found.end(), [&](const auto& entry) {
        const auto& [found_measure, found_cell, found_members] = entry.first;
        return found_cell == cell &&
               std::includes(members.begin(), members.end(), found_members.begin(), found_members.end());
      });
      // Levels that outsiders break already need no contributor in the component.
      const auto outsiders = VerifyLevels(table.small.system, table.pattern, {});
      ASSERT_THAT(outsiders, IsOk());
      const bool anyway = std::any_of(outsiders->shortfalls.begin(), outsiders->shortfalls.end(),
                                      [cell = cell](const Shortfall& shortfall) { return shortfall.cell == cell; });
      EXPECT_TRUE(covered || anyway) << "trial " << trial << ", cell " << cell;
      broken += covered ? 1 : 0;
    }
  }
  EXPECT_GT(broken, 5);
}

INSTANTIATE_TEST_SUITE_P(All, VerifyContributors,
                         ::testing::Values(Setting{ContributorProtection::kLevel, 1, {4, 5}, 12},
                                           Setting{ContributorProtection::kExact, 1, {4, 5}, 12},
                                           Setting{ContributorProtection::kLevel, 2, {4, 4}, 8},
                                           Setting{ContributorProtection::kExact, 2, {4, 4}, 8},
                                           Setting{ContributorProtection::kLevel, 1, {3, 3, 3}, 40},
                                           Setting{ContributorProtection::kExact, 1, {3, 3, 4}, 50}));

TEST(VerifyAgainstContributors, SaysWhenThereAreTooManyCoalitions) {
  std::mt19937_64 random(9);
  Table table = RandomTable({4, 5}, 12, random);
  table.small.system.contributors.protection = ContributorProtection::kLevel;
  table.small.system.contributors.coalition = 3;
  const auto report = VerifyAgainstContributors(table.small.system, table.pattern, {}, 3);
  ASSERT_THAT(report, IsOk());
  EXPECT_FALSE(report->complete);
}

TEST(VerifyAgainstContributors, RefusesAPatternOfAnotherLength) {
  std::mt19937_64 random(9);
  Table table = RandomTable({2, 2}, 3, random);
  table.pattern.pop_back();
  EXPECT_THAT(VerifyAgainstContributors(table.small.system, table.pattern, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, "one entry per cell"));
}

}  // namespace
}  // namespace sluis::disclosure
