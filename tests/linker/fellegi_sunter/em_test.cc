#include "linker/fellegi_sunter/em.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "tests/linker/fellegi_sunter/synthetic.h"

namespace sluis::linker {
namespace {

using testing::AddPairs;
using testing::Date;
using testing::Name;
using testing::PlanOf;
using testing::Sex;
using testing::TrueField;

// Two names with missing values, a date and a sex; u known.
struct Problem {
  FellegiSunterPlan plan = PlanOf(4);
  std::vector<TrueField> fields;
  EmData data;

  explicit Problem(std::uint64_t seed) : fields{Name(), Name(), Date(), Sex()} {
    fields[0].missing = 0.2;
    fields[2].missing = 0.1;
    std::mt19937_64 random(seed);
    PatternCounts counts;
    AddPairs(fields, true, 800, random, counts);
    AddPairs(fields, false, 1e6, random, counts);
    data.plan = &plan;
    data.counts = counts.Sorted();
    for (const TrueField& field : fields) {
      data.u.push_back(field.u);
    }
    for (const PatternCount& entry : data.counts) {
      double log_u = 0;
      for (std::size_t f = 0; f < fields.size(); ++f) {
        const AgreementLevel level = LevelOf(entry.pattern, f);
        log_u += level == kMissingLevel ? 0 : std::log(fields[f].u[level - 1u]);
      }
      data.log_u.push_back(log_u);
    }
    data.other_pairs = 1000;
    data.min_share = 1e-6;
    data.max_share = 0.01;
  }
};

// The textbook step, pair by pair and field by field, in probabilities instead of logarithms.
MatchParameters NaiveStep(const Problem& problem, const MatchParameters& old) {
  const std::size_t fields = problem.fields.size();
  double matches = 0;
  double pairs = problem.data.other_pairs;
  std::vector<std::vector<double>> sums;
  for (const FieldRule& rule : problem.plan.fields) {
    sums.push_back({rule.prior_disagree * rule.prior_strength, 0, 0, 0, rule.prior_exact * rule.prior_strength});
    const double rest = (1 - rule.prior_disagree - rule.prior_exact) * rule.prior_strength / 3;
    sums.back()[1] = sums.back()[2] = sums.back()[3] = rest;
  }
  for (const PatternCount& entry : problem.data.counts) {
    double match = old.match_share;
    double other = 1 - old.match_share;
    for (std::size_t f = 0; f < fields; ++f) {
      const int level = LevelOf(entry.pattern, f);
      if (level > 0) {
        match *= old.m[f][static_cast<std::size_t>(level - 1)];
        other *= problem.fields[f].u[static_cast<std::size_t>(level - 1)];
      }
    }
    const double expected = static_cast<double>(entry.pairs) * match / (match + other);
    matches += expected;
    pairs += static_cast<double>(entry.pairs);
    for (std::size_t f = 0; f < fields; ++f) {
      if (LevelOf(entry.pattern, f) > 0) {
        sums[f][LevelOf(entry.pattern, f) - 1u] += expected;
      }
    }
  }
  MatchParameters next{matches / pairs, sums};
  for (std::vector<double>& m : next.m) {
    const double total = std::accumulate(m.begin(), m.end(), 0.0);
    for (double& value : m) {
      value /= total;
    }
  }
  return next;
}

TEST(EmStep, EqualsTheTextbookStepWhereNoConstraintBinds) {
  const Problem problem(1);
  MatchParameters parameters = Starts(problem.data)[2];
  for (int step = 0; step < 10; ++step) {
    const MatchParameters naive = NaiveStep(problem, parameters);
    const MatchParameters next = EmStep(problem.data, parameters);
    EXPECT_NEAR(next.match_share / naive.match_share, 1, 1e-9);
    for (std::size_t f = 0; f < 3; ++f) {  // the sex's similarity levels are as rare in matches as the prior: they bind
      for (std::size_t l = 0; l < 5; ++l) {
        EXPECT_NEAR(next.m[f][l], naive.m[f][l], 1e-9) << "step " << step << " field " << f << " level " << l;
      }
    }
    parameters = next;
  }
}

TEST(EmStep, NeverLowersTheObjective) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const Problem problem(seed);
    for (MatchParameters parameters : Starts(problem.data)) {
      double last = -std::numeric_limits<double>::infinity();
      for (int step = 0; step < 40; ++step) {
        const double objective = Objective(problem.data, parameters);
        EXPECT_GE(objective, last - 1e-7 * std::abs(last));
        last = objective;
        parameters = EmStep(problem.data, parameters);
      }
    }
  }
}

TEST(EmStep, WeightsRiseWithAgreementAndSharesStayWithinBounds) {
  Problem problem(3);
  problem.data.max_share = 1e-4;  // the data ask for 8e-4
  for (const MatchParameters& start : Starts(problem.data)) {
    const EmRun run = RunEm(problem.data, start, 50);
    EXPECT_LE(run.parameters.match_share, 1e-4);
    EXPECT_GE(run.parameters.match_share, 1e-6);
    for (std::size_t f = 0; f < 4; ++f) {
      EXPECT_NEAR(std::accumulate(run.parameters.m[f].begin(), run.parameters.m[f].end(), 0.0), 1, 1e-9);
      for (std::size_t l = 1; l < 5; ++l) {
        EXPECT_GE(run.parameters.m[f][l] / problem.fields[f].u[l],
                  run.parameters.m[f][l - 1] / problem.fields[f].u[l - 1] * (1 - 1e-9));
      }
    }
  }
}

TEST(EmStep, AStrongPriorOfTheNumberOfMatchesDecides) {
  Problem problem(4);
  problem.plan.expected_matches = 400;
  problem.plan.expected_matches_strength = 1e7;
  const EmRun run = RunEm(problem.data, Starts(problem.data)[0], 300);
  EXPECT_NEAR(run.parameters.match_share * 1.0018e6, 400, 10);
}

// All distributions on a grid of 1/60 that have rising m / u.
TEST(MonotoneDistribution, IsTheBestOfAllAllowedOnAGrid) {
  std::mt19937_64 random(9);
  std::uniform_real_distribution<double> uniform(0.05, 1);
  constexpr int kSteps = 60;
  for (int trial = 0; trial < 50; ++trial) {
    std::vector<double> counts = {uniform(random), uniform(random), uniform(random)};
    std::vector<double> u = {uniform(random), uniform(random), uniform(random)};
    const double sum_u = u[0] + u[1] + u[2];
    for (double& value : u) {
      value /= sum_u;
    }
    const auto gain = [&](const std::vector<double>& m) {
      return counts[0] * std::log(m[0]) + counts[1] * std::log(m[1]) + counts[2] * std::log(m[2]);
    };
    const std::vector<double> found = MonotoneDistribution(counts, u, 1);
    EXPECT_NEAR(found[0] + found[1] + found[2], 1, 1e-12);
    EXPECT_LE(found[0] / u[0], found[1] / u[1] + 1e-12);
    EXPECT_LE(found[1] / u[1], found[2] / u[2] + 1e-12);
    for (int i = 1; i < kSteps; ++i) {
      for (int j = 1; i + j < kSteps; ++j) {
        const std::vector<double> m = {double(i) / kSteps, double(j) / kSteps, double(kSteps - i - j) / kSteps};
        if (m[0] / u[0] <= m[1] / u[1] && m[1] / u[1] <= m[2] / u[2]) {
          EXPECT_GE(gain(found), gain(m) - 1e-12);
        }
      }
    }
  }
}

TEST(MonotoneDistribution, CutsDisagreementAndScalesTheRest) {
  EXPECT_THAT(MonotoneDistribution(std::vector<double>{90, 4, 6}, std::vector<double>{0.97, 0.02, 0.01}, 0.5),
              ::testing::ElementsAre(::testing::DoubleNear(0.5, 1e-12), ::testing::DoubleNear(0.2, 1e-12),
                                     ::testing::DoubleNear(0.3, 1e-12)));
}

TEST(Starts, BeginAtTheLargestShareAndSpanSixPowersOfTen) {
  const Problem problem(5);
  const std::vector<MatchParameters> starts = Starts(problem.data);
  ASSERT_EQ(starts.size(), 10u);  // 1e-2 to 1e-6
  EXPECT_EQ(starts[0].match_share, 0.01);
  EXPECT_NEAR(starts[9].match_share / 1e-6, 1, 1e-6);
  EXPECT_NEAR(starts[0].m[0][0], 0.1, 1e-12);
  EXPECT_NEAR(starts[1].m[0][0], 1.0 / 3, 1e-12);
}

}  // namespace
}  // namespace sluis::linker
