#include "linker/score/stable_weight.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <unordered_set>
#include <vector>

#include "common/status/matchers.h"
#include "tests/linker/score/made_up_people.h"

namespace sluis::linker {
namespace {

using testing::PeopleMaker;
using testing::PeopleRegister;
using testing::PeopleSettings;

RecordLevelOptions OptionsOf(const PeopleRegister& people, std::size_t first_null) {
  RecordLevelOptions options{.fit = {.first_null = first_null, .resamplings = 20}};
  options.stable_begin = people.stable_begin;
  return options;
}

double ChosenWeight(const PeopleRegister& a, const PeopleRegister* b, const RecordLevelOptions& options) {
  const auto weight = ChooseStableWeight(a.table, b == nullptr ? nullptr : &b->table, options, {.threads = 2});
  EXPECT_TRUE(weight.ok()) << weight.status();
  return weight.ok() ? *weight : -1;
}

struct Counts {
  double links = 0;
  double right = 0;
};

Counts LinksAt(double weight, const PeopleRegister& a, const PeopleRegister* b, RecordLevelOptions options) {
  options.stable_weight = weight;
  const PeopleRegister& other = b == nullptr ? a : *b;
  const auto scorer = ScoreExhaustively(a.table, b == nullptr ? nullptr : &b->table, {.threads = 2});
  const auto fit = FitRecordLevel(a.table, b == nullptr ? nullptr : &b->table, *scorer, options);
  EXPECT_TRUE(fit.ok()) << fit.status();
  Counts counts;
  if (!fit.ok()) return counts;
  for (const CandidatePair& link : fit->links) {
    counts.links += 1;
    counts.right += a.persons[link.a] == other.persons[link.b] ? 1 : 0;
  }
  return counts;
}

TEST(ChooseStableWeight, IsLargeWherePeopleMoveAndRelativesShareAnAddress) {
  const std::vector<PeopleRegister> registers =
      PeopleMaker({.rows = {800, 800}, .noise = 0.03, .household = 0.8, .moved = 0.4, .seed = 21}).Make();
  const RecordLevelOptions options = OptionsOf(registers[0], 2);
  const double weight = ChosenWeight(registers[0], &registers[1], options);
  EXPECT_GE(weight, 1);
  const Counts chosen = LinksAt(weight, registers[0], &registers[1], options);
  const Counts without = LinksAt(0, registers[0], &registers[1], options);
  EXPECT_GT(chosen.right, 0.9 * 400);  // movers among them
  EXPECT_GT(chosen.right / chosen.links, 0.95);
  EXPECT_GT(2 * chosen.right - chosen.links, 2 * without.right - without.links);
}

TEST(ChooseStableWeight, LosesNothingWhereNobodyMovesAndValuesAreDirty) {
  const std::vector<PeopleRegister> registers = PeopleMaker({.rows = {800, 800}, .noise = 0.35, .seed = 22}).Make();
  const RecordLevelOptions options = OptionsOf(registers[0], 2);
  const double weight = ChosenWeight(registers[0], &registers[1], options);
  EXPECT_LE(weight, 1);
  const Counts chosen = LinksAt(weight, registers[0], &registers[1], options);
  const Counts stable_alone = LinksAt(5, registers[0], &registers[1], options);
  EXPECT_GT(2 * chosen.right - chosen.links, 2 * stable_alone.right - stable_alone.links);
}

TEST(ChooseStableWeight, DoesNotTakeRelativesForOnePersonWithinASource) {
  // Two registers of the same households in one file: who is in both has two records, of whom a part have moved.
  const std::vector<PeopleRegister> registers =
      PeopleMaker({.rows = {700, 700}, .overlap = 0.15, .noise = 0.03, .household = 0.6, .moved = 0.1, .seed = 23})
          .Make();
  PeopleRegister all = registers[0];
  for (std::size_t row = 0; row < registers[1].persons.size(); ++row) {
    SLUIS_ASSERT_OK(all.table.Append(registers[1].table.row(row)));
    all.persons.push_back(registers[1].persons[row]);
  }
  const RecordLevelOptions options = OptionsOf(all, 8);
  const double weight = ChosenWeight(all, nullptr, options);
  EXPECT_GT(weight, 1);
  const Counts chosen = LinksAt(weight, all, nullptr, options);
  EXPECT_GT(chosen.right, 0.8 * 105);
  EXPECT_GT(chosen.right / chosen.links, 0.95);
}

TEST(ChooseStableWeight, IsOneWithoutAStableSectionOrACredibleWeight) {
  const std::vector<PeopleRegister> strangers = PeopleMaker({.rows = {200, 200}, .overlap = 0, .seed = 24}).Make();
  EXPECT_EQ(ChosenWeight(strangers[0], &strangers[1], OptionsOf(strangers[0], 2)), 1);
  RecordLevelOptions options = OptionsOf(strangers[0], 2);
  options.stable_begin = 0;
  EXPECT_EQ(ChosenWeight(strangers[0], &strangers[0], options), 1);
}

}  // namespace
}  // namespace sluis::linker
