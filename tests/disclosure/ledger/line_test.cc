#include "disclosure/ledger/line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "common/status/matchers.h"

namespace sluis::disclosure {
namespace {

using common::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::SizeIs;

AtomSet Set(std::uint64_t bits) { return {bits}; }

LinePlan CloseOrDie(const std::vector<AtomSet>& family) {
  auto plan = CloseLine(family, LineLimits{});
  EXPECT_TRUE(plan.ok()) << plan.status();
  return plan.ok() ? *std::move(plan) : LinePlan{};
}

TEST(MakePartition, TellsApartWhatAnySetTellsApart) {
  const ValueSet adults{.ranges = {{0, 100}}}, older{.ranges = {{0, 90}}};
  const ValueSet unknown{.codes = {"_U"}}, either{.codes = {"_U"}, .ranges = {{0, 100}}}, all{.everything = true};
  const Partition partition = MakePartition(std::vector{adults, older, unknown, either, all});
  // The unnamed, _U, 0..89, 90..99.
  EXPECT_EQ(partition.num_atoms, 4u);
  EXPECT_TRUE(IsSubset(partition.sets[1], partition.sets[0]));
  EXPECT_EQ(CountAtoms(Minus(partition.sets[0], partition.sets[1])), 1u);
  EXPECT_TRUE(AreDisjoint(partition.sets[0], partition.sets[2]));
  EXPECT_EQ(Minus(partition.sets[3], partition.sets[0]), partition.sets[2]);
  EXPECT_EQ(CountAtoms(Minus(partition.sets[4], partition.sets[3])), 1u);
  EXPECT_EQ(partition.Everything(), partition.sets[4]);
}

TEST(MakePartition, PutsValuesInOneAtomThatNoSetTellsApart) {
  const Partition partition =
      MakePartition(std::vector{ValueSet{.codes = {"a", "b"}}, ValueSet{.codes = {"a", "b", "c"}}});
  EXPECT_EQ(partition.num_atoms, 3u);
  EXPECT_EQ(CountAtoms(partition.sets[0]), 1u);
}

TEST(MakePartition, TakesRangesWithoutLengthAsEmpty) {
  const Partition partition = MakePartition(std::vector{ValueSet{.ranges = {{5, 5}, {9, 3}}}});
  EXPECT_EQ(partition.num_atoms, 1u);
  EXPECT_TRUE(IsEmpty(partition.sets[0]));
}

TEST(CloseLine, AddsNothingToATree) {
  const LinePlan plan = CloseOrDie({Set(0b11111), Set(0b00111), Set(0b11000), Set(0b00001), Set(0b00110)});
  EXPECT_THAT(plan.differences, SizeIs(0));
  EXPECT_THAT(plan.sums, ElementsAre(LineSum{0, {1, 2}}, LineSum{1, {3, 4}}));
}

TEST(CloseLine, FindsTheYearBetweenTwoLimitsOfAge) {
  const LinePlan plan = CloseOrDie({Set(0b111), Set(0b110)});
  EXPECT_THAT(plan.differences, ElementsAre(LineDifference{{{0, 1}, {1, -1}}}));
  EXPECT_EQ(plan.sets[2], Set(0b001));
  EXPECT_THAT(plan.sums, ElementsAre(LineSum{0, {1, 2}}));
}

TEST(CloseLine, FindsWhatThreeSetsLeaveTogether) {
  // 18+, 20+ and 19: what is left is 18.
  const LinePlan plan = CloseOrDie({Set(0b111), Set(0b100), Set(0b010)});
  EXPECT_NE(std::find(plan.sets.begin(), plan.sets.end(), Set(0b001)), plan.sets.end());
}

TEST(CloseLine, FindsTheIntersectionThatTwoDifferencesGive) {
  // all - a = b - (a and b), where a and b together are all.
  const LinePlan plan = CloseOrDie({Set(0b111), Set(0b011), Set(0b110)});
  EXPECT_NE(std::find(plan.sets.begin(), plan.sets.end(), Set(0b010)), plan.sets.end());
}

TEST(CloseLine, FindsWhatTwoSetsLeaveThatTogetherHoldAThird) {
  const LinePlan plan = CloseOrDie({Set(0b0011), Set(0b1100), Set(0b0110)});
  EXPECT_NE(std::find(plan.sets.begin(), plan.sets.end(), Set(0b1001)), plan.sets.end());
}

TEST(CloseLine, LeavesSetsThatOnlyOverlap) {
  const LinePlan plan = CloseOrDie({Set(0b011), Set(0b110)});
  EXPECT_THAT(plan.differences, SizeIs(0));
  EXPECT_THAT(plan.sums, SizeIs(0));
}

TEST(CloseLine, RefusesRelationsThatNoSumSays) {
  // 12 + 23 + 31 = 14 + 24 + 34 - 3 * 4 + ... : pairs of five values, of which no two disjoint ones hold a third.
  std::vector<AtomSet> pairs;
  for (int a = 0; a < 5; ++a) {
    for (int b = 0; b < a; ++b) pairs.push_back(Set(std::uint64_t{1} << a | std::uint64_t{1} << b));
  }
  EXPECT_THAT(CloseLine(pairs, LineLimits{}), StatusIs(absl::StatusCode::kResourceExhausted, "tangled"));
}

TEST(CloseLine, SaysAllThatHoldsWhereTwoSumsAreOneSet) {
  const LinePlan plan = CloseOrDie({Set(0b1111), Set(0b0011), Set(0b1100), Set(0b0110), Set(0b1001)});
  EXPECT_EQ(plan.sums.size(), 2u);
}

TEST(CloseLine, KeepsToItsLimits) {
  EXPECT_THAT(CloseLine(std::vector{Set(0b111), Set(0b110)}, LineLimits{.max_sets = 2}),
              StatusIs(absl::StatusCode::kResourceExhausted, "tangled"));
}

// The oracle: all sets that a chain of differences and disjoint unions can make, by trying until nothing is new.
std::set<std::uint64_t> AllDerivable(const std::vector<AtomSet>& family) {
  std::set<std::uint64_t> all;
  for (const AtomSet& set : family) all.insert(set[0]);
  for (;;) {
    std::set<std::uint64_t> more = all;
    for (const std::uint64_t a : all) {
      for (const std::uint64_t b : all) {
        if (a != b && (a & b) == b) more.insert(a & ~b);
        if ((a & b) == 0) more.insert(a | b);
      }
    }
    if (more.size() == all.size()) return all;
    all = std::move(more);
  }
}

std::set<std::uint64_t> DisjointUnions(const std::vector<AtomSet>& sets) {
  std::set<std::uint64_t> all = {0};
  for (const AtomSet& set : sets) {
    std::set<std::uint64_t> more = all;
    for (const std::uint64_t a : all) {
      if ((a & set[0]) == 0) more.insert(a | set[0]);
    }
    all = std::move(more);
  }
  all.erase(0);
  return all;
}

TEST(CloseLine, FindsWhatAChainOfDifferencesFinds) {
  std::mt19937 random(20261123);
  int tangled = 0;
  for (int round = 0; round < 400; ++round) {
    const std::uint64_t everything = 0b111111;
    std::set<std::uint64_t> bits = {everything};
    const auto size = static_cast<std::size_t>(2 + random() % 5);
    while (bits.size() < size) bits.insert(1 + random() % everything);
    std::vector<AtomSet> family;
    for (const std::uint64_t one : bits) family.push_back(Set(one));
    const auto plan = CloseLine(family, LineLimits{});
    if (!plan.ok()) {
      ++tangled;
      continue;
    }
    std::map<std::uint64_t, std::size_t> seen;
    for (const AtomSet& set : plan->sets) EXPECT_EQ(++seen[set[0]], 1u);
    for (std::size_t k = 0; k < plan->differences.size(); ++k) {
      const LineDifference& difference = plan->differences[k];
      for (int atom = 0; atom < 6; ++atom) {
        std::int64_t times = 0;
        for (const auto& [term, each] : difference.terms) {
          EXPECT_LT(static_cast<std::size_t>(term), family.size() + k);
          times += each * static_cast<std::int64_t>(plan->sets[static_cast<std::size_t>(term)][0] >> atom & 1);
        }
        EXPECT_EQ(times, static_cast<std::int64_t>(plan->sets[family.size() + k][0] >> atom & 1));
      }
    }
    for (const LineSum& sum : plan->sums) {
      std::uint64_t together = 0;
      for (const std::int32_t part : sum.parts) {
        const std::uint64_t one = plan->sets[static_cast<std::size_t>(part)][0];
        EXPECT_EQ(together & one, 0u);
        together |= one;
      }
      EXPECT_EQ(together, plan->sets[static_cast<std::size_t>(sum.whole)][0]);
    }
    const std::set<std::uint64_t> unions = DisjointUnions(plan->sets);
    for (const std::uint64_t derivable : AllDerivable(family)) {
      EXPECT_TRUE(unions.contains(derivable)) << "round " << round << " set " << derivable;
    }
  }
  EXPECT_LE(tangled, 20);
}

}  // namespace
}  // namespace sluis::disclosure
