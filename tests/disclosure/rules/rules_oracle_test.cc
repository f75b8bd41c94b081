// The rules once more, from what they are meant to prevent: somebody's estimate of the largest contribution. Nothing is
// shared with disclosure/rules but the rule's parameters: contributors are counted out in quarters of units, and
// protection levels are found by trying widths one after the other.

#include <algorithm>
#include <functional>
#include <numeric>
#include <random>
#include <vector>

#include "common/status/matchers.h"
#include "disclosure/rules/contributions.h"
#include "disclosure/system/int128.h"
#include "gtest/gtest.h"

namespace sluis::disclosure {
namespace {

constexpr int64_t kQuarters = 4;
constexpr int64_t kWidest = 5'000;  // above every width of the cells drawn here

// A cell as contributions, one per holding, with weights in quarters.
struct Drawn {
  std::vector<int64_t> amount;
  std::vector<int64_t> quarters;  // >= 4

  std::vector<Contribution> Records() const {
    std::vector<Contribution> records;
    for (size_t i = 0; i < amount.size(); ++i) {
      records.push_back({.holding = i + 1, .amount = amount[i], .weight = quarters[i] * kWeightOne / kQuarters});
    }
    return records;
  }
  // Magnitudes of all quarters of units, descending.
  std::vector<int64_t> QuarterUnits() const {
    std::vector<int64_t> units;
    for (size_t i = 0; i < amount.size(); ++i) {
      units.insert(units.end(), static_cast<size_t>(quarters[i]), std::abs(amount[i]));
    }
    std::sort(units.rbegin(), units.rend());
    return units;
  }
};

// The k-th largest unit times 4, k from 0.
int64_t Unit(const std::vector<int64_t>& quarter_units, int64_t k) {
  int64_t sum = 0;
  for (int64_t q = k * kQuarters; q < (k + 1) * kQuarters && q < static_cast<int64_t>(quarter_units.size()); ++q) {
    sum += quarter_units[static_cast<size_t>(q)];
  }
  return sum;
}

int64_t SmallestWidth(const std::function<bool(int64_t)>& safe) {
  for (int64_t width = 0; width <= kWidest; ++width) {
    if (safe(width)) return width;
  }
  ADD_FAILURE() << "no width protects";
  return -1;
}

// `total`: of magnitudes, as published, hence after rounding of each record.
int64_t WidthOfDominance(const Drawn& cell, int64_t total, int n, int k) {
  const std::vector<int64_t> units = cell.QuarterUnits();
  int64_t largest = 0;
  for (int j = 0; j < n; ++j) largest += Unit(units, j);
  return SmallestWidth([&](int64_t width) { return 100 * largest <= k * kQuarters * (total + width); });
}

// The second unit subtracts itself and what it knows of the rest, to within q%, from the largest total possible.
int64_t WidthAgainstTheSecond(const Drawn& cell, int64_t total, int p, int q) {
  const std::vector<int64_t> units = cell.QuarterUnits();
  const int64_t first = Unit(units, 0), second = Unit(units, 1);
  const int64_t rest = std::max<int64_t>(kQuarters * total - first - second, 0);
  const int64_t known_total = first + second + rest;
  return SmallestWidth([&](int64_t width) {
    const int64_t estimate100 = 100 * (known_total + kQuarters * width - second) - (100 - q) * rest;
    // What the wider interval adds belongs to the rest, of which the second knows all but q%.
    const int64_t correction = (100 - q) * kQuarters * width;
    return estimate100 - correction >= (100 + p) * first;
  });
}

Drawn DrawCell(std::mt19937_64& random, bool weighted, bool negative) {
  Drawn cell;
  const auto below = [&](int64_t n) { return static_cast<int64_t>(random() % static_cast<uint64_t>(n)); };
  const int64_t contributors = 1 + below(6);
  const int64_t ties = below(3);  // 0: all equal
  for (int64_t i = 0; i < contributors; ++i) {
    int64_t amount = ties == 0 && i > 0 ? std::abs(cell.amount[0]) : ties == 1 ? below(4) * 10 : below(400);
    if (negative && below(2) == 0) amount = -amount;
    cell.amount.push_back(amount);
    cell.quarters.push_back(weighted ? kQuarters + below(10) : kQuarters);
  }
  return cell;
}

class RulesOracle : public ::testing::TestWithParam<std::pair<bool, bool>> {};

TEST_P(RulesOracle, AgreesOnRandomCells) {
  const auto [weighted, negative] = GetParam();
  std::mt19937_64 random(weighted * 2 + negative);
  int sensitive = 0;
  for (int trial = 0; trial < 1500; ++trial) {
    const Drawn cell = DrawCell(random, weighted, negative);
    const int n = 1 + static_cast<int>(random() % 3), k = 20 + static_cast<int>(random() % 80);
    const int q = 2 + static_cast<int>(random() % 99),
              p = 1 + static_cast<int>(random() % static_cast<uint64_t>(q - 1));
    ContributionCollector collector(
        {.top = 3, .weights = weighted, .negative = negative, .least_amount = negative ? -400 : 0});
    SLUIS_ASSERT_OK(collector.Add(cell.Records()));
    const CellContributions& cells = collector.cells();
    const int64_t total = negative ? cells.magnitude[0] : cells.total[0];
    const auto check = [&](const RuleSet& rules, int64_t width) {
      const auto status = EvaluateRules(cells, MeasureKind::kAmount, rules);
      SLUIS_ASSERT_OK(status);
      EXPECT_EQ(status->front().upper_level, width) << "trial " << trial;
      EXPECT_EQ(status->front().reason != PrimaryReason::kNone, width > 0);
      const int64_t room = cells.total[0] - (negative ? cells.floor[0] : 0);
      EXPECT_EQ(status->front().lower_level, std::min(width, room));
      sensitive += width > 0;
    };
    check({.dominance = {{.n = n, .k_percent = k}}}, WidthOfDominance(cell, total, n, k));
    check({.p_percent = PPercentRule{.p = p}}, WidthAgainstTheSecond(cell, total, p, 100));
    check({.prior_posterior = PriorPosteriorRule{.p = p, .q = q}}, WidthAgainstTheSecond(cell, total, p, q));
  }
  EXPECT_GT(sensitive, 800);
  EXPECT_LT(sensitive, 4000);
}

INSTANTIATE_TEST_SUITE_P(All, RulesOracle,
                         ::testing::Values(std::pair(false, false), std::pair(true, false), std::pair(false, true),
                                           std::pair(true, true)));

// What p% promises, played through: with the total anywhere up to total + width, the second largest cannot be sure to
// be within p% of the largest, whatever the others had.
TEST(RulesOracleByEstimate, TheSecondLargestCannotGetWithinPPercent) {
  std::mt19937_64 random(99);
  for (int trial = 0; trial < 3000; ++trial) {
    std::vector<int64_t> amount(1 + random() % 5);
    for (int64_t& x : amount) x = static_cast<int64_t>(random() % 60);
    std::sort(amount.rbegin(), amount.rend());
    const int p = 1 + static_cast<int>(random() % 100);
    const int64_t total = std::accumulate(amount.begin(), amount.end(), int64_t{0});
    const int64_t x1 = amount[0], x2 = amount.size() > 1 ? amount[1] : 0;
    CellContributions cells = {.contributors = {static_cast<int64_t>(amount.size())}, .total = {total}};
    cells.top_per_cell = 2;
    cells.top = {x1, x2};
    const auto status = EvaluateRules(cells, MeasureKind::kAmount, {.p_percent = PPercentRule{.p = p}});
    SLUIS_ASSERT_OK(status);
    const int64_t upper = total + status->front().upper_level;
    // The largest x1' that the second holds possible: some total up to `upper`, the others at least 0.
    int64_t estimate = 0;
    for (int64_t possible = 0; possible + x2 <= upper; ++possible) estimate = possible;
    EXPECT_GE(100 * estimate, (100 + p) * x1);
    if (status->front().upper_level > 0) {
      EXPECT_LT(100 * (estimate - 1), (100 + p) * x1) << "wider than needed";
    }
  }
}

}  // namespace
}  // namespace sluis::disclosure
