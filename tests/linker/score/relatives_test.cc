#include "linker/score/relatives.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "common/status/matchers.h"
#include "linker/score/bit_model.h"
#include "linker/score/stable_weight.h"
#include "tests/linker/score/made_up_people.h"

namespace sluis::linker {
namespace {

using common::testing::StatusIs;
using testing::PeopleMaker;
using testing::PeopleRegister;
using testing::PeopleSettings;

// Two registers of the same households in one file: who is in both has two records.
PeopleRegister OneFile(const PeopleSettings& settings) {
  const std::vector<PeopleRegister> registers = PeopleMaker(settings).Make();
  PeopleRegister all = registers[0];
  for (std::size_t row = 0; row < registers[1].persons.size(); ++row) {
    EXPECT_TRUE(all.table.Append(registers[1].table.row(row)).ok());
    all.persons.push_back(registers[1].persons[row]);
  }
  return all;
}

// Pairs of rows: of one person, and of two strangers.
struct Pairs {
  std::vector<CandidatePair> persons, strangers;
};

Pairs PairsOf(const PeopleRegister& people) {
  Pairs pairs;
  for (std::uint32_t a = 0; a < people.persons.size(); ++a) {
    for (std::uint32_t b = a + 1; b < people.persons.size(); ++b) {
      if (people.persons[a] == people.persons[b]) pairs.persons.push_back({a, b});
    }
    if (a > 0 && people.persons[a] != people.persons[a - 1]) pairs.strangers.push_back({a - 1, a});
  }
  return pairs;
}

TEST(CountRelatives, CountsTheLinksThatDisagreeMoreOftenThanAPersonsRecords) {
  const PeopleRegister people = OneFile({.rows = {400, 400}, .overlap = 0.5, .noise = 0.03, .seed = 51});
  const std::vector<double> frequencies = BitFrequencies(people.table);
  Pairs pairs = PairsOf(people);
  ASSERT_EQ(pairs.persons.size(), 200u);
  const auto count = [&](const std::vector<CandidatePair>& links) {
    return *CountRelatives(people.table, people.table, links, frequencies, frequencies, people.stable_begin);
  };
  EXPECT_EQ(count(pairs.persons).share, 0);
  EXPECT_EQ(count(pairs.persons).most, 0);
  EXPECT_GT(count(pairs.strangers).share, 0.95);
  std::vector<CandidatePair> mixed = pairs.persons;
  mixed.insert(mixed.end(), pairs.strangers.begin(), pairs.strangers.begin() + 200);
  EXPECT_LE(count(mixed).share, 0.5);
  EXPECT_GT(count(mixed).share, 0.2);
  EXPECT_GE(count(mixed).most, 0.49);
  EXPECT_EQ(count({}).share, 0);
}

TEST(CountRelatives, FailsWithoutAStableSectionInside) {
  const PeopleRegister people = OneFile({.rows = {40, 40}, .seed = 52});
  const std::vector<double> frequencies = BitFrequencies(people.table);
  EXPECT_THAT(CountRelatives(people.table, people.table, {}, frequencies, frequencies, people.table.bits()).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, "widths must be equal"));
  EXPECT_THAT(CountRelatives(people.table, people.table, {}, {}, {}, people.stable_begin).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, "widths must be equal"));
}

class Households : public ::testing::TestWithParam<double> {};

// Files of whole households with no duplicates, few, or some: a fit is refused, or what it says of its links holds but
// for a tenth.
TEST_P(Households, GiveNoConfidentWrongFitWithinASource) {
  for (const double overlap : {0.0, 0.01, 0.05, 0.15}) {
    for (const std::uint64_t seed : {61, 62, 63}) {
      SCOPED_TRACE(::testing::Message() << "duplicates " << overlap << ", seed " << seed);
      const PeopleRegister people = OneFile(
          {.rows = {400, 400}, .overlap = overlap, .noise = 0.03, .household = GetParam(), .moved = 0.1, .seed = seed});
      RecordLevelOptions options{.fit = {.first_null = 8, .resamplings = 40}};
      options.stable_begin = people.stable_begin;
      const auto weight = ChooseStableWeight(people.table, nullptr, options, {.threads = 2});
      SLUIS_ASSERT_OK(weight.status());
      options.stable_weight = *weight;
      const auto scorer = ScoreExhaustively(people.table, nullptr, {.threads = 2});
      const auto fit = FitRecordLevel(people.table, nullptr, *scorer, options);
      SLUIS_ASSERT_OK(fit.status());
      if (!fit->fit.credible) {
        EXPECT_TRUE(fit->pairs.empty());
        EXPECT_TRUE(fit->links.empty());
        EXPECT_FALSE(fit->fit.why_not.empty());
        continue;
      }
      double right = 0;
      for (const CandidatePair& link : fit->links) right += people.persons[link.a] == people.persons[link.b] ? 1 : 0;
      EXPECT_GT(overlap, 0);
      EXPECT_GE(right / static_cast<double>(fit->links.size()), fit->fit.precision.low - 0.1);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shares, Households, ::testing::Values(0.3, 1.0, 1.6));

}  // namespace
}  // namespace sluis::linker
