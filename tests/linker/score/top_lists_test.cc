#include "linker/score/top_lists.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <utility>
#include <vector>

#include "common/status/matchers.h"
#include "tests/linker/kernel/tables.h"

namespace sluis::linker {
namespace {

using common::testing::StatusIs;
using testing::AppendRow;
using testing::EmptyTable;
using testing::RandomTable;
using testing::SupportedKernels;

BitModel PriorOf(const EncodingTable& a, const EncodingTable& b) {
  return *BitModel::Prior(BitFrequencies(a), BitFrequencies(b));
}

// A pair's score in steps by the definition, bit by bit and in floating point.
double NaiveScore(const BitModel& model, double unit, std::span<const std::uint64_t> x,
                  std::span<const std::uint64_t> y) {
  double sum = 0;
  for (std::size_t i = 0; i < model.w11.size(); ++i) {
    const bool in_x = (x[i / 64] >> (i % 64) & 1) != 0;
    const bool in_y = (y[i / 64] >> (i % 64) & 1) != 0;
    sum += in_x ? (in_y ? model.w11[i] : model.w10[i]) : (in_y ? model.w01[i] : model.w00[i]);
  }
  return sum / unit;
}

// All scores sorted, the first k kept. `b` null: within a.
std::vector<std::vector<std::pair<std::int32_t, std::uint32_t>>> NaiveTop(const EncodingTable& a,
                                                                          const EncodingTable& b,
                                                                          const PairScorer& scorer, std::size_t k,
                                                                          bool within, bool of_b) {
  const auto scores_a = scorer.RowScoresA(a);
  const auto scores_b = scorer.RowScoresB(b);
  std::vector<std::vector<std::pair<std::int32_t, std::uint32_t>>> lists(of_b ? b.rows() : a.rows());
  for (std::uint32_t i = 0; i < a.rows(); ++i) {
    for (std::uint32_t j = 0; j < b.rows(); ++j) {
      if (within && i == j) {
        continue;
      }
      std::int32_t score = scores_a[i] + scores_b[j];
      for (std::uint32_t bit = 0; bit < a.bits(); ++bit) {
        if ((a.row(i)[bit / 64] >> (bit % 64) & b.row(j)[bit / 64] >> (bit % 64) & 1) != 0) {
          score += scorer.weights().weights()[bit];
        }
      }
      lists[of_b ? j : i].push_back({score, of_b ? i : j});
    }
  }
  for (auto& list : lists) {
    std::sort(list.begin(), list.end(), [](const auto& x, const auto& y) {
      return x.first != y.first ? x.first > y.first : x.second < y.second;
    });
    list.resize(std::min(list.size(), k));
  }
  return lists;
}

void ExpectLists(const TopLists& lists,
                 const std::vector<std::vector<std::pair<std::int32_t, std::uint32_t>>>& expected) {
  ASSERT_EQ(lists.rows(), expected.size());
  for (std::size_t row = 0; row < lists.rows(); ++row) {
    for (std::size_t i = 0; i < lists.k(); ++i) {
      const bool there = i < expected[row].size();
      ASSERT_EQ(lists.scores(row)[i], there ? expected[row][i].first : kNoScore) << row << " " << i;
      ASSERT_EQ(lists.others(row)[i], there ? expected[row][i].second : kNoRow) << row << " " << i;
    }
  }
}

std::unique_ptr<CandidateScorer> AllAsCandidates(const EncodingTable& a, const EncodingTable* b, unsigned threads) {
  const std::size_t rows_b = b == nullptr ? a.rows() : b->rows();
  return ScoreCandidates(a, b,
                         [b, rows_b](std::size_t begin, std::size_t end,
                                     const std::function<absl::Status(std::span<const CandidatePair>)>& visit) {
                           std::vector<CandidatePair> pairs;
                           for (std::uint32_t j = 0; j < rows_b; ++j) {  // by b, to show that order does not matter
                             const std::size_t last = b == nullptr ? std::min<std::size_t>(j, end) : end;
                             for (auto i = static_cast<std::uint32_t>(begin); i < last; ++i) {
                               pairs.push_back({i, j});
                               if (j % 7 == 0) {
                                 pairs.push_back({i, j});  // twice
                               }
                             }
                           }
                           return visit(pairs);
                         },
                         {.threads = threads});
}

TEST(PairScorer, ScoresAreTheModelUpToRounding) {
  const EncodingTable a = RandomTable(1024, 20, 0.3, 1);
  const EncodingTable b = RandomTable(1024, 30, 0.4, 2);
  std::vector<double> frequencies_a(1024);
  std::vector<double> frequencies_b(1024);
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> uniform(0.01, 0.7);
  for (std::size_t i = 0; i < 1024; ++i) {
    frequencies_a[i] = uniform(random);
    frequencies_b[i] = uniform(random);
  }
  const auto model = BitModel::Prior(frequencies_a, frequencies_b);
  SLUIS_ASSERT_OK(model);
  const auto scorer = PairScorer::Make(*model);
  SLUIS_ASSERT_OK(scorer);
  EXPECT_LT(scorer->unit(), 0.25);
  const auto lists = ScoreExhaustively(a, &b)->Top(*scorer, 30);
  SLUIS_ASSERT_OK(lists);
  // About 120 common bits, each rounded by at most half a step: a standard deviation of 0.29 * sqrt(120) = 3.2 steps;
  // six of them, over 600 pairs, are never met. Row scores add less than 1.5 together.
  for (std::size_t i = 0; i < a.rows(); ++i) {
    for (std::size_t place = 0; place < 30; ++place) {
      const std::uint32_t j = lists->a.others(i)[place];
      EXPECT_NEAR(lists->a.scores(i)[place], NaiveScore(*model, scorer->unit(), a.row(i), b.row(j)), 21);
    }
  }
}

TEST(TopLists, AreThoseOfTheNaiveScoringForAllKernelsAndThreads) {
  const EncodingTable a = RandomTable(256, 37, 0.4, 4);
  const EncodingTable b = RandomTable(256, 4201, 0.4, 5);  // three blocks
  const auto scorer = PairScorer::Make(PriorOf(a, b));
  SLUIS_ASSERT_OK(scorer);
  const auto expected_a = NaiveTop(a, b, *scorer, 5, false, false);
  const auto expected_b = NaiveTop(a, b, *scorer, 5, false, true);
  for (const Kernel kernel : SupportedKernels()) {
    for (const unsigned threads : {1u, 2u, 5u}) {
      const auto lists = ScoreExhaustively(a, &b, {.kernel = kernel, .threads = threads})->Top(*scorer, 5);
      SLUIS_ASSERT_OK(lists);
      EXPECT_EQ(lists->pairs, 37u * 4201u);
      ExpectLists(lists->a, expected_a);
      ExpectLists(lists->b, expected_b);
      const auto one_sided = TopOfRows(a, b, *scorer, 5, {.kernel = kernel, .threads = threads});
      SLUIS_ASSERT_OK(one_sided);
      ExpectLists(*one_sided, expected_a);
    }
  }
  for (const unsigned threads : {1u, 3u}) {
    const auto lists = AllAsCandidates(a, &b, threads)->Top(*scorer, 5);
    SLUIS_ASSERT_OK(lists);
    ExpectLists(lists->a, expected_a);
    ExpectLists(lists->b, expected_b);
  }
}

TEST(TopLists, LeaveTheRowItselfOutWithinOneSource) {
  const EncodingTable a = RandomTable(256, 150, 0.4, 6);
  const auto scorer = PairScorer::Make(PriorOf(a, a));
  SLUIS_ASSERT_OK(scorer);
  const auto expected = NaiveTop(a, a, *scorer, 4, true, false);
  const auto exhaustive = ScoreExhaustively(a, nullptr, {.threads = 2})->Top(*scorer, 4);
  SLUIS_ASSERT_OK(exhaustive);
  ExpectLists(exhaustive->a, expected);
  EXPECT_EQ(exhaustive->b.rows(), 0u);
  EXPECT_EQ(exhaustive->pairs, 150u * 149u / 2);
  for (const unsigned threads : {1u, 3u}) {
    const auto candidates = AllAsCandidates(a, nullptr, threads)->Top(*scorer, 4);
    SLUIS_ASSERT_OK(candidates);
    ExpectLists(candidates->a, expected);
  }
}

// Over 8,192 rows a thread, in several steps, so that what is for other rows is entered in between.
TEST(TopLists, OfManyRowsAreThoseOfTheNaiveScoringWhateverTheThreads) {
  constexpr std::uint32_t kRows = 40'000;
  constexpr std::uint32_t kOthers = 500;
  const EncodingTable a = RandomTable(64, kRows, 0.4, 21);
  const EncodingTable b = RandomTable(64, kOthers, 0.4, 22);
  const auto scorer = PairScorer::Make(PriorOf(a, b));
  SLUIS_ASSERT_OK(scorer);
  const auto scores_a = scorer->RowScoresA(a);
  const auto scores_b = scorer->RowScoresB(b);
  EXPECT_EQ(scorer->RowScoresA(a, 3), scores_a);
  EXPECT_EQ(BitFrequencies(a, 3), BitFrequencies(a));
  const auto others_of = [](std::uint32_t i) {
    return std::array{i % kOthers, i / 3 % kOthers, (i * 7 + 1) % kOthers, i % kOthers};  // the first twice
  };
  std::vector<std::vector<std::pair<std::int32_t, std::uint32_t>>> expected_a(kRows), expected_b(kOthers);
  for (std::uint32_t i = 0; i < kRows; ++i) {
    for (const std::uint32_t j : others_of(i)) {
      std::int32_t score = scores_a[i] + scores_b[j];
      for (std::uint32_t bit = 0; bit < 64; ++bit) {
        score += (a.row(i)[0] >> bit & b.row(j)[0] >> bit & 1) != 0 ? scorer->weights().weights()[bit] : 0;
      }
      expected_a[i].push_back({-score, j});
      expected_b[j].push_back({-score, i});
    }
  }
  for (auto* const lists : {&expected_a, &expected_b}) {
    for (auto& list : *lists) {
      std::sort(list.begin(), list.end());
      list.erase(std::unique(list.begin(), list.end()), list.end());
      list.resize(std::min<std::size_t>(list.size(), 4));
      for (auto& [score, row] : list) {
        score = -score;
      }
    }
  }
  const CandidateBatches batches = [&](std::size_t begin, std::size_t end, const auto& visit) {
    absl::Status status;
    for (std::size_t i = begin; i < end && status.ok(); i += 100) {
      std::vector<CandidatePair> pairs;
      for (auto row = static_cast<std::uint32_t>(i); row < std::min(i + 100, end); ++row) {
        for (const std::uint32_t j : others_of(row)) {
          pairs.push_back({row, j});
        }
      }
      status = visit(pairs);
    }
    return status;
  };
  for (const unsigned threads : {1u, 2u, 3u}) {
    const auto lists = ScoreCandidates(a, &b, batches, {.threads = threads})->Top(*scorer, 4);
    SLUIS_ASSERT_OK(lists);
    EXPECT_EQ(lists->pairs, 4u * kRows);
    ExpectLists(lists->a, expected_a);
    ExpectLists(lists->b, expected_b);
  }
}

TEST(TopLists, BreakTiesByRowWhenAllRowsAreEqual) {
  EncodingTable a = EmptyTable(128);
  for (int i = 0; i < 300; ++i) {
    AppendRow(&a, {0x5555, 0xff});
  }
  const auto scorer = PairScorer::Make(PriorOf(a, a));
  SLUIS_ASSERT_OK(scorer);
  const auto lists = ScoreExhaustively(a, &a, {.threads = 3})->Top(*scorer, 3);
  SLUIS_ASSERT_OK(lists);
  for (std::size_t row = 0; row < a.rows(); ++row) {
    EXPECT_THAT(lists->a.others(row), ::testing::ElementsAre(0, 1, 2));
    EXPECT_THAT(lists->b.others(row), ::testing::ElementsAre(0, 1, 2));
  }
}

TEST(TopLists, HoldNoScoreWhereThereIsNoRow) {
  const EncodingTable a = RandomTable(128, 2, 0.5, 1);
  const EncodingTable none = EmptyTable(128);
  const auto scorer = PairScorer::Make(PriorOf(a, none));
  SLUIS_ASSERT_OK(scorer);
  const auto lists = ScoreExhaustively(a, &none)->Top(*scorer, 2);
  SLUIS_ASSERT_OK(lists);
  EXPECT_THAT(lists->a.scores(1), ::testing::ElementsAre(kNoScore, kNoScore));
  EXPECT_EQ(lists->b.rows(), 0u);
}

TEST(TopLists, RefuseOtherWidthsRowsBeyondTheTableAndStopOnRequest) {
  const EncodingTable a = RandomTable(128, 4, 0.5, 1);
  const EncodingTable wide = RandomTable(256, 4, 0.5, 1);
  const auto scorer = PairScorer::Make(PriorOf(a, a));
  SLUIS_ASSERT_OK(scorer);
  EXPECT_THAT(ScoreExhaustively(a, &wide)->Top(*scorer, 2),
              StatusIs(absl::StatusCode::kInvalidArgument, "256 in table b"));
  EXPECT_THAT(ScoreExhaustively(a, &a)->Top(*scorer, 0), StatusIs(absl::StatusCode::kInvalidArgument, "at least 1"));
  const auto only = [](CandidatePair pair) -> CandidateBatches {
    return [pair](std::size_t, std::size_t, const auto& visit) { return visit(std::vector<CandidatePair>{pair}); };
  };
  for (const CandidatePair beyond : {CandidatePair{4, 0}, CandidatePair{0, 4}}) {
    EXPECT_THAT(ScoreCandidates(a, &a, only(beyond))->Top(*scorer, 2),
                StatusIs(absl::StatusCode::kInvalidArgument, "candidate pair 0: names a row beyond its table"));
  }
  // With two threads the first is asked for rows 0 and 1, the second for rows 2 and 3.
  EXPECT_THAT(ScoreCandidates(a, &a, only({1, 0}), {.threads = 2})->Top(*scorer, 2),
              StatusIs(absl::StatusCode::kInvalidArgument, "beyond the range"));
  std::stop_source source;
  source.request_stop();
  EXPECT_THAT(ScoreExhaustively(a, &a, {.stop = source.get_token()})->Top(*scorer, 2),
              StatusIs(absl::StatusCode::kCancelled, "stopped"));
}

TEST(BitModel, LearnsTheErrorAndTheWeightsOfPlantedPairs) {
  std::mt19937_64 random(8);
  EncodingTable a = RandomTable(512, 4000, 0.3, 9);
  EncodingTable b = EmptyTable(512);
  std::bernoulli_distribution lost(0.1);
  std::vector<CandidatePair> pairs;
  for (std::uint32_t i = 0; i < a.rows(); ++i) {  // bits of the first half are never lost, others one time in ten
    std::vector<std::uint64_t> row(a.row(i).begin(), a.row(i).end());
    for (std::size_t bit = 256; bit < 512; ++bit) {
      row[bit / 64] &= ~(std::uint64_t{lost(random)} << (bit % 64));
    }
    AppendRow(&b, row);
    pairs.push_back({i, i});
  }
  const auto model = BitModel::Learn(a, b, pairs, BitFrequencies(a), BitFrequencies(b));
  SLUIS_ASSERT_OK(model);
  // Half of the bits lose a tenth: Dice is 2 * 0.95 / 1.95, the error 1 - that = 0.0256.
  EXPECT_NEAR(model->error, 0.0256, 0.002);
  // P(both) = 0.3 * 0.9 of a matching pair against 0.3 * 0.27 at random: ln(1 / 0.3) = 1.204. Four standard errors of
  // a count of 1,080: 0.12.
  EXPECT_NEAR(model->w11[300], 1.204, 0.12);
  EXPECT_LT(model->w10[10], model->w10[300]);
}

TEST(BitModel, RefusesFrequenciesOfZeroOrOtherLengths) {
  const std::vector<double> good(64, 0.5);
  const std::vector<double> zero(64, 0.0);
  EXPECT_THAT(BitModel::Prior(good, zero), StatusIs(absl::StatusCode::kInvalidArgument, "bit 0"));
  EXPECT_THAT(BitModel::Prior(good, std::vector<double>(128, 0.5)),
              StatusIs(absl::StatusCode::kInvalidArgument, "must be equal"));
  EXPECT_THAT(BitModel::Prior(good, good, 0.0), StatusIs(absl::StatusCode::kInvalidArgument, "error"));
}

}  // namespace
}  // namespace sluis::linker
