#include "disclosure/bound/capacity_cut.h"

#include <random>
#include <vector>

#include "disclosure/bound/cut_descent.h"
#include "disclosure/bound/cut_master.h"
#include "gtest/gtest.h"
#include "tests/disclosure/bound/patterns.h"

namespace sluis::disclosure {
namespace {

using testing::CostOf;
using testing::ForEachPattern;
using testing::IsSafe;
using testing::SmallTable;
using testing::TinyProblem;

bool Satisfies(const CapacityCut& cut, const std::vector<uint8_t>& pattern) {
  int64_t sum = 0;
  for (size_t k = 0; k < cut.cell.size(); ++k) {
    if (pattern[static_cast<size_t>(cut.cell[k])] != 0) sum += cut.coefficient[k];
  }
  return sum >= cut.need;
}

TEST(CutMaker, OneRelationGivesTheCutThatOneWorksOutByHand) {
  // total 10 = 2 + 3 + 5; the first part is primary with a level of 2 both ways.
  testing::SmallTable table = testing::MakeSmallTable({3}, {"value"}, [n = 0](size_t) mutable {
    return ++n == 1 ? 2 : n == 2 ? 3 : 5;
  });
  testing::MakePrimary(table.system, 0, 1, 2);
  table.system.measures[0].upper_bound.assign(4, 11);
  const ProtectionModel model(table.system);
  ASSERT_EQ(model.attackers().size(), 2u);
  CutMaker maker(model);
  const Aggregate relation{.entries = {{.relation = 0, .times = 1}}};
  // Up by 2: the total goes up (by 1 at most), or the other parts down.
  const auto up = maker.Make(model.attackers()[1], relation);
  ASSERT_TRUE(up.has_value());
  EXPECT_EQ(up->need, 2);
  EXPECT_EQ(up->cell, (std::vector<int32_t>{0, 2, 3}));
  EXPECT_EQ(up->coefficient, (std::vector<int64_t>{1, 2, 2}));
  const auto down = maker.Make(model.attackers()[0], relation);
  ASSERT_TRUE(down.has_value());
  EXPECT_EQ(down->coefficient, (std::vector<int64_t>{2, 2, 2}));
  // With the total given, one unit is left for the parts, and no coefficient counts for more.
  const std::vector<uint8_t> total_given = {1, 0, 0, 0};
  const auto cover = maker.Make(model.attackers()[1], relation, total_given);
  ASSERT_TRUE(cover.has_value());
  EXPECT_EQ(cover->need, 1);
  EXPECT_EQ(cover->cell, (std::vector<int32_t>{2, 3}));
  EXPECT_EQ(cover->coefficient, (std::vector<int64_t>{1, 1}));
}

TEST(CutMaker, NoCutExcludesAPatternThatProtects) {
  std::mt19937_64 random(31);
  int cuts = 0;
  for (int trial = 0; trial < 8; ++trial) {
    const SmallTable table = TinyProblem(random, trial % 2 == 1);
    const ProtectionModel model(table.system);
    CutMaker maker(model);
    CutDescent descent(model);
    std::vector<CapacityCut> made;
    for (int k = 0; k < 60; ++k) {
      const Attacker& attacker = model.attackers()[random() % model.attackers().size()];
      Aggregate aggregate;
      for (int32_t r = 0; r < model.num_relations(); ++r) {
        const int64_t times = static_cast<int64_t>(random() % 5) - 2;
        if (times != 0) aggregate.entries.push_back({.relation = r, .times = times});
      }
      std::vector<uint8_t> present(static_cast<size_t>(model.num_cells()), 0);
      std::vector<double> weight(present.size(), 0.1);
      for (size_t i = 0; i < present.size(); ++i) {
        present[i] = random() % 4 == 0;
        weight[i] += static_cast<double>(random() % 10) / 10;
      }
      const auto own = model.RelationsOf(attacker.cell);
      const Aggregate descended = descent.Run(attacker, CutDescent::Seed(attacker, own[random() % own.size()]), weight);
      for (const Aggregate& a : {aggregate, descended}) {
        for (const std::span<const uint8_t> given : {std::span<const uint8_t>{}, std::span<const uint8_t>(present)}) {
          if (auto cut = maker.Make(attacker, a, given)) made.push_back(*std::move(cut));
        }
      }
    }
    cuts += static_cast<int>(made.size());
    ForEachPattern(table.system, [&](const std::vector<uint8_t>& pattern) {
      bool all = true;
      for (const CapacityCut& cut : made) all = all && Satisfies(cut, pattern);
      if (!all) {
        EXPECT_FALSE(IsSafe(table.system, pattern));
      }
    });
  }
  EXPECT_GT(cuts, 200);
}

TEST(BoundOf, IsBelowEveryPatternThatSatisfiesTheCutsWhateverTheMultipliers) {
  std::mt19937_64 random(32);
  for (int trial = 0; trial < 20; ++trial) {
    const SmallTable table = TinyProblem(random, false);
    const ProtectionModel model(table.system);
    CutMaker maker(model);
    std::vector<CapacityCut> cuts;
    std::vector<double> multiplier;
    for (const Attacker& attacker : model.attackers()) {
      for (const auto& relation : model.RelationsOf(attacker.cell)) {
        auto cut = maker.Make(attacker, CutDescent::Seed(attacker, relation));
        if (!cut) continue;
        cuts.push_back(*std::move(cut));
        multiplier.push_back(static_cast<double>(random() % 1000) / 37);
      }
    }
    std::vector<uint8_t> lower(static_cast<size_t>(model.num_cells()), 0);
    std::vector<uint8_t> upper(lower.size(), 1);
    std::vector<int64_t> reduced;
    const int64_t bound = BoundOf(model, cuts, multiplier, lower, upper, &reduced);
    ForEachPattern(table.system, [&](const std::vector<uint8_t>& pattern) {
      for (const CapacityCut& cut : cuts) {
        if (!Satisfies(cut, pattern)) return;
      }
      const int64_t cost = CostOf(table.system, pattern);
      EXPECT_LE(bound, cost);
      for (size_t i = 0; i < pattern.size(); ++i) {
        const bool elsewhere = (reduced[i] > 0 && pattern[i] != 0) || (reduced[i] < 0 && pattern[i] == 0);
        if (elsewhere) {
          EXPECT_LE(bound - 1 + std::abs(reduced[i]), cost);
        }
      }
    });
  }
}

}  // namespace
}  // namespace sluis::disclosure
