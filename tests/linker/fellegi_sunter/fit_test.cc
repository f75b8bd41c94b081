#include "linker/fellegi_sunter/fit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/status/matchers.h"
#include "tests/linker/fellegi_sunter/synthetic.h"

namespace sluis::linker {
namespace {

using common::testing::StatusIs;
using testing::AddPairs;
using testing::Date;
using testing::Evaluate;
using testing::MakeSynthetic;
using testing::Name;
using testing::PlanOf;
using testing::Sex;
using testing::Synthetic;
using testing::Town;
using testing::TrueField;
using testing::Truth;

constexpr int kSeeds = 10;

FellegiSunterFit Fit(const FellegiSunterPlan& plan, const FitInput& input) {
  absl::StatusOr<FellegiSunterFit> fit = FitFellegiSunter(plan, input);
  EXPECT_TRUE(fit.ok()) << fit.status();
  return *std::move(fit);
}

// Each m has a standard error of sqrt(m (1 - m) / 3000) <= 0.0092 with known matches; 4 of them, and 0.01 for the prior
// of 10 matches and for doubtful pairs.
TEST(FitFellegiSunter, RecoversKnownParameters) {
  const std::vector<TrueField> fields = {Name(), Name(), Date(), Town(), Sex()};
  for (int seed = 0; seed < kSeeds; ++seed) {
    const Synthetic data = MakeSynthetic(fields, 5000, 3000, seed);
    const FellegiSunterFit fit = Fit(PlanOf(fields.size()), data.input);
    ASSERT_TRUE(fit.credibility.credible) << fit.credibility.why_not;
    EXPECT_TRUE(fit.converged);
    for (std::size_t f = 0; f < fields.size(); ++f) {
      for (std::size_t l = 0; l < 5; ++l) {
        EXPECT_NEAR(fit.model.parameters().m[f][l], fields[f].m[l], 0.047) << "field " << f << " level " << l;
      }
    }
    const auto matches = static_cast<double>(data.matches.total());
    EXPECT_NEAR(fit.credibility.expected_matches / matches, 1, 0.02);
    EXPECT_NEAR(fit.model.parameters().match_share * static_cast<double>(data.input.total_pairs) / matches, 1, 0.02);
    const Truth truth = Evaluate(fit.model, data);
    EXPECT_GT(truth.f1(), 0.97);
  }
}

// 1 in 10,000 pairs, down to 1 in 2.5 million: 10 matches of 5,000 records.
TEST(FitFellegiSunter, FindsRareMatches) {
  const std::vector<TrueField> fields = {Name(), Name(), Date(), Town()};
  for (const double matches : {2500.0, 250.0, 50.0, 10.0}) {
    for (int seed = 0; seed < kSeeds; ++seed) {
      const Synthetic data = MakeSynthetic(fields, 5000, matches, seed);
      const FellegiSunterFit fit = Fit(PlanOf(fields.size()), data.input);
      ASSERT_TRUE(fit.credibility.credible) << matches << ": " << fit.credibility.why_not;
      const Truth truth = Evaluate(fit.model, data);
      EXPECT_GT(truth.f1(), matches >= 250 ? 0.94 : 0.7) << matches << " seed " << seed;
      const auto drawn = static_cast<double>(data.matches.total());
      // Which doubtful pairs are matches is chance, with the variance that the fit states; 4 standard deviations, and
      // 5 % and 2 pairs for the error of m and u.
      EXPECT_NEAR(fit.credibility.expected_matches, drawn,
                  4 * std::sqrt(fit.credibility.match_variance) + 0.05 * drawn + 2)
          << "seed " << seed;
    }
  }
}

TEST(FitFellegiSunter, TwoFieldsSuffice) {
  const std::vector<TrueField> fields = {Name(), Date()};
  for (int seed = 0; seed < kSeeds; ++seed) {
    const Synthetic data = MakeSynthetic(fields, 1000, 500, seed);
    const FellegiSunterFit fit = Fit(PlanOf(2), data.input);
    ASSERT_TRUE(fit.credibility.credible) << fit.credibility.why_not;
    const Truth truth = Evaluate(fit.model, data);
    EXPECT_GT(truth.f1(), 0.88) << "precision " << truth.precision << " recall " << truth.recall;
    // Two fields do not tell how many matches disagree on one: that number follows from the prior, within 30 %.
    EXPECT_NEAR(fit.credibility.expected_matches / static_cast<double>(data.matches.total()), 1, 0.3);
  }
}

// Every second value is wrong or changed beyond recognition.
TEST(FitFellegiSunter, StandsHeavyNoise) {
  std::vector<TrueField> fields = {Name(), Name(), Date(), Town(), Town(), Sex()};
  for (TrueField& field : fields) {
    for (std::size_t l = 0; l < 5; ++l) {
      field.m[l] = 0.5 * field.m[l] + 0.5 * field.u[l];
    }
  }
  for (int seed = 0; seed < kSeeds; ++seed) {
    const Synthetic data = MakeSynthetic(fields, 3000, 2000, seed);
    const FellegiSunterFit fit = Fit(PlanOf(fields.size()), data.input);
    ASSERT_TRUE(fit.credibility.credible) << fit.credibility.why_not;
    const Truth truth = Evaluate(fit.model, data);
    // The best that the true parameters allow lies little above: most of the missed matches agree on one field or none.
    const FellegiSunterModel best(
        fit.model.plan(), fit.model.non_matches(),
        {2000.0 / 9e6, {fields[0].m, fields[1].m, fields[2].m, fields[3].m, fields[4].m, fields[5].m}});
    EXPECT_GT(truth.f1(), Evaluate(best, data).f1() - 0.02) << truth.precision << " " << truth.recall;
    EXPECT_GT(truth.precision, 0.85);
  }
}

TEST(FitFellegiSunter, MissingValuesBiasNeitherSharesNorWeights) {
  std::vector<TrueField> fields = {Name(), Name(), Date(), Town()};
  for (TrueField& field : fields) {
    field.missing = 0.25;
  }
  for (int seed = 0; seed < kSeeds; ++seed) {
    const Synthetic data = MakeSynthetic(fields, 4000, 3000, seed);
    const FellegiSunterFit fit = Fit(PlanOf(fields.size()), data.input);
    ASSERT_TRUE(fit.credibility.credible) << fit.credibility.why_not;
    EXPECT_NEAR(fit.credibility.expected_matches / static_cast<double>(data.matches.total()), 1, 0.06);
    for (std::size_t f = 0; f < fields.size(); ++f) {
      EXPECT_NEAR(fit.model.parameters().m[f][4], fields[f].m[4], 0.06) << "field " << f;
      EXPECT_NEAR(fit.model.parameters().m[f][0], fields[f].m[0], 0.04) << "field " << f;
    }
    // A pair that has no field at all has the odds of any pair.
    const double share = fit.model.parameters().match_share;
    EXPECT_NEAR(fit.model.LogOdds(0), std::log(share / (1 - share)), 1e-9);
  }
}

TEST(FitFellegiSunter, ReportsThatThereIsNoMatch) {
  const std::vector<TrueField> fields = {Name(), Name(), Date(), Town(), Sex()};
  for (int seed = 0; seed < kSeeds; ++seed) {
    const Synthetic data = MakeSynthetic(fields, 2500, 0, seed);
    const FellegiSunterFit fit = Fit(PlanOf(fields.size()), data.input);
    EXPECT_FALSE(fit.credibility.credible) << fit.credibility.expected_matches;
    EXPECT_NE(fit.credibility.why_not, "");
  }
}

// Fields that tell nothing: the same distribution for matches and others, or sexes only.
TEST(FitFellegiSunter, ReportsFieldsThatDoNotSeparate) {
  for (int seed = 0; seed < kSeeds; ++seed) {
    const Synthetic data = MakeSynthetic({Sex(), Sex(), Sex()}, 2000, 1500, seed);
    const FellegiSunterFit fit = Fit(PlanOf(3), data.input);
    EXPECT_FALSE(fit.credibility.credible);
  }
}

TEST(FitFellegiSunter, AllRecordsMayMatch) {
  const std::vector<TrueField> fields = {Name(), Name(), Date(), Town()};
  const Synthetic data = MakeSynthetic(fields, 1000, 1000, 1);
  const FellegiSunterFit fit = Fit(PlanOf(fields.size()), data.input);
  EXPECT_TRUE(fit.credibility.credible) << fit.credibility.why_not;
  EXPECT_GT(Evaluate(fit.model, data).f1(), 0.96);
}

// Town and postcode agree together in 1 of 300 pairs of two persons, 17 times as many pairs as matches. With the fields
// held independent these pairs are taken for matches.
TEST(FitFellegiSunter, DependentFieldsAreNoKindOfMatch) {
  const std::vector<TrueField> fields = {Name(), Name(), Date(), Town(), Town()};
  TrueField neighbours = Town();
  neighbours.u = {0, 0, 0, 0, 1};
  const std::vector<TrueField> near = {Name(), Name(), Date(), neighbours, neighbours};
  for (int seed = 0; seed < kSeeds; ++seed) {
    Synthetic data = MakeSynthetic(fields, 2500, 1250, seed);
    std::mt19937_64 random(seed + 100);
    AddPairs(near, false, 6.25e6 / 300, random, data.input.candidates);
    AddPairs(near, false, 1e6 / 300, random, data.input.non_matches.counts);
    data.input.total_pairs = data.input.candidates.total();
    const FellegiSunterFit fit = Fit(PlanOf(fields.size()), data.input);
    ASSERT_TRUE(fit.credibility.credible) << fit.credibility.why_not;
    EXPECT_EQ(fit.model.Weights()[4].depends_on, "field3");
    EXPECT_EQ(fit.model.Weights()[1].depends_on, "");
    const Truth truth = Evaluate(fit.model, data);
    EXPECT_GT(truth.precision, 0.95);
    EXPECT_GT(truth.recall, 0.9);
  }
}

// Three fields agree together in pairs of two persons in a way that no tree of two expresses and that the sample alone
// shows: whoever lives in a home shares name, town and street. There are 150 such pairs for each match. Where the
// sample does not show enough of them, the fit must be refused.
TEST(FitFellegiSunter, AWrongMixtureIsNeverCredible) {
  const std::vector<TrueField> fields = {Name(), Town(), Town(), Date()};
  TrueField together = Name();
  together.u = {0, 0, 0, 0, 1};
  const std::vector<TrueField> household = {together, together, together, Date()};
  for (int seed = 0; seed < kSeeds; ++seed) {
    Synthetic data = MakeSynthetic(fields, 2500, 20, seed);
    std::mt19937_64 random(seed + 100);
    AddPairs(household, false, 3000, random, data.input.candidates);
    AddPairs(household, false, 480, random, data.input.non_matches.counts);
    data.input.total_pairs = data.input.candidates.total();
    const FellegiSunterFit fit = Fit(PlanOf(fields.size()), data.input);
    const Truth truth = Evaluate(fit.model, data);
    EXPECT_TRUE(!fit.credibility.credible || truth.precision > 0.5)
        << truth.precision << " control " << fit.credibility.control;
  }
}

// A quarter of the matches moved: town, street and postcode are all replaced, and nothing else is. With m the product
// over the fields each of the three counts against them, and name and date alone do not make up for it.
TEST(FitFellegiSunter, WhoMovesIsFound) {
  const std::vector<TrueField> fields = {Name(), Name(), Town(), Town(), Town()};
  std::vector<TrueField> moved = fields;
  for (std::size_t f = 2; f < 5; ++f) {
    moved[f].m = moved[f].u;
  }
  for (int seed = 0; seed < kSeeds; ++seed) {
    Synthetic data = MakeSynthetic(fields, 1000, 500, seed);
    std::mt19937_64 random(seed + 100);
    PatternCounts movers;
    AddPairs(moved, true, 160, random, movers);
    data.input.candidates.Merge(movers);
    data.input.total_pairs = data.input.candidates.total();
    const FellegiSunterFit fit = Fit(PlanOf(fields.size()), data.input);
    ASSERT_TRUE(fit.credibility.credible) << fit.credibility.why_not;
    ASSERT_EQ(fit.model.parameters().changes.size(), 1u);
    const JointChange& change = fit.model.parameters().changes[0];
    EXPECT_EQ(change.fields, AtField(7, 2) | AtField(7, 3) | AtField(7, 4));
    EXPECT_NEAR(change.share, 160.0 / 660, 0.07);  // 4 standard errors
    // Names that are equal, everything else different: a match in 4 of 5 cases at these shares.
    const PatternCode names = AtField(5, 0) | AtField(5, 1);
    const PatternCode elsewhere = names | AtField(1, 2) | AtField(1, 3) | AtField(1, 4);
    EXPECT_GT(fit.model.Probability(elsewhere), 0.9);
    MatchParameters without = fit.model.parameters();
    without.changes.clear();
    EXPECT_LT(FellegiSunterModel(fit.model.plan(), fit.model.non_matches(), without).Probability(elsewhere), 0.5);
  }
}

TEST(FitFellegiSunter, NoJointChangeWhereFieldsChangeOneByOne) {
  for (int seed = 0; seed < kSeeds; ++seed) {
    const Synthetic data = MakeSynthetic({Name(), Name(), Date(), Town(), Town()}, 1000, 500, seed);
    EXPECT_TRUE(Fit(PlanOf(5), data.input).model.parameters().changes.empty());
  }
}

// Relatives, as many as matches: surname, town and street agree, given name and date do not. Pairs within the sources
// show them, each pattern too rarely to be counted by itself.
TEST(FitFellegiSunter, RelativesAreNoMatches) {
  const std::vector<TrueField> fields = {Name(), Name(), Date(), Town(), Town(), Town()};
  std::vector<TrueField> relatives = fields;
  for (const std::size_t same : {1, 3, 4, 5}) {
    relatives[same].u = relatives[same].m;
  }
  for (int seed = 0; seed < kSeeds; ++seed) {
    Synthetic data = MakeSynthetic(fields, 500, 50, seed, 250'000);
    std::mt19937_64 random(seed + 100);
    PatternCounts kin;
    AddPairs(relatives, false, 300, random, kin);
    data.input.candidates.Merge(kin);
    AddPairs(relatives, false, 300, random, data.input.non_matches.counts);
    data.input.total_pairs = data.input.candidates.total();
    const FellegiSunterFit fit = Fit(PlanOf(fields.size()), data.input);
    ASSERT_TRUE(fit.credibility.credible) << fit.credibility.why_not;
    EXPECT_FALSE(fit.model.non_matches().kinships().empty());
    const Truth truth = Evaluate(fit.model, data);
    EXPECT_GT(truth.precision, 0.85) << seed;
    EXPECT_GT(truth.recall, 0.85) << seed;
  }
}

// Sampling across the sources lets matches in; the weights take them out again. 1 in 500 pairs is a match, so that
// among equal dates, 1 in 20,000 by chance, 97 % are matches.
TEST(FitFellegiSunter, TakesMatchesOutOfASampleThatHoldsThem) {
  const std::vector<TrueField> fields = {Name(), Name(), Date(), Town()};
  for (int seed = 0; seed < kSeeds; ++seed) {
    Synthetic data = MakeSynthetic(fields, 500, 500, seed);
    data.input.non_matches = {data.input.candidates, false};
    const FellegiSunterFit fit = Fit(PlanOf(fields.size()), data.input);
    ASSERT_TRUE(fit.credibility.credible) << fit.credibility.why_not;
    EXPECT_LT(fit.model.non_matches().fields()[2].u[4], 0.0002);  // contaminated: 0.0016
    EXPECT_EQ(fit.credibility.control, -1);
    EXPECT_GT(Evaluate(fit.model, data).f1(), 0.95);
  }
}

// A file with few duplicates and many relatives: pairs that agree in surname and address, none in given name and birth
// date. Were they not learnt from, as from a sample free of matches, they would be the matches: there are ten times as
// many.
TEST(FitFellegiSunter, RelativesAreNoMatchesInASampleThatHoldsMatches) {
  const std::vector<TrueField> fields = {Name(), Name(), Date(), Town(), Town(), Town()};
  std::vector<TrueField> relatives = fields;
  for (TrueField& field : relatives) field.u = {0.02, 0.01, 0.01, 0.01, 0.95};
  relatives[0].u = Name().u;
  relatives[2].u = Date().u;
  for (const double matches : {200.0, 0.0}) {
    for (int seed = 0; seed < kSeeds; ++seed) {
      Synthetic data = MakeSynthetic(fields, 2000, matches, seed);
      std::mt19937_64 random(seed + 1000);
      AddPairs(relatives, false, 2000, random, data.input.candidates);
      data.input.total_pairs = data.input.candidates.total();
      data.input.max_matches = 14'000;
      data.input.non_matches = {data.input.candidates, false};
      const FellegiSunterFit fit = Fit(PlanOf(fields.size()), data.input);
      ASSERT_EQ(fit.credibility.credible, matches > 0) << fit.credibility.why_not;
      if (matches == 0) continue;
      EXPECT_GT(Evaluate(fit.model, data).precision, 0.95);
      EXPECT_GT(Evaluate(fit.model, data).recall, 0.7);  // who has a wrong name or date looks like a relative
    }
  }
}

// Half of the candidates of the true pairs, chosen at random, and few others: blocking must change the odds of no
// pattern much, since the match share refers to all pairs.
TEST(FitFellegiSunter, PairsThatBlockingLeftOutCountAsOthers) {
  const std::vector<TrueField> fields = {Name(), Name(), Date(), Town()};
  const Synthetic all = MakeSynthetic(fields, 5000, 3000, 3);
  FitInput blocked = all.input;
  blocked.candidates = PatternCounts();
  for (const PatternCount& entry : all.input.candidates.Sorted()) {
    bool exact = false;  // a pass per field: equal values
    for (std::size_t f = 0; f < fields.size(); ++f) {
      exact = exact || LevelOf(entry.pattern, f) == 5;
    }
    blocked.candidates.Add(entry.pattern, exact ? entry.pairs : 0);
  }
  EXPECT_LT(blocked.candidates.total(), all.input.candidates.total() / 20);
  const FellegiSunterFit with = Fit(PlanOf(4), blocked);
  const FellegiSunterFit without = Fit(PlanOf(4), all.input);
  ASSERT_TRUE(with.credibility.credible) << with.credibility.why_not;
  EXPECT_NEAR(with.credibility.expected_matches / without.credibility.expected_matches, 1, 0.02);
  for (const PatternCount& entry : blocked.candidates.Sorted()) {
    EXPECT_NEAR(with.model.LogOdds(entry.pattern), without.model.LogOdds(entry.pattern), 0.5);
  }
}

TEST(FitFellegiSunter, IsDeterministic) {
  const Synthetic data = MakeSynthetic({Name(), Date(), Town()}, 1000, 700, 5);
  EXPECT_EQ(Fit(PlanOf(3), data.input).model.parameters(), Fit(PlanOf(3), data.input).model.parameters());
}

TEST(FitFellegiSunter, FailsOnInputThatCannotBe) {
  const Synthetic data = MakeSynthetic({Name(), Date()}, 100, 50, 1);
  FitInput input = data.input;
  input.total_pairs = 10;
  EXPECT_THAT(FitFellegiSunter(PlanOf(2), input), StatusIs(absl::StatusCode::kInvalidArgument, "total_pairs"));
  input = data.input;
  input.max_matches = 0;
  EXPECT_THAT(FitFellegiSunter(PlanOf(2), input), StatusIs(absl::StatusCode::kInvalidArgument, "max_matches"));
  input = data.input;
  input.candidates = PatternCounts();
  EXPECT_THAT(FitFellegiSunter(PlanOf(2), input), StatusIs(absl::StatusCode::kFailedPrecondition, "no candidate"));
  // The second field is missing in every pair: all-null.
  input = data.input;
  input.candidates = PatternCounts();
  input.candidates.Add(AtField(5, 0), 10);
  EXPECT_THAT(FitFellegiSunter(PlanOf(2), input),
              StatusIs(absl::StatusCode::kFailedPrecondition, "1 of 2 can be compared"));
}

TEST(FitFellegiSunter, AnAllNullFieldAndOneOfASingleValueDoNoHarm) {
  TrueField null = Town();
  null.missing = 1;
  const TrueField constant = {{0, 0, 0, 0, 1}, {0, 0, 0, 0, 1}};
  const std::vector<TrueField> fields = {Name(), Name(), Date(), null, constant};
  const Synthetic data = MakeSynthetic(fields, 2000, 1500, 2);
  const FellegiSunterFit fit = Fit(PlanOf(fields.size()), data.input);
  ASSERT_TRUE(fit.credibility.credible) << fit.credibility.why_not;
  EXPECT_GT(Evaluate(fit.model, data).f1(), 0.95);
  EXPECT_NEAR(fit.model.Weights()[4].weights[4], 0, 0.02);
}

}  // namespace
}  // namespace sluis::linker
