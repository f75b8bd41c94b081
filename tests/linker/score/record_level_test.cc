#include "linker/score/record_level.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <initializer_list>
#include <random>

#include "common/status/matchers.h"
#include "linker/kernel/isotonic.h"
#include "linker/score/null_tail.h"
#include "tests/linker/kernel/tables.h"
#include "tests/linker/score/synthetic.h"

namespace sluis::linker {
namespace {

using common::testing::StatusIs;
using testing::AppendRow;
using testing::EmptyTable;
using ::testing::HasSubstr;
using testing::MakeSynthetic;
using testing::Synthetic;

const RecordLevelOptions kOptions = {.fit = {.resamplings = 20}};

CandidateBatches AllPairs(std::size_t rows_b) {
  return [=](std::size_t begin, std::size_t end,
             const std::function<absl::Status(std::span<const CandidatePair>)>& visit) {
    for (auto i = static_cast<std::uint32_t>(begin); i < end; ++i) {
      std::vector<CandidatePair> pairs;
      for (std::uint32_t j = 0; j < rows_b; ++j) {
        pairs.push_back({i, j});
      }
      if (absl::Status status = visit(pairs); !status.ok()) {
        return status;
      }
    }
    return absl::OkStatus();
  };
}

TEST(FitRecordLevel, GivesOneResultWhateverTheThreadsAndTheSourceOfCandidates) {
  const Synthetic data = MakeSynthetic({.rows_a = 300, .rows_b = 350, .matches = 150, .error = 0.3});
  const auto once = FitRecordLevel(data.a, &data.b, *ScoreExhaustively(data.a, &data.b), kOptions);
  SLUIS_ASSERT_OK(once);
  EXPECT_TRUE(once->fit.credible);
  EXPECT_GT(once->rounds, 0);
  RecordLevelOptions options = kOptions;
  options.fit.threads = 3;
  for (const std::uint64_t max_pairs : {kMaxExhaustivePairs, std::uint64_t{0}}) {
    const auto scorer = ChooseCandidates(data.a, &data.b, AllPairs(350), {.threads = 3}, max_pairs);
    const auto again = FitRecordLevel(data.a, &data.b, *scorer, options);
    SLUIS_ASSERT_OK(again);
    EXPECT_EQ(once->pairs, again->pairs);
    EXPECT_EQ(once->fit.threshold, again->fit.threshold);
    EXPECT_EQ(once->fit.precision.low, again->fit.precision.low);
  }
}

TEST(FitRecordLevel, PairsAreOrderedOnceEachAndNotAboveZeroBelowTheThreshold) {
  const Synthetic data = MakeSynthetic({.rows_a = 300, .rows_b = 300, .matches = 150, .error = 0.4});
  const auto fit = FitRecordLevel(data.a, &data.b, *ScoreExhaustively(data.a, &data.b), kOptions);
  SLUIS_ASSERT_OK(fit);
  std::size_t likely = 0;
  for (std::size_t i = 0; i < fit->pairs.size(); ++i) {
    EXPECT_TRUE(std::isfinite(fit->pairs[i].log_odds));
    EXPECT_GE(fit->pairs[i].log_odds, kOptions.least_log_odds);
    likely += fit->pairs[i].log_odds > 0 ? 1 : 0;
    if (i > 0) {
      EXPECT_LT(std::pair(fit->pairs[i - 1].a, fit->pairs[i - 1].b), std::pair(fit->pairs[i].a, fit->pairs[i].b));
    }
  }
  EXPECT_NEAR(static_cast<double>(likely), 150, 15);
}

TEST(FitRecordLevel, RecallCarriesWhatBlockingMissed) {
  const Synthetic data = MakeSynthetic({.rows_a = 200, .rows_b = 200, .matches = 150});
  const auto whole = FitRecordLevel(data.a, &data.b, *ScoreExhaustively(data.a, &data.b), kOptions);
  RecordLevelOptions options = kOptions;
  options.fit.blocking_recall = 0.5;
  const auto half = FitRecordLevel(data.a, &data.b, *ScoreExhaustively(data.a, &data.b), options);
  SLUIS_ASSERT_OK(whole);
  SLUIS_ASSERT_OK(half);
  EXPECT_DOUBLE_EQ(half->fit.recall.value, whole->fit.recall.value / 2);
}

// Of all pairs those that blocking would find: of matches all but every fifth, of the others half.
CandidateBatches Blocked(const Synthetic& data) {
  return [rows_b = data.b.rows(), matches = data.matches](
             std::size_t begin, std::size_t end,
             const std::function<absl::Status(std::span<const CandidatePair>)>& visit) {
    std::vector<CandidatePair> pairs;
    for (auto i = static_cast<std::uint32_t>(begin); i < end; ++i) {
      for (std::uint32_t j = 0; j < rows_b; ++j) {
        if (i == j && i < matches ? i % 5 != 0 : (i + j) % 2 == 1) pairs.push_back({i, j});
      }
    }
    return visit(pairs);
  };
}

TEST(FitRecordLevel, FitsBlockedCandidatesToRowsThatAreComparedInFull) {
  // Relatives by threes: what strangers' spacings foretell is far too low for them.
  const Synthetic data = MakeSynthetic({.rows_a = 1200, .rows_b = 1500, .matches = 900, .error = 0.2, .household = 3});
  const auto whole = FitRecordLevel(data.a, &data.b, *ScoreExhaustively(data.a, &data.b), kOptions);
  SLUIS_ASSERT_OK(whole);
  RecordLevelOptions options = kOptions;
  options.fit.blocking_recall = 0.5;  // is not needed: the rows drawn show what was missed
  const auto scorer = ScoreCandidates(data.a, &data.b, Blocked(data));
  for (const std::uint64_t pairs : {std::uint64_t{100'000'000}, std::uint64_t{0}}) {  // all rows are drawn; 500 of a
    options.compared_pairs = pairs;
    const auto fit = FitRecordLevel(data.a, &data.b, *scorer, options);
    SLUIS_ASSERT_OK(fit);
    ASSERT_TRUE(fit->fit.credible) << fit->fit.why_not;
    EXPECT_EQ(fit->fit.links, static_cast<double>(fit->links.size()));
    const testing::Truth truth = TruthOf(*fit, data);
    EXPECT_NEAR(truth.recall, 0.8 * TruthOf(*whole, data).recall, 0.04);
    EXPECT_NEAR(fit->fit.precision.value, truth.precision, 0.04);
    // Of 375 links that the smaller sample has, 80 % are found: a standard deviation of 0.02. Matches that no score can
    // tell from relatives come to that, in either fit.
    EXPECT_NEAR(fit->fit.recall.value, 0.8 * whole->fit.recall.value, 0.06);
    EXPECT_NEAR(fit->fit.matches / options.fit.blocking_recall, whole->fit.matches, 0.08 * whole->fit.matches);
  }
}

TEST(FitRecordLevel, FitsToAllCandidatesWhereRowsComparedInFullHaveFewLinks) {
  const Synthetic data = MakeSynthetic({.rows_a = 2500, .rows_b = 2500, .matches = 40, .error = 0.05});
  RecordLevelOptions options = kOptions;
  options.compared_pairs = 0;  // 500 rows, 8 matches
  options.fit.blocking_recall = 0.5;
  const auto fit = FitRecordLevel(data.a, &data.b, *ScoreCandidates(data.a, &data.b, Blocked(data)), options);
  SLUIS_ASSERT_OK(fit);
  ASSERT_TRUE(fit->fit.credible) << fit->fit.why_not;
  EXPECT_NEAR(TruthOf(*fit, data).recall, 0.8, 0.05);
  EXPECT_GE(TruthOf(*fit, data).precision, 0.9);
  EXPECT_NEAR(fit->fit.recall.value, 0.5, 0.05);  // what was missed is not seen, and taken as given
}

// Half of the people of each source have two records in it, those of both sources included.
struct Repeated {
  EncodingTable a = *EncodingTable::Create(1024);
  EncodingTable b = *EncodingTable::Create(1024);
  std::vector<std::size_t> persons_a;  // by row
  std::vector<std::size_t> persons_b;

  explicit Repeated(double error) {
    testing::SyntheticEncoder encoder(3);
    for (std::size_t person = 0; person < 600; ++person) {
      const auto values = encoder.Person(6);
      const auto append = [&](EncodingTable* table, std::vector<std::size_t>* persons) {
        for (std::size_t copy = 0; copy < 1 + person % 2; ++copy) {
          encoder.Append(encoder.Dirty(values, error), 0.02, table);
          persons->push_back(person);
        }
      };
      if (person < 400) append(&a, &persons_a);
      if (person >= 200) append(&b, &persons_b);
    }
  }
};

TEST(FitRecordLevel, LinksAllRecordsOfAPersonBetweenSourcesThatRepeatPeople) {
  const Repeated data(0.1);
  RecordLevelOptions options = kOptions;
  options.fit.first_null = 8;
  const auto fit = FitRecordLevel(data.a, &data.b, *ScoreExhaustively(data.a, &data.b), options);
  SLUIS_ASSERT_OK(fit);
  ASSERT_TRUE(fit->fit.credible) << fit->fit.why_not;
  EXPECT_EQ(fit->fit.no_match_odds, 1);
  const double matches = 100 + 100 * 4;  // of one record each, and of two with two
  double right = 0;
  for (const CandidatePair& link : fit->links) right += data.persons_a[link.a] == data.persons_b[link.b] ? 1 : 0;
  const auto links = static_cast<double>(fit->links.size());
  EXPECT_EQ(links, fit->fit.links);
  EXPECT_GT(right / links, 0.97);
  EXPECT_GT(right / matches, 0.95);
  EXPECT_NEAR(fit->fit.precision.value, right / links, 0.03);
  EXPECT_NEAR(fit->fit.recall.value, right / matches, 0.05);
  EXPECT_NEAR(fit->fit.matches, matches, 25);
  std::size_t likely = 0;
  for (const ScoredPair& pair : fit->pairs) {
    likely += pair.log_odds > 0 && data.persons_a[pair.a] == data.persons_b[pair.b] ? 1 : 0;
  }
  EXPECT_GT(static_cast<double>(likely) / matches, 0.95);
}

TEST(FitRecordLevel, LinksNoStrangersWhereNearlyEveryRecordHasAnExactCopy) {
  EncodingTable table = *EncodingTable::Create(1024);
  testing::SyntheticEncoder encoder(9);
  constexpr std::uint32_t kPersons = 500, kSingle = 5;
  for (std::uint32_t person = 0; person < kPersons; ++person) {
    encoder.Append(encoder.Person(6), 0.02, &table);
  }
  for (std::uint32_t person = kSingle; person < kPersons; ++person) {
    SLUIS_ASSERT_OK(table.Append(std::vector<std::uint64_t>(table.row(person).begin(), table.row(person).end())));
  }
  RecordLevelOptions options = kOptions;
  options.fit.first_null = 8;
  const auto fit = FitRecordLevel(table, nullptr, *ScoreExhaustively(table, nullptr), options);
  SLUIS_ASSERT_OK(fit);
  ASSERT_TRUE(fit->fit.credible) << fit->fit.why_not;
  double right = 0;
  for (const CandidatePair& link : fit->links) right += link.b == link.a + kPersons - kSingle ? 1 : 0;
  EXPECT_EQ(right, kPersons - kSingle);
  EXPECT_GE(right / static_cast<double>(fit->links.size()), 0.99);
}

TEST(FitRecordLevel, FallsBackOnTheSelfScoreWithFewerThanThirtyRows) {
  const Synthetic data = MakeSynthetic({.rows_a = 20, .rows_b = 40, .matches = 10, .error = 0.1});
  const auto fit = FitRecordLevel(data.a, &data.b, *ScoreExhaustively(data.a, &data.b), kOptions);
  SLUIS_ASSERT_OK(fit);
  EXPECT_FALSE(fit->fit.credible);
  EXPECT_THAT(fit->fit.why_not, HasSubstr("20 rows"));
  EXPECT_NE(fit->fit.threshold, kLinkNothing);
  std::size_t right = 0;
  for (const CandidatePair& pair : fit->links) {
    EXPECT_TRUE(pair.a == pair.b && pair.a < 10);
    ++right;
  }
  EXPECT_GE(right, 8u);
}

TEST(FitRecordLevel, LinksNothingWhereNothingTellsRecordsApart) {
  EncodingTable same = EmptyTable(128);
  for (int i = 0; i < 100; ++i) {
    AppendRow(&same, {0x5555, 0xff});
  }
  const EncodingTable none = EmptyTable(128);
  for (const EncodingTable* b : std::initializer_list<const EncodingTable*>{&same, &none}) {
    const auto fit = FitRecordLevel(same, b, *ScoreExhaustively(same, b), kOptions);
    SLUIS_ASSERT_OK(fit);
    EXPECT_FALSE(fit->fit.credible);
    EXPECT_FALSE(fit->fit.why_not.empty());
    EXPECT_TRUE(fit->pairs.empty());
  }
}

TEST(FitRecordLevel, StopsInTheComparisonWithControls) {
  const Synthetic data = MakeSynthetic({.rows_a = 40, .rows_b = 40, .matches = 20});
  std::stop_source stop;
  stop.request_stop();
  RecordLevelOptions options = kOptions;
  options.stop = stop.get_token();
  EXPECT_THAT(FitRecordLevel(data.a, &data.b, *ScoreExhaustively(data.a, &data.b), options),
              StatusIs(absl::StatusCode::kCancelled, "stopped on request"));
}

TEST(FitRecordLevel, RefusesWrongOptions) {
  const Synthetic data = MakeSynthetic({.rows_a = 40, .rows_b = 40, .matches = 10});
  const auto scorer = ScoreExhaustively(data.a, &data.b);
  const EncodingTable narrow = EmptyTable(64);
  EXPECT_THAT(FitRecordLevel(data.a, &narrow, *scorer, kOptions),
              StatusIs(absl::StatusCode::kInvalidArgument, "widths must be equal"));
  RecordLevelOptions options = kOptions;
  options.fit.blocking_recall = 0;
  EXPECT_THAT(FitRecordLevel(data.a, &data.b, *scorer, options),
              StatusIs(absl::StatusCode::kInvalidArgument, "blocking_recall"));
  options = kOptions;
  options.fit.first_null = 1;
  EXPECT_THAT(FitRecordLevel(data.a, &data.b, *scorer, options),
              StatusIs(absl::StatusCode::kInvalidArgument, "first_null"));
}

TEST(BitModel, LeaveOneOutCountsTheOtherPairsOnly) {
  const Synthetic data = MakeSynthetic({.rows_a = 60, .rows_b = 60, .matches = 30});
  const auto fa = BitFrequencies(data.a);
  const auto fb = BitFrequencies(data.b);
  std::vector<CandidatePair> pairs;
  for (std::uint32_t i = 0; i < 30; ++i) {
    pairs.push_back({i, i});
  }
  const auto scores = BitModel::LeaveOneOutScores(data.a, data.b, pairs, fa, fb);
  SLUIS_ASSERT_OK(scores);
  const auto all = BitModel::Learn(data.a, data.b, pairs, fa, fb);  // only for the error, which all pairs give
  SLUIS_ASSERT_OK(all);
  const auto bit_of = [](const EncodingTable& table, std::size_t row, std::uint32_t bit) {
    return static_cast<int>(table.row(row)[bit / 64] >> (bit % 64) & 1);
  };
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    double score = 0;
    for (std::uint32_t bit = 0; bit < 1024; ++bit) {
      const int x = bit_of(data.a, i, bit);
      const int y = bit_of(data.b, i, bit);
      double alike = 0;  // other pairs with the same two values
      for (std::size_t other = 0; other < pairs.size(); ++other) {
        alike += other != i && bit_of(data.a, other, bit) == x && bit_of(data.b, other, bit) == y ? 1 : 0;
      }
      const double p = (fa[bit] + fb[bit]) / 2;
      const double q11 = p * (1 - all->error);
      const double q10 = p * all->error;
      const double q00 = std::max(1 - q11 - 2 * q10, 0.02);
      const double q = x + y == 1 ? q10 : (x == 1 ? q11 : q00);
      const double match = (alike + 20 * q) / (29 + 20 * (q11 + 2 * q10 + q00));
      score += std::log(match / ((x == 1 ? fa[bit] : 1 - fa[bit]) * (y == 1 ? fb[bit] : 1 - fb[bit])));
    }
    EXPECT_NEAR((*scores)[i], score, 1e-6);
  }
}

TEST(NullTail, DistanceAndIntensityAreInverse) {
  for (const double gamma : {-0.3, -0.05, 0.0}) {
    const NullTail tail{std::log(12.0), gamma};
    for (const double to : {20.0, 3.0, 1.0, 0.01}) {
      EXPECT_NEAR(tail.Intensity(9, tail.Distance(9, to)), to, 1e-6 * to);
    }
  }
}

TEST(NullTail, IsFoundFromSpacings) {
  const double gamma = -0.2;
  std::vector<double> lambdas, spacings, weights;
  for (int j = 2; j < 10; ++j) {
    lambdas.push_back(j);
    spacings.push_back(5 * std::pow(j, gamma));
    weights.push_back(1);
  }
  const NullTail tail = FitNullTail(lambdas, spacings, weights);
  EXPECT_NEAR(tail.gamma, gamma, 1e-9);
  EXPECT_NEAR(tail.alpha, std::log(5.0), 1e-9);
}

TEST(NullTail, TakesSpacingsOfNearlyNothingForWhatTheyAre) {
  // As in a source of exact copies: strangers come in twos, so every second spacing is next to nothing.
  for (const double least : {0.0, 0.01}) {
    std::vector<double> lambdas, spacings, weights;
    for (int j = 7; j < 15; ++j) {
      lambdas.push_back(j);
      spacings.push_back(j % 2 == 0 ? least : 10);
      weights.push_back(1000);
    }
    const NullTail tail = FitNullTail(lambdas, spacings, weights);
    EXPECT_NEAR(tail.Intensity(10, 1), 10 * std::exp(-1 / 5.0), 0.5) << least;  // 5 on average
  }
  EXPECT_EQ(FitNullTail(std::vector<double>{7, 8, 9}, std::vector<double>(3), std::vector<double>(3, 1)).alpha, 0);
}

TEST(MakeNonDecreasing, IsTheLeastSquaresSolution) {
  std::vector<double> values = {1, 3, 2, 2, 5, 4};
  const std::vector<double> weights = {1, 1, 1, 2, 1, 3};
  MakeNonDecreasing(values, weights);
  EXPECT_THAT(values, ::testing::Pointwise(::testing::DoubleEq(), {1.0, 2.25, 2.25, 2.25, 4.25, 4.25}));
}

TEST(PoissonAtLeast, IsTheTailSum) {
  EXPECT_DOUBLE_EQ(PoissonAtLeast(0, 2), 1);
  EXPECT_NEAR(PoissonAtLeast(1, 2), 1 - std::exp(-2.0), 1e-12);
  EXPECT_NEAR(PoissonAtLeast(3, 2), 1 - 5 * std::exp(-2.0), 1e-12);
  EXPECT_GT(PoissonAtLeast(30, 0.1), 0);
  EXPECT_LT(PoissonAtLeast(30, 0.1), 1e-50);
  EXPECT_EQ(PoissonAtLeast(3, 0), 0);
}

TEST(PoissonAtLeast, IsTheTailSumWhereTheFirstTermIsTooSmallForADouble) {
  for (const double mean : {700.0, 745.0, 746.0, 800.0, 999.0, 1000.0}) {
    std::vector<double> terms;  // from logarithms, far beyond where they matter
    for (double i = 0; i < 3000; ++i) {
      terms.push_back(std::exp(i * std::log(mean) - mean - std::lgamma(i + 1)));
    }
    for (const double deviations : {-6.0, -1.0, 0.0, 1.0, 4.0, 8.0}) {
      const double count = std::round(mean + deviations * std::sqrt(mean));
      double sum = 0;
      for (std::size_t i = terms.size(); i-- > static_cast<std::size_t>(count);) sum += terms[i];
      EXPECT_NEAR(PoissonAtLeast(count, mean) / sum, 1, 1e-9) << "mean " << mean << " count " << count;
    }
  }
}

}  // namespace
}  // namespace sluis::linker
