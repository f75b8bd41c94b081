#include "linker/fellegi_sunter/comparer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "common/status/matchers.h"
#include "tests/linker/fellegi_sunter/synthetic.h"
#include "tests/linker/kernel/tables.h"

namespace sluis::linker {
namespace {

using common::testing::StatusIs;
using testing::NaiveOverlap;
using testing::PlanOf;
using testing::RandomRow;

// `records` records over few values, some a slip away from another, one in five missing.
std::vector<FieldColumn> Source(std::size_t fields, std::uint32_t bits, std::size_t records, std::uint64_t seed) {
  std::vector<FieldColumn> columns;
  for (std::size_t f = 0; f < fields; ++f) {
    std::mt19937_64 values(f);  // the same values in all sources
    std::vector<std::vector<std::uint64_t>> pool;
    for (int v = 0; v < 20; ++v) {
      pool.push_back(RandomRow(bits, 0.2, &values));
    }
    std::mt19937_64 random(seed * 100 + f);
    columns.push_back(*FieldColumn::Create(bits));
    for (std::size_t r = 0; r < records; ++r) {
      if (random() % 5 == 0) {
        columns.back().AppendMissing();
        continue;
      }
      std::vector<std::uint64_t> row = pool[random() % pool.size()];
      for (std::uint64_t slips = random() % 3 * 8; slips > 0; --slips) {
        const std::uint64_t bit = random() % bits;
        row[bit / 64] ^= std::uint64_t{1} << (bit % 64);
      }
      SLUIS_EXPECT_OK(columns.back().Append(row));
    }
  }
  return columns;
}

AgreementLevel NaiveLevel(const FieldColumn& a, std::size_t i, const FieldColumn& b, std::size_t j,
                          const FieldCuts& cuts) {
  if (a.row(i) == FieldColumn::kMissing || b.row(j) == FieldColumn::kMissing) {
    return kMissingLevel;
  }
  const auto row_a = a.encodings().row(a.row(i));
  const auto row_b = b.encodings().row(b.row(j));
  if (std::equal(row_a.begin(), row_a.end(), row_b.begin())) {
    return static_cast<AgreementLevel>(cuts.dice.size() + 2);
  }
  const Overlap overlap = NaiveOverlap(a.encodings(), a.row(i), b.encodings(), b.row(j));
  const double dice = 2.0 * overlap.common / (overlap.bits_a + overlap.bits_b);
  AgreementLevel level = kDisagreeLevel;
  for (const Ratio& cut : cuts.dice) {
    level = static_cast<AgreementLevel>(level + (dice >= double(cut.numerator) / cut.denominator - 1e-12));
  }
  return level;
}

class FieldComparerOf : public ::testing::TestWithParam<std::uint64_t> {};

INSTANTIATE_TEST_SUITE_P(PairsExpected, FieldComparerOf,
                         ::testing::Values(0 /* nothing is tabulated */, 1'000'000 /* everything is */));

TEST_P(FieldComparerOf, EqualsTheNaiveComparison) {
  const auto a = Source(3, 256, 60, 1);
  const auto b = Source(3, 256, 50, 2);
  const auto cuts = CutPoints(PlanOf(3), a, b, 7);
  SLUIS_ASSERT_OK(cuts);
  const auto comparer = FieldComparer::Create(a, b, *cuts, Kernel::kAuto, GetParam(), 3);
  SLUIS_ASSERT_OK(comparer);
  std::vector<CandidatePair> pairs;
  for (std::uint32_t i = 0; i < 60; ++i) {
    for (std::uint32_t j = 0; j < 50; ++j) {
      pairs.push_back({i, 49 - j});
    }
  }
  const auto patterns = comparer->Compare(pairs);
  SLUIS_ASSERT_OK(patterns);
  std::vector<int> seen(8);
  for (std::size_t p = 0; p < pairs.size(); ++p) {
    for (std::size_t f = 0; f < 3; ++f) {
      ASSERT_EQ(LevelOf((*patterns)[p], f), NaiveLevel(a[f], pairs[p].a, b[f], pairs[p].b, (*cuts)[f]));
      ++seen[LevelOf((*patterns)[p], f)];
    }
  }
  // Missing, disagreement, similar and exact all occur.
  EXPECT_GT(seen[0] * seen[1] * seen[5], 0);
  EXPECT_GT(seen[2] + seen[3] + seen[4], 0);
}

TEST(FieldComparer, IsTheSameWithAndWithoutTablesWhereAColumnIsEmptyOrConstant) {
  std::vector<FieldColumn> a, b;
  for (std::vector<FieldColumn>* source : {&a, &b}) {
    for (int f = 0; f < 3; ++f) source->push_back(*FieldColumn::Create(64));
  }
  for (int r = 0; r < 5; ++r) {
    SLUIS_EXPECT_OK(a[0].Append(std::vector<std::uint64_t>{255}));
    SLUIS_EXPECT_OK(a[1].Append(std::vector<std::uint64_t>{0}));  // no bit set, and yet a value
    a[2].AppendMissing();
    SLUIS_EXPECT_OK(b[0].Append(std::vector<std::uint64_t>{r == 0 ? 0U : 255U}));
    SLUIS_EXPECT_OK(b[1].Append(std::vector<std::uint64_t>{0}));
    SLUIS_EXPECT_OK(b[2].Append(std::vector<std::uint64_t>{7}));
  }
  const auto cuts = *CutPoints(PlanOf(3), a, b, 1);
  const std::vector<CandidatePair> pairs = {{0, 0}, {4, 1}, {2, 4}};
  for (const std::uint64_t expected : {0, 100}) {
    const auto patterns = FieldComparer::Create(a, b, cuts, Kernel::kAuto, expected)->Compare(pairs);
    SLUIS_ASSERT_OK(patterns);
    const PatternCode empty = AtField(5, 1);
    EXPECT_THAT(*patterns, ::testing::ElementsAre(AtField(1, 0) | empty, AtField(5, 0) | empty, AtField(5, 0) | empty));
  }
}

TEST(FieldComparer, FailsOnARecordBeyondTheSourceAndOnOtherShapes) {
  const auto a = Source(2, 128, 10, 1);
  const auto b = Source(2, 128, 12, 2);
  const auto cuts = *CutPoints(PlanOf(2), a, b, 7);
  const auto comparer = *FieldComparer::Create(a, b, cuts);
  EXPECT_THAT(comparer.Compare(std::vector<CandidatePair>{{0, 0}, {0, 12}}),
              StatusIs(absl::StatusCode::kInvalidArgument, "pair 1"));
  EXPECT_THAT(FieldComparer::Create(a, Source(2, 192, 12, 2), cuts),
              StatusIs(absl::StatusCode::kInvalidArgument, "field 0"));
  EXPECT_THAT(FieldComparer::Create(a, Source(1, 128, 12, 2), cuts),
              StatusIs(absl::StatusCode::kInvalidArgument, "source b: 1 columns"));
  auto uneven = Source(2, 128, 10, 1);
  uneven[1].AppendMissing();
  EXPECT_THAT(FieldComparer::Create(uneven, b, cuts), StatusIs(absl::StatusCode::kInvalidArgument, "11 records"));
}

TEST(CutPoints, LieAboveWhatDifferentValuesShareByChance) {
  const auto a = Source(1, 1024, 200, 1);
  const auto b = Source(1, 1024, 200, 2);
  const auto cuts = *CutPoints(PlanOf(1), a, b, 7);
  // Two encodings of fill 0.2 share a fifth of their bits; the median of 16,000 pairs is near.
  EXPECT_NEAR(cuts[0].chance_dice, 0.2, 0.02);
  ASSERT_EQ(cuts[0].dice.size(), 3u);
  EXPECT_NEAR(double(cuts[0].dice[0].numerator) / cuts[0].dice[0].denominator,
              cuts[0].chance_dice + 0.3 * (1 - cuts[0].chance_dice), 1e-4);
}

TEST(CutPoints, OfAColumnWithOneValueOrNoneStandOnZero) {
  std::vector<FieldColumn> columns;
  columns.push_back(*FieldColumn::Create(64));
  columns.push_back(*FieldColumn::Create(64));
  for (int r = 0; r < 5; ++r) {
    SLUIS_EXPECT_OK(columns[0].Append(std::vector<std::uint64_t>{255}));
    columns[1].AppendMissing();
  }
  const auto cuts = CutPoints(PlanOf(2), columns, columns, 1);
  SLUIS_ASSERT_OK(cuts);
  EXPECT_EQ((*cuts)[0].chance_dice, 0);
  EXPECT_EQ((*cuts)[1].chance_dice, 0);
}

TEST(SampleNonMatches, WithinSourcesTakesEveryPairOnceWhereFew) {
  const auto a = Source(1, 128, 10, 1);
  const auto b = Source(1, 128, 7, 2);
  const auto cuts = *CutPoints(PlanOf(1), a, b, 7);
  const auto within = SampleNonMatches(a, b, cuts, SampleFrom::kWithinSources, 3);
  SLUIS_ASSERT_OK(within);
  EXPECT_TRUE(within->free_of_matches);
  EXPECT_EQ(within->counts.total(), 45u + 21u);
  const auto across = SampleNonMatches(a, b, cuts, SampleFrom::kAcrossSources, 3);
  SLUIS_ASSERT_OK(across);
  EXPECT_FALSE(across->free_of_matches);
  EXPECT_EQ(across->counts.total(), 70u);
  // Deduplication: no record with itself.
  EXPECT_EQ(SampleNonMatches(a, a, cuts, SampleFrom::kAcrossSources, 3)->counts.total(), 45u);
}

TEST(SampleNonMatches, DrawsAsManyAsWantedAndTheSameBySeed) {
  const auto a = Source(2, 128, 300, 1);
  const auto cuts = *CutPoints(PlanOf(2), a, a, 7);
  const auto draw = [&](std::uint64_t seed) {
    return SampleNonMatches(a, a, cuts, SampleFrom::kAcrossSources, seed, 1000)->counts.Sorted();
  };
  EXPECT_EQ(draw(1), draw(1));
  EXPECT_NE(draw(1), draw(2));
  EXPECT_EQ(SampleNonMatches(a, a, cuts, SampleFrom::kWithinSources, 1, 1000)->counts.total(), 1000u);
}

TEST(SampleNonMatches, FailsWithoutAnyPair) {
  const auto one = Source(1, 128, 1, 1);
  const auto cuts = *CutPoints(PlanOf(1), one, one, 7);
  EXPECT_THAT(SampleNonMatches(one, one, cuts, SampleFrom::kWithinSources, 1),
              StatusIs(absl::StatusCode::kFailedPrecondition, "no pair"));
}

TEST(LevelRule, SaysOfEachCutWhatTheExactComparisonSays) {
  const std::vector<Ratio> cuts = {{1, 3}, {4'711, 10'000}, {1, 2}, {10'000, 10'000}};
  const LevelRule rule(cuts, 64);
  for (std::uint32_t bits_a = 0; bits_a <= 64; ++bits_a) {
    for (std::uint32_t bits_b = 0; bits_b <= 64; ++bits_b) {
      for (std::uint32_t common = 0; common <= std::min(bits_a, bits_b); ++common) {
        const Overlap overlap{common, bits_a, bits_b};
        const auto reached = std::ranges::count_if(cuts, [&](Ratio cut) { return overlap.DiceAtLeast(cut); });
        const bool equal = common == bits_a && common == bits_b;
        ASSERT_EQ(rule.Level(common, bits_a, bits_b), equal ? 6 : 1 + reached)
            << common << " " << bits_a << " " << bits_b;
      }
    }
  }
}

TEST(FieldColumn, KeepsEachValueOnce) {
  FieldColumn column = *FieldColumn::Create(64);
  std::vector<std::uint64_t> values;
  for (std::uint64_t r = 0; r < 3000; ++r) values.push_back(r * r % 1009);
  for (const std::uint64_t value : values) SLUIS_ASSERT_OK(column.Append(std::vector<std::uint64_t>{value}));
  column.AppendMissing();
  EXPECT_THAT(column.Append(std::vector<std::uint64_t>{1, 2}), StatusIs(absl::StatusCode::kInvalidArgument, ""));
  ASSERT_EQ(column.records(), 3001u);
  EXPECT_EQ(column.encodings().rows(), std::set<std::uint64_t>(values.begin(), values.end()).size());
  for (std::size_t r = 0; r < values.size(); ++r) ASSERT_EQ(column.encodings().row(column.row(r))[0], values[r]);
  EXPECT_EQ(column.row(3000), FieldColumn::kMissing);
}

TEST(PatternCounts, AreThoseOfAMap) {
  std::mt19937_64 random(1);
  PatternCounts counts, others;
  std::map<PatternCode, std::uint64_t> expected;
  for (int i = 0; i < 20'000; ++i) {
    const PatternCode pattern = (random() % 3000) << (random() % 2 * 40);
    (i % 2 == 0 ? counts : others).Add(pattern, static_cast<std::uint64_t>(i % 3));
    if (i % 3 != 0) expected[pattern] += static_cast<std::uint64_t>(i % 3);
  }
  counts.Merge(others);
  const std::vector<PatternCount> sorted = counts.Sorted();
  ASSERT_EQ(sorted.size(), expected.size());
  std::uint64_t total = 0;
  auto entry = sorted.begin();
  for (const auto& [pattern, pairs] : expected) {
    ASSERT_EQ(*entry++, (PatternCount{pattern, pairs}));
    ASSERT_EQ(counts.pairs(pattern), pairs);
    total += pairs;
  }
  EXPECT_EQ(counts.total(), total);
  EXPECT_EQ(counts.pairs(PatternCode{1} << 60), 0u);
  EXPECT_EQ(PatternCounts().pairs(0), 0u);
}

TEST(CountTerms, CountsEqualEncodingsInBothSourcesLessThePair) {
  FieldColumn a = *FieldColumn::Create(64);
  FieldColumn b = *FieldColumn::Create(64);
  for (const std::uint64_t value : {1u, 1u, 2u, 3u}) {
    SLUIS_EXPECT_OK(a.Append(std::vector<std::uint64_t>{value}));
  }
  a.AppendMissing();
  for (const std::uint64_t value : {1u, 3u, 1u}) {
    SLUIS_EXPECT_OK(b.Append(std::vector<std::uint64_t>{value}));
  }
  EXPECT_THAT(CountTerms(a, b).others, ::testing::ElementsAre(2, 2, 0, 0, 0));
  EXPECT_EQ(CountTerms(a, b).total, 5u);
  EXPECT_THAT(CountTerms(a, a).others, ::testing::ElementsAre(0, 0, 0, 0, 0));
  EXPECT_EQ(CountTerms(a, a).total, 2u);
}

}  // namespace
}  // namespace sluis::linker
