#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "common/status/matchers.h"
#include "disclosure/attack/attack.h"
#include "disclosure/suppress/suppress.h"
#include "gtest/gtest.h"
#include "tests/disclosure/small_tables.h"

// Contributors as attackers, against an oracle that enumerates all tables that each coalition must hold possible. The
// oracle works from who contributed what to each inner cell, and knows nothing of systems, indices or deviations.

namespace sluis::disclosure {
namespace {

using common::testing::IsOk;
using common::testing::StatusIs;
using testing::EnumerateIntervals;
using testing::MakePrimary;
using testing::MakeSmallTable;
using testing::SmallTable;
using testing::WholeInterval;

constexpr int kPeople = 5;

struct Problem {
  SmallTable table;
  std::vector<std::map<int, int64_t>> own;  // per cell: contributor -> amount, totals included
};

bool Contains(const SmallTable& table, int32_t total, int32_t inner) {
  const std::vector<int32_t> margin = table.shape.Codes(total);
  const std::vector<int32_t> codes = table.shape.Codes(inner);
  for (size_t d = 0; d < codes.size(); ++d) {
    if (margin[d] != 0 && margin[d] != codes[d]) return false;
  }
  return true;
}

// Inner cells of one to three contributors out of five, so that some are alone in several cells. `all_shares`: the
// system names all contributors; else only those of cells with few.
Problem RandomProblem(const std::vector<int32_t>& sizes, std::mt19937_64& random, ContributorProtection protection,
                      int32_t coalition, bool all_shares) {
  std::vector<std::map<int, int64_t>> inner;
  Problem problem{.table = MakeSmallTable(sizes, {"value"},
                                          [&](size_t) {
                                            std::map<int, int64_t>& own = inner.emplace_back();
                                            const uint64_t size = random() % 4;
                                            while (own.size() < size) {
                                              own.emplace(static_cast<int>(random() % kPeople),
                                                          1 + static_cast<int64_t>(random() % 2));
                                            }
                                            int64_t sum = 0;
                                            for (const auto& [person, amount] : own) sum += amount;
                                            return sum;
                                          }),
                  .own = {}};
  CellSystem& system = problem.table.system;
  problem.own.resize(static_cast<size_t>(system.num_cells));
  for (int32_t cell = 0; cell < system.num_cells; ++cell) {
    for (size_t k = 0; k < inner.size(); ++k) {
      if (!Contains(problem.table, cell, problem.table.inner[k])) continue;
      for (const auto& [person, amount] : inner[k]) problem.own[static_cast<size_t>(cell)][person] += amount;
    }
  }
  for (const int32_t cell : problem.table.inner) {
    const size_t people = problem.own[static_cast<size_t>(cell)].size();
    if ((people > 0 && people < 3 && random() % 4 != 0) || (people > 2 && random() % 8 == 0)) {
      MakePrimary(system, 0, cell, 1 + static_cast<int64_t>(random() % 2));
    }
  }
  SetUpperBounds(system);
  system.contributors.protection = protection;
  system.contributors.coalition = coalition;
  for (const auto& own : problem.own) system.contributors.in_cell.push_back(static_cast<int64_t>(own.size()));
  system.contributors.contributor.resize(kPeople);
  for (int32_t cell = 0; cell < system.num_cells; ++cell) {
    const auto& own = problem.own[static_cast<size_t>(cell)];
    if (!all_shares && static_cast<int32_t>(own.size()) > coalition) continue;
    for (const auto& [person, amount] : own) {
      Contributor& contributor = system.contributors.contributor[static_cast<size_t>(person)];
      contributor.cell.push_back(cell);
      contributor.amount.push_back(amount);
    }
  }
  return problem;
}

// All sets of 0 to `coalition` contributors.
std::vector<std::set<int>> Coalitions(int32_t coalition) {
  std::vector<std::set<int>> sets;
  for (unsigned mask = 0; mask < 1u << kPeople; ++mask) {
    std::set<int> members;
    for (int person = 0; person < kPeople; ++person) {
      if ((mask >> person & 1) != 0) members.insert(person);
    }
    if (static_cast<int32_t>(members.size()) <= coalition) sets.push_back(members);
  }
  return sets;
}

// What the coalition knows of each cell beforehand.
std::vector<WholeInterval> KnownTo(const Problem& problem, const std::set<int>& members, bool all_shares,
                                   int32_t coalition) {
  std::vector<WholeInterval> known(problem.own.size(), {.low = 0, .high = kNoUpperBound});
  for (size_t cell = 0; cell < known.size(); ++cell) {
    const auto& own = problem.own[cell];
    if (own.empty()) continue;
    bool all = true;
    int64_t sum = 0;
    for (const auto& [person, amount] : own) {
      if (members.count(person) != 0) {
        sum += amount;
      } else {
        all = false;
      }
    }
    if (all) known[cell] = {.low = sum, .high = sum};
    if (!all && (all_shares || static_cast<int32_t>(own.size()) <= coalition)) known[cell].low = sum;
  }
  return known;
}

// Whether a primary cell is not protected against some coalition.
bool FallsShort(const Problem& problem, const Pattern& pattern, bool all_shares) {
  const CellSystem& system = problem.table.system;
  const Measure& measure = system.measures[0];
  const Contributors& contributors = system.contributors;
  for (const std::set<int>& members : Coalitions(contributors.coalition)) {
    const std::vector<WholeInterval> known = KnownTo(problem, members, all_shares, contributors.coalition);
    const std::vector<WholeInterval> seen = EnumerateIntervals(problem.table, 0, pattern, known);
    for (size_t i = 0; i < known.size(); ++i) {
      if (measure.reason[i] == PrimaryReason::kNone || known[i].low == known[i].high) continue;
      bool holds = pattern[i] != 0;
      if (contributors.protection == ContributorProtection::kLevel || members.empty()) {
        holds = holds && seen[i].high >= measure.value[i] + measure.upper_level[i] &&
                seen[i].low <= std::max(measure.value[i] - measure.lower_level[i], known[i].low);
      } else {
        holds = holds && seen[i].low < seen[i].high;
      }
      if (!holds) return true;
    }
  }
  return false;
}

struct Setting {
  ContributorProtection protection;
  int32_t coalition;
  bool all_shares;
};

class SuppressAgainstContributors : public ::testing::TestWithParam<Setting> {};

TEST_P(SuppressAgainstContributors, ProtectsWhatEnumerationSaysIsProtected) {
  const Setting setting = GetParam();
  std::mt19937_64 random(7);
  int solved = 0;
  int outsiders_are_not_enough = 0;
  for (int trial = 0; trial < 60; ++trial) {
    Problem problem =
        RandomProblem({3, trial % 8 == 0 ? 3 : 2}, random, setting.protection, setting.coalition, setting.all_shares);
    CellSystem& system = problem.table.system;
    ASSERT_THAT(Validate(system), IsOk());
    const auto result = Suppress(system, {});
    if (!result.ok()) {
      EXPECT_THAT(result, StatusIs(absl::StatusCode::kFailedPrecondition, "cannot be protected"));
      EXPECT_TRUE(FallsShort(problem, system.suppressible, setting.all_shares)) << "trial " << trial;
      continue;
    }
    ++solved;
    EXPECT_FALSE(FallsShort(problem, result->pattern, setting.all_shares)) << "trial " << trial;
    SLUIS_EXPECT_OK(CheckCertificate(system, result->pattern, result->certificate));
    // Without the rule a contributor can find out what the rule forbids: this test can fail.
    system.contributors.protection = ContributorProtection::kNone;
    const auto without = Suppress(system, {});
    ASSERT_THAT(without, IsOk());
    system.contributors.protection = setting.protection;
    if (!FallsShort(problem, without->pattern, setting.all_shares)) continue;
    ++outsiders_are_not_enough;
    EXPECT_THAT(CheckCertificate(system, without->pattern, without->certificate),
                StatusIs(absl::StatusCode::kFailedPrecondition, "holds against contributor"));
  }
  EXPECT_GT(solved, 8);
  EXPECT_GT(outsiders_are_not_enough, 4);
}

INSTANTIATE_TEST_SUITE_P(All, SuppressAgainstContributors,
                         ::testing::Values(Setting{ContributorProtection::kLevel, 1, false},
                                           Setting{ContributorProtection::kExact, 1, false},
                                           Setting{ContributorProtection::kLevel, 2, false},
                                           Setting{ContributorProtection::kExact, 2, false},
                                           Setting{ContributorProtection::kLevel, 1, true},
                                           Setting{ContributorProtection::kExact, 1, true},
                                           Setting{ContributorProtection::kLevel, 2, true}));

}  // namespace
}  // namespace sluis::disclosure
