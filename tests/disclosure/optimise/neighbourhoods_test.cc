#include "disclosure/optimise/neighbourhoods.h"

#include <random>
#include <vector>

#include "common/status/matchers.h"
#include "gtest/gtest.h"
#include "tests/disclosure/bound/patterns.h"

namespace sluis::disclosure {
namespace {

using testing::CostOf;
using testing::IsSafe;

// Every suppressible cell suppressed: protects if anything does.
std::vector<uint8_t> AllOf(const CellSystem& system) { return system.suppressible; }

TEST(Neighbourhoods, LeadFromEverythingSuppressedToTheOptimum) {
  std::mt19937_64 random(71);
  int reached = 0;
  int solved = 0;
  for (int trial = 0; trial < 40; ++trial) {
    const testing::SmallTable table = testing::TinyProblem(random, trial % 2 == 1);
    const auto optimum = testing::Optimum(table.system);
    if (!optimum) continue;
    ++solved;
    const ProtectionModel model(table.system);
    const auto relaxation = Relaxation::Create(model, {.threads = 1, .stop = {}, .progress = {}});
    SLUIS_ASSERT_OK(relaxation);
    Closing closing(model);
    Neighbourhoods neighbourhoods(model, **relaxation, closing);
    std::vector<uint8_t> best = AllOf(table.system);
    int64_t cost = CostOf(table.system, best);
    for (int k = 0; k < 20 && cost > 0; ++k) {
      const auto answer = neighbourhoods.Search(best, cost, 1'000'000, 1, {});
      SLUIS_ASSERT_OK(answer);
      if (answer->pattern.empty()) continue;
      EXPECT_LT(answer->cost, cost);
      EXPECT_EQ(answer->cost, CostOf(table.system, answer->pattern));
      EXPECT_TRUE(IsSafe(table.system, answer->pattern));
      best = answer->pattern;
      cost = answer->cost;
    }
    EXPECT_GE(cost, *optimum);
    reached += cost == *optimum ? 1 : 0;
  }
  EXPECT_GT(solved, 8);
  EXPECT_EQ(reached, solved);  // these tables fit into one neighbourhood
}

TEST(Neighbourhoods, EndWhenStopped) {
  std::mt19937_64 random(72);
  const testing::SmallTable table = testing::TinyProblem(random, false);
  const ProtectionModel model(table.system);
  const auto relaxation = Relaxation::Create(model, {.threads = 1, .stop = {}, .progress = {}});
  SLUIS_ASSERT_OK(relaxation);
  Closing closing(model);
  Neighbourhoods neighbourhoods(model, **relaxation, closing);
  const std::vector<uint8_t> best = AllOf(table.system);
  const auto answer = neighbourhoods.Search(best, CostOf(table.system, best), 1'000'000, 1, [] { return true; });
  SLUIS_ASSERT_OK(answer);
  EXPECT_TRUE(answer->pattern.empty());
  EXPECT_FALSE(answer->searched);
}

}  // namespace
}  // namespace sluis::disclosure
