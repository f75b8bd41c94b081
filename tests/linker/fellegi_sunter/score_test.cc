#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "common/status/matchers.h"
#include "linker/fellegi_sunter/fit.h"
#include "tests/linker/fellegi_sunter/synthetic.h"
#include "tests/linker/kernel/tables.h"

// From encodings to scored pairs, on invented sources whose truth is known.

namespace sluis::linker {
namespace {

using common::testing::StatusIs;
using testing::PlanOf;
using testing::RandomRow;

constexpr std::uint32_t kBits = 256;

// Values 0, 1, 2 ... of a field, the first ones frequent (Zipf).
struct Pool {
  std::vector<std::vector<std::uint64_t>> encodings;
  std::discrete_distribution<std::size_t> draw;

  Pool(std::size_t values, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<double> weights;
    for (std::size_t v = 0; v < values; ++v) {
      encodings.push_back(RandomRow(kBits, 0.2, &random));
      weights.push_back(1.0 / static_cast<double>(v + 1));
    }
    draw = std::discrete_distribution<std::size_t>(weights.begin(), weights.end());
  }
};

struct Sources {
  std::vector<FieldColumn> a;
  std::vector<FieldColumn> b;
  std::size_t matches = 0;  // record r of a and of b are one person for r below this
};

// Each record of b has a field's value of its person with probability 0.7, a slip of it with 0.2, another's with 0.1.
Sources MakeSources(std::size_t records, std::size_t matches, const std::vector<std::size_t>& values,
                    std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Sources sources;
  sources.matches = matches;
  for (std::size_t f = 0; f < values.size(); ++f) {
    Pool pool(values[f], 1000 * seed + f);
    sources.a.push_back(*FieldColumn::Create(kBits));
    sources.b.push_back(*FieldColumn::Create(kBits));
    for (std::size_t r = 0; r < records; ++r) {
      const std::size_t value = pool.draw(random);
      SLUIS_EXPECT_OK(sources.a[f].Append(pool.encodings[value]));
      const std::uint64_t dice = random() % 10;
      std::vector<std::uint64_t> other = pool.encodings[r < matches && dice < 9 ? value : pool.draw(random)];
      for (int slip = 0; r < matches && dice >= 7 && dice < 9 && slip < 10; ++slip) {
        const std::uint64_t bit = random() % kBits;
        other[bit / 64] ^= std::uint64_t{1} << (bit % 64);
      }
      SLUIS_EXPECT_OK(sources.b[f].Append(other));
    }
  }
  return sources;
}

struct Prepared {
  FieldComparer comparer;
  std::vector<CandidatePair> pairs;
  FellegiSunterFit fit;
};

Prepared Prepare(const Sources& sources) {
  const FellegiSunterPlan plan = PlanOf(sources.a.size());
  const std::vector<FieldCuts> cuts = *CutPoints(plan, sources.a, sources.b, 1);
  FieldComparer comparer = *FieldComparer::Create(sources.a, sources.b, cuts);
  std::vector<CandidatePair> pairs;
  const auto records = static_cast<std::uint32_t>(sources.a[0].records());
  for (std::uint32_t i = 0; i < records; ++i) {
    for (std::uint32_t j = 0; j < records; ++j) {
      pairs.push_back({i, j});
    }
  }
  FitInput input;
  const std::vector<PatternCode> patterns = *comparer.Compare(pairs);
  for (const PatternCode pattern : patterns) {
    input.candidates.Add(pattern);
  }
  input.total_pairs = pairs.size();
  input.max_matches = records;
  input.non_matches = *SampleNonMatches(sources.a, sources.b, cuts, SampleFrom::kWithinSources, 2);
  return {std::move(comparer), std::move(pairs), *FitFellegiSunter(plan, input)};
}

// The logarithm of the probability that the scores give to the truth.
double LogScore(const std::vector<ScoredPair>& scored, std::size_t matches) {
  double sum = 0;
  for (const ScoredPair& pair : scored) {
    const bool match = pair.a == pair.b && pair.a < matches;
    sum -= std::log1p(std::exp(match ? -static_cast<double>(pair.log_odds) : static_cast<double>(pair.log_odds)));
  }
  return sum;
}

TEST(ScorePairs, TermFrequenciesMakeScoresTruer) {
  double gain = 0;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Sources sources = MakeSources(600, 400, {400, 400, 60}, seed);
    const Prepared made = Prepare(sources);
    ASSERT_TRUE(made.fit.credibility.credible) << made.fit.credibility.why_not;
    const auto without = ScorePairs(made.fit, made.comparer, {}, made.pairs);
    const auto with = ScorePairs(made.fit, made.comparer, *CountAllTerms(sources.a, sources.b), made.pairs);
    SLUIS_ASSERT_OK(without);
    SLUIS_ASSERT_OK(with);
    gain += LogScore(*with, sources.matches) - LogScore(*without, sources.matches);
    // Nothing but exact agreement moves.
    const std::vector<PatternCode> patterns = *made.comparer.Compare(made.pairs);
    for (std::size_t p = 0; p < patterns.size(); ++p) {
      const bool exact = LevelOf(patterns[p], 0) == 5 || LevelOf(patterns[p], 1) == 5 || LevelOf(patterns[p], 2) == 5;
      ASSERT_TRUE(exact || (*with)[p] == (*without)[p]);
    }
  }
  EXPECT_GT(gain, 100);  // nats, of about 2,000 matches
}

TEST(ScorePairs, RefusesAFitThatIsNotCredible) {
  const Prepared made = Prepare(MakeSources(200, 0, {50, 50}, 1));
  ASSERT_FALSE(made.fit.credibility.credible);
  EXPECT_THAT(ScorePairs(made.fit, made.comparer, {}, made.pairs),
              StatusIs(absl::StatusCode::kFailedPrecondition, "not credible"));
}

TEST(ScorePairs, FailsOnTermsOfOtherSources) {
  const Sources sources = MakeSources(300, 250, {400, 400, 60}, 7);
  const Prepared made = Prepare(sources);
  ASSERT_TRUE(made.fit.credibility.credible) << made.fit.credibility.why_not;
  EXPECT_THAT(ScorePairs(made.fit, made.comparer, TermTable(2), made.pairs),
              StatusIs(absl::StatusCode::kInvalidArgument, "terms of 2 fields"));
  TermTable fewer(3);
  fewer[1].others = {0};
  EXPECT_THAT(ScorePairs(made.fit, made.comparer, fewer, made.pairs),
              StatusIs(absl::StatusCode::kInvalidArgument, "terms of field 1"));
  EXPECT_THAT(ScorePairs(made.fit, made.comparer, {}, std::vector<CandidatePair>{{0, 300}}),
              StatusIs(absl::StatusCode::kInvalidArgument, "pair 0"));
}

}  // namespace
}  // namespace sluis::linker
