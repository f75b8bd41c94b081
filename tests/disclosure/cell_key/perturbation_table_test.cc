#include "disclosure/cell_key/perturbation_table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <random>
#include <string>

#include "common/status/matchers.h"
#include "disclosure/cell_key/max_entropy.h"
#include "gtest/gtest.h"

namespace sluis::disclosure {
namespace {

using common::testing::StatusIs;

double Probability(const PerturbationRow& row, int32_t change) {
  for (size_t k = 0; k < row.change.size(); ++k) {
    if (row.change[k] == change) return static_cast<double>(row.units[k]) / static_cast<double>(kWhole);
  }
  return 0;
}

PerturbationTable Designed(const PerturbationDesign& design) {
  const auto table = DesignTable(design);
  EXPECT_THAT(table, common::testing::IsOk());
  return table.ok() ? *table : PerturbationTable{};
}

// tau-ARGUS ships the table of scenario 5a with D 5, js 2 and V 2; its rows have a variance of 2.001
// (github.com/sdcTools/tauargus, data/cellkey/Frequency/20160511_szenario_5a.txt).
const PerturbationDesign kScenario5a = {.max_change = 5, .variance_milli = 2000, .gap = 2, .monotone = true};

TEST(DesignTable, FindsThePublishedTableOfScenario5a) {
  PerturbationDesign design = kScenario5a;
  design.variance_milli = 2001;
  const PerturbationTable table = Designed(design);
  ASSERT_EQ(table.rows.size(), 9u);
  const std::map<int32_t, std::map<int32_t, double>> published = {
      {3, {{-3, .147338915}, {0, .511339453}, {1, .255081228}, {2, .073041044}, {3, .012005353}, {4, .001132667}}},
      {4,
       {{-4, .045995212},
        {-1, .314047011},
        {0, .314047011},
        {1, .198700339},
        {2, .090774859},
        {3, .028970489},
        {4, .00645906},
        {5, .001006019}}},
      {5,
       {{-5, .003330903},
        {-2, .146677645},
        {-1, .23908883},
        {0, .264780149},
        {1, .199224291},
        {2, .101842691},
        {3, .035371065},
        {4, .00834636},
        {5, .001338065}}},
      {6,
       {{-3, .034374945},
        {-2, .110485178},
        {-1, .221327031},
        {0, .276333351},
        {1, .215030751},
        {2, .104288465},
        {3, .031523931},
        {4, .005938993},
        {5, .000697355}}},
      {7,
       {{-4, .005354551},
        {-3, .030321008},
        {-2, .104577478},
        {-1, .219688167},
        {0, .281092422},
        {1, .21906126},
        {2, .10398148},
        {3, .030062174},
        {4, .005293693},
        {5, .000567768}}}};
  for (const auto& [row, chances] : published) {
    for (const auto& [change, p] : chances) {
      EXPECT_NEAR(Probability(table.rows[static_cast<size_t>(row)], change), p, 2e-6) << row << " " << change;
    }
  }
  for (const int32_t sign : {-1, 1}) {
    const PerturbationRow& last = table.rows.back();
    EXPECT_NEAR(Probability(last, sign * 1), .2196146845, 1e-7);
    EXPECT_NEAR(Probability(last, sign * 5), .000550166, 1e-7);
  }
  // Counts of 1 and 2 stand near the least variance they can have. The published rows give each change at least 1e-7.
  EXPECT_NEAR(Probability(table.rows[1], -1), .666749933, 2e-6);
  EXPECT_NEAR(Probability(table.rows[1], 2), .333000567, 2e-6);
  EXPECT_NEAR(Probability(table.rows[1], 3), .0002493, 2e-6);
  EXPECT_NEAR(Probability(table.rows[2], 1), .6663346, 2e-6);
}

// With V 2 exactly, a count of 1 becomes 0 or 3, and one of 2 too: the least variance there is.
TEST(DesignTable, HasOneDistributionAtTheLeastVariance) {
  const PerturbationTable table = Designed(kScenario5a);
  EXPECT_EQ(table.rows[1], (PerturbationRow{.change = {-1, 2}, .units = {kWhole / 3 * 2, kWhole / 3}}));
  EXPECT_EQ(table.rows[2], (PerturbationRow{.change = {-2, 1}, .units = {kWhole / 3, kWhole / 3 * 2}}));
}

TEST(DesignTable, KeepsEveryMomentExactly) {
  std::mt19937 random(7);
  int designed = 0;
  for (int i = 0; i < 400; ++i) {
    PerturbationDesign design;
    design.max_change = std::uniform_int_distribution(1, 10)(random);
    design.steps = i % 3 == 0 ? std::uniform_int_distribution(1, 5)(random) : 1;
    design.variance_milli = std::uniform_int_distribution(100, 500 * design.max_change)(random);
    design.gap = design.steps > 1 ? 0 : std::uniform_int_distribution(0, std::min(3, design.max_change - 1))(random);
    design.stay_milli = i % 2 == 0 ? 0 : std::uniform_int_distribution(100, 700)(random);
    design.monotone = i % 5 < 2;
    const auto table = DesignTable(design);
    if (!table.ok()) {
      EXPECT_THAT(table, StatusIs(absl::StatusCode::kInvalidArgument, "its changes allow a variance between"));
      continue;
    }
    ++designed;
    SLUIS_EXPECT_OK(CheckTable(*table));
    for (size_t r = 1; r < table->rows.size(); ++r) {
      const PerturbationRow& row = table->rows[r];
      int64_t sum = 0;
      long double mean = 0, variance = 0;
      for (size_t k = 0; k < row.change.size(); ++k) {
        const long double v = static_cast<long double>(row.change[k]) / design.steps;
        sum += row.units[k];
        mean += v * static_cast<long double>(row.units[k]);
        variance += v * v * static_cast<long double>(row.units[k]);
        EXPECT_GE(static_cast<int32_t>(r) * design.steps + row.change[k], 0);
        const int32_t result = static_cast<int32_t>(r) + row.change[k];
        EXPECT_FALSE(design.gap > 0 && result >= 1 && result <= design.gap);
      }
      EXPECT_EQ(sum, kWhole);
      EXPECT_NEAR(static_cast<double>(mean / kWhole), 0, 1e-16);
      EXPECT_NEAR(static_cast<double>(variance / kWhole), design.variance_milli / 1000.0, 1e-14);
      if (static_cast<int32_t>(r) > design.gap) {
        EXPECT_GE(Probability(row, 0) + 1e-15, design.stay_milli / 1000.0);
      }
    }
  }
  EXPECT_GT(designed, 100);
}

// Any distribution with the same moments has no more entropy: shifted along directions that keep sum, mean and
// variance, and the order of probabilities where it is asked for.
TEST(DesignTable, HasTheLargestEntropy) {
  const auto entropy = [](const std::vector<double>& p) {
    double h = 0;
    for (const double x : p) h -= x > 0 ? x * std::log(x) : 0;
    return h;
  };
  std::mt19937 random(11);
  for (const bool monotone : {false, true}) {
    for (int32_t row = 3; row <= 7; ++row) {
      std::vector<double> value;
      for (int v = -5; v <= 5; ++v) {
        if (row + v == 0 || row + v > 2) value.push_back(v);
      }
      const auto p = MaximiseEntropy({.value = value, .variance = 2, .monotone = monotone});
      ASSERT_TRUE(p.has_value());
      const double best = entropy(*p);
      int tried = 0;
      for (int i = 0; i < 3000; ++i) {
        // A direction over four values in the null space of (1, v, v^2): Lagrange weights.
        std::array<size_t, 4> k{};
        for (size_t& x : k) x = std::uniform_int_distribution<size_t>(0, value.size() - 1)(random);
        std::sort(k.begin(), k.end());
        if (std::adjacent_find(k.begin(), k.end()) != k.end()) continue;
        std::vector<double> other = *p;
        const double step = std::uniform_real_distribution(-1e-3, 1e-3)(random);
        for (size_t a = 0; a < 4; ++a) {
          double weight = 1;
          for (size_t b = 0; b < 4; ++b) weight /= a == b ? 1 : value[k[a]] - value[k[b]];
          other[k[a]] += step * weight;
        }
        bool allowed = *std::min_element(other.begin(), other.end()) >= 0;
        for (size_t a = 0; monotone && a + 1 < value.size(); ++a) {
          allowed = allowed && (value[a + 1] > 0 || other[a] <= other[a + 1] + 1e-12);
          allowed = allowed && (value[a] < 0 || other[a] >= other[a + 1] - 1e-12);
        }
        if (!allowed) continue;
        ++tried;
        EXPECT_LE(entropy(other), best + 1e-10);
      }
      EXPECT_GT(tried, 50);
    }
  }
}

TEST(PoolTowardsZero, IsTheNearestMonotoneVector) {
  // Brute force over a grid: no other monotone vector is nearer.
  std::mt19937 random(3);
  const std::vector<double> value = {-2, -1, 0, 1};
  for (int i = 0; i < 50; ++i) {
    std::vector<double> theta(4);
    for (double& t : theta) t = std::uniform_int_distribution(0, 4)(random);
    std::vector<double> pooled = theta;
    EXPECT_EQ(PoolTowardsZero(value, pooled).size(), 4u);
    EXPECT_TRUE(pooled[0] <= pooled[1] && pooled[1] <= pooled[2] && pooled[2] >= pooled[3]);
    const auto distance = [&](const std::vector<double>& x) {
      double sum = 0;
      for (size_t k = 0; k < 4; ++k) sum += (x[k] - theta[k]) * (x[k] - theta[k]);
      return sum;
    };
    for (int code = 0; code < 17 * 17 * 17 * 17; ++code) {
      const std::vector<double> x = {code % 17 / 4.0, code / 17 % 17 / 4.0, code / 289 % 17 / 4.0, code / 4913 / 4.0};
      if (x[0] > x[1] || x[1] > x[2] || x[3] > x[2]) continue;
      ASSERT_GE(distance(x), distance(pooled) - 1e-9);
    }
  }
}

TEST(DesignTable, RefusesWhatNoDistributionCanKeep) {
  // 1 can go to 0 or to 3 and beyond only: the least variance is 1 * 2.
  EXPECT_THAT(DesignTable({.max_change = 5, .variance_milli = 1999, .gap = 2}),
              StatusIs(absl::StatusCode::kInvalidArgument, "row 1: no distribution with mean 0 has the variance"));
  EXPECT_THAT(DesignTable({.max_change = 3, .variance_milli = 3500}),
              StatusIs(absl::StatusCode::kInvalidArgument, "between 0 and 3000 thousandths"));
  // Staying with .9 leaves .1 for a variance of 3: too little even at the ends.
  EXPECT_THAT(DesignTable({.max_change = 5, .variance_milli = 3000, .stay_milli = 900}),
              StatusIs(absl::StatusCode::kInvalidArgument, "no distribution keeps all demands"));
  EXPECT_THAT(DesignTable({.max_change = 0, .variance_milli = 3000}),
              StatusIs(absl::StatusCode::kInvalidArgument, "max_change: 1 .. 20"));
  EXPECT_THAT(DesignTable({.max_change = 5, .steps = 2, .variance_milli = 3000, .gap = 1}),
              StatusIs(absl::StatusCode::kInvalidArgument, "gap: 0 .. 0"));
}

TEST(CheckTable, SeesEveryChangeOfAProbability) {
  const PerturbationTable good = Designed(kScenario5a);
  SLUIS_ASSERT_OK(CheckTable(good));
  const auto refused = [](const PerturbationTable& table, const char* why) {
    EXPECT_THAT(CheckTable(table), StatusIs(absl::StatusCode::kInvalidArgument, why));
  };
  PerturbationTable table = good;
  ++table.rows[5].units[0];
  refused(table, "row 5: the probabilities do not add up to 1");
  --table.rows[5].units[1];
  refused(table, "row 5: the mean is not 0");
  // Sum and mean stay, the variance does not.
  table = good;
  ++table.rows[8].units[0];
  table.rows[8].units[1] -= 2;
  ++table.rows[8].units[2];
  refused(table, "row 8: the variance");
  table = good;
  table.rows[3].change[1] = -1;  // 3 - 1 = 2 is in the gap
  refused(table, "row 3: a change is not allowed here");
  table = good;
  std::swap(table.rows[3].change[1], table.rows[3].change[2]);
  refused(table, "ascending order");
  table = good;
  table.rows[0] = {.change = {0, 3}, .units = {kWhole - 1, 1}};
  refused(table, "row 0: a change is not allowed");
  table = good;
  table.rows.pop_back();
  refused(table, "9 rows are expected");
  table = good;
  table.design.stay_milli = 300;
  refused(table, "row 5: the probability of no change");
  table = good;
  table.design.variance_milli = 1999;
  refused(table, "the variance is not that of the design");
  // The order of probabilities: swap mass between +1 and +4 so that all moments stay.
  table = Designed({.max_change = 2, .variance_milli = 1500});
  table.design.monotone = true;
  refused(table, "the order of probabilities");
}

TEST(LookUpChange, GivesEachChangeItsShareOfAllDraws) {
  const PerturbationTable table = Designed(kScenario5a);
  for (size_t r = 0; r < table.rows.size(); ++r) {
    const PerturbationRow& row = table.rows[r];
    // The first and the last draw of each change.
    __extension__ typedef unsigned __int128 Uint128;
    int64_t below = 0;
    for (size_t k = 0; k < row.change.size(); ++k) {
      const auto first_draw = [](int64_t unit) {
        return static_cast<uint64_t>((((Uint128{1} << 64) * static_cast<Uint128>(unit)) + kWhole - 1) / kWhole);
      };
      EXPECT_EQ(LookUpChange(table, static_cast<int64_t>(r), first_draw(below)), row.change[k]);
      below += row.units[k];
      const uint64_t last = below == kWhole ? ~uint64_t{0} : first_draw(below) - 1;
      EXPECT_EQ(LookUpChange(table, static_cast<int64_t>(r), last), row.change[k]);
    }
  }
  EXPECT_EQ(LookUpChange(table, 1'000'000'000'000, 12345), LookUpChange(table, 8, 12345));
}

TEST(ReadTable, ReadsWhatWasWrittenAndNothingElse) {
  for (const PerturbationDesign& design :
       {kScenario5a, PerturbationDesign{.max_change = 4, .steps = 5, .variance_milli = 1250, .stay_milli = 100}}) {
    const PerturbationTable table = Designed(design);
    const std::string text = WriteTable(table);
    const auto read = ReadTable(text);
    SLUIS_ASSERT_OK(read);
    EXPECT_EQ(*read, table);
    // Bytes lost, added or changed: an error, or the same chances said to be designed for less.
    std::mt19937 random(5);
    for (int i = 0; i < 3000; ++i) {
      std::string broken = text;
      const size_t at = std::uniform_int_distribution<size_t>(0, text.size() - 1)(random);
      if (i % 3 == 0) broken.erase(at, 1 + static_cast<size_t>(i) % 7);
      if (i % 3 == 1) broken.insert(at, 1, "0123456789,-\n x"[static_cast<size_t>(i) % 15]);
      if (i % 3 == 2) broken[at] = static_cast<char>(std::uniform_int_distribution(0, 255)(random));
      if (broken == text) continue;
      const auto other = ReadTable(broken);
      if (!other.ok()) continue;
      EXPECT_EQ(other->rows, table.rows);
      EXPECT_LE(other->design.stay_milli, table.design.stay_milli + 1000 / 8);
      EXPECT_EQ(WriteTable(*other), broken);
    }
  }
  EXPECT_THAT(ReadTable(""), StatusIs(absl::StatusCode::kInvalidArgument, "line 1"));
  EXPECT_THAT(ReadTable("format,sluis-perturbation-table-v1\nmax_change,99999999999\n"),
              StatusIs(absl::StatusCode::kInvalidArgument, "line 2"));
}

}  // namespace
}  // namespace sluis::disclosure
