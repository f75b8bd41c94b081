#include "disclosure/table/tabulate.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "common/permit/permit.h"
#include "common/status/matchers.h"
#include "disclosure/table/hierarchy.h"
#include "disclosure/table/rollup.h"

namespace sluis::disclosure {
namespace {

using common::kMissingInteger;
using common::testing::StatusIs;
using ::testing::ElementsAre;

// Persons and rows drawn at random, and what a table of them must be by the plainest computation there is.
struct Sample {
  std::vector<std::uint8_t> first;
  std::vector<std::uint16_t> second;
  std::vector<std::uint8_t> third, selected;
  std::vector<std::int32_t> person;
  std::vector<std::int64_t> amount;
  std::vector<std::uint64_t> holding;

  TabulateInput Input() const {
    return {.persons = static_cast<std::int64_t>(first.size()),
            .selected = selected,
            .by = {{std::span<const std::uint8_t>(first), 4},
                   {std::span<const std::uint16_t>(second), 3},
                   {std::span<const std::uint8_t>(third), 2}},
            .amounts = {{.person = person, .amount = amount, .holding = holding}}};
  }
};

Sample Draw(std::uint64_t seed, int persons, int rows) {
  std::mt19937_64 random(seed);
  const auto below = [&](std::uint64_t n) { return random() % n; };
  Sample sample;
  for (int i = 0; i < persons; ++i) {
    sample.first.push_back(static_cast<std::uint8_t>(below(4) * below(4) / 3));
    sample.second.push_back(static_cast<std::uint16_t>(below(3)));
    sample.third.push_back(static_cast<std::uint8_t>(below(2)));
    sample.selected.push_back(below(10) != 0);
  }
  for (int i = 0; i < rows; ++i) {
    sample.person.push_back(static_cast<std::int32_t>(below(static_cast<std::uint64_t>(persons) + 1)) - 1);
    sample.amount.push_back(below(12) == 0 ? kMissingInteger : static_cast<std::int64_t>(below(1000)));
    sample.holding.push_back(below(8) == 0 ? 0 : 1'000'000 + below(15));
  }
  return sample;
}

std::vector<Hierarchy> Trees() {
  // Uneven depth: leaf d hangs directly below the total.
  return {*Hierarchy::Parse("code,parent,label\nT,,\nab,T,\na,ab,\nb,ab,\nx,T,\nc,x,\nd,T,\n", "one"),
          *Hierarchy::Parse("code,parent,label\nT,,\na,T,\nb,T,\nc,T,\n", "two"),
          *Hierarchy::Parse("code,parent,label\nT,,\na,T,\nb,T,\n", "three")};
}

struct OracleCell {
  std::int64_t count = 0, sum = 0;
  std::map<std::int64_t, std::int64_t> by_person;
  std::map<std::uint64_t, std::int64_t> by_holding;
};

std::vector<std::int64_t> Largest(const auto& contributions, int top) {
  std::vector<std::int64_t> amounts;
  for (const auto& [who, amount] : contributions) amounts.push_back(amount);
  std::sort(amounts.rbegin(), amounts.rend());
  amounts.resize(static_cast<std::size_t>(top));
  return amounts;
}

// Goes through all persons and rows for each node of each dimension.
std::vector<OracleCell> Oracle(const Sample& sample, const std::vector<Hierarchy>& trees) {
  std::vector<OracleCell> cells;
  for (const auto& a : trees[0].nodes()) {
    for (const auto& b : trees[1].nodes()) {
      for (const auto& c : trees[2].nodes()) {
        OracleCell cell;
        std::vector<bool> inside(sample.first.size());
        for (std::size_t i = 0; i < sample.first.size(); ++i) {
          inside[i] = sample.selected[i] != 0 && sample.first[i] >= a.leaf_begin && sample.first[i] < a.leaf_end &&
                      sample.second[i] >= b.leaf_begin && sample.second[i] < b.leaf_end &&
                      sample.third[i] >= c.leaf_begin && sample.third[i] < c.leaf_end;
          cell.count += inside[i];
        }
        for (std::size_t r = 0; r < sample.amount.size(); ++r) {
          const std::int64_t person = sample.person[r];
          if (person < 0 || sample.amount[r] == kMissingInteger || !inside[static_cast<std::size_t>(person)]) continue;
          cell.sum += sample.amount[r];
          cell.by_person[person] += sample.amount[r];
          cell.by_holding[sample.holding[r] != 0 ? sample.holding[r] : static_cast<std::uint64_t>(person) + 1] +=
              sample.amount[r];
        }
        cells.push_back(std::move(cell));
      }
    }
  }
  return cells;
}

void ExpectCubeIs(const Cube& cube, const std::vector<OracleCell>& expected) {
  ASSERT_EQ(cube.count.size(), expected.size());
  const CubeAmounts& amounts = cube.amounts[0];
  for (std::size_t i = 0; i < expected.size(); ++i) {
    SCOPED_TRACE(i);
    const auto top_at = [&](const std::vector<std::int64_t>& top) {
      const auto begin = top.begin() + static_cast<std::ptrdiff_t>(i) * cube.top;
      return std::vector<std::int64_t>(begin, begin + cube.top);
    };
    EXPECT_EQ(cube.count[i], expected[i].count);
    EXPECT_EQ(amounts.sum[i], expected[i].sum);
    EXPECT_EQ(amounts.persons[i], static_cast<std::int64_t>(expected[i].by_person.size()));
    EXPECT_EQ(amounts.holdings[i], static_cast<std::int64_t>(expected[i].by_holding.size()));
    EXPECT_EQ(top_at(amounts.top_by_person), Largest(expected[i].by_person, cube.top));
    EXPECT_EQ(top_at(amounts.top_by_holding), Largest(expected[i].by_holding, cube.top));
  }
}

TEST(TabulateAndRollUp, AgreeWithTheOracleForAnyThreads) {
  const std::vector<Hierarchy> trees = Trees();
  const std::vector<const Hierarchy*> pointers = {&trees[0], &trees[1], &trees[2]};
  for (const std::uint64_t seed : {1, 2, 3, 4, 5}) {
    const Sample sample = Draw(seed, 300, 700);
    const std::vector<OracleCell> expected = Oracle(sample, trees);
    for (const int threads : {1, 2, 5}) {
      for (const int top : {1, 2, 4}) {
        const auto leaf = Tabulate(sample.Input(), {.threads = threads, .top = top});
        SLUIS_ASSERT_OK(leaf);
        const auto cube = RollUp(*leaf, pointers, threads);
        SLUIS_ASSERT_OK(cube);
        ExpectCubeIs(*cube, expected);
      }
    }
  }
}

// More persons than one block of the loop, so that block and thread boundaries are crossed; counts and sums survive any
// way of splitting them.
TEST(Tabulate, ConservesPersonsAndAmounts) {
  const Sample sample = Draw(7, 20'000, 30'000);
  std::int64_t persons = 0, sum = 0;
  for (const std::uint8_t selected : sample.selected) persons += selected;
  for (std::size_t r = 0; r < sample.amount.size(); ++r) {
    if (sample.person[r] >= 0 && sample.selected[static_cast<std::size_t>(sample.person[r])] != 0 &&
        sample.amount[r] != kMissingInteger) {
      sum += sample.amount[r];
    }
  }
  const auto leaf = Tabulate(sample.Input(), {.threads = 3, .top = 2});
  SLUIS_ASSERT_OK(leaf);
  std::int64_t counted = 0, summed = 0, by_holding = 0;
  for (const std::int64_t count : leaf->count) counted += count;
  for (const std::int64_t cell : leaf->amounts[0].sum) summed += cell;
  for (std::size_t c = 0; c < leaf->count.size(); ++c) {
    for (std::int64_t i = leaf->amounts[0].begin[c]; i < leaf->amounts[0].end[c]; ++i) {
      by_holding += leaf->amounts[0].by_holding[static_cast<std::size_t>(i)].sum;
    }
  }
  EXPECT_EQ(counted, persons);
  EXPECT_EQ(summed, sum);
  EXPECT_EQ(by_holding, sum);
}

TEST(RollUp, MergesHoldingsRatherThanTheirLargest) {
  // Holding 9 is second in both leaves and first in their total.
  const std::vector<std::uint8_t> leaf_of = {0, 0, 1, 1};
  const std::vector<std::int64_t> amount = {50, 40, 45, 40};
  const std::vector<std::uint64_t> holding = {7, 9, 8, 9};
  const auto leaf = Tabulate({.persons = 4,
                              .by = {{std::span<const std::uint8_t>(leaf_of), 2}},
                              .amounts = {{.amount = amount, .holding = holding}}},
                             {.threads = 2, .top = 1});
  SLUIS_ASSERT_OK(leaf);
  const Hierarchy tree = *Hierarchy::Parse("code,parent,label\nT,,\na,T,\nb,T,\n", "h");
  const std::vector<const Hierarchy*> trees = {&tree};
  const auto cube = RollUp(*leaf, trees, 1);
  SLUIS_ASSERT_OK(cube);
  EXPECT_THAT(cube->amounts[0].top_by_holding, ElementsAre(80, 50, 45));
  EXPECT_THAT(cube->amounts[0].top_by_person, ElementsAre(50, 50, 45));
  EXPECT_THAT(cube->amounts[0].holdings, ElementsAre(3, 2, 2));
}

TEST(Tabulate, HandlesNobodyAndNoAmounts) {
  const auto leaf = Tabulate({.persons = 0, .by = {{std::span<const std::uint8_t>(), 3}}}, {});
  SLUIS_ASSERT_OK(leaf);
  EXPECT_THAT(leaf->count, ElementsAre(0, 0, 0));
  const Hierarchy tree = *Hierarchy::Parse("code,parent,label\nT,,\na,T,\nb,T,\nc,T,\n", "h");
  const std::vector<const Hierarchy*> trees = {&tree};
  const auto cube = RollUp(*leaf, trees, 2);
  SLUIS_ASSERT_OK(cube);
  EXPECT_THAT(cube->count, ElementsAre(0, 0, 0, 0));
}

TEST(Tabulate, RefusesBadInput) {
  const std::vector<std::uint8_t> leaves = {0, 1, 2};
  const std::vector<std::int64_t> amount = {1, 2, 3}, negative = {1, -2, 3};
  const std::vector<std::int32_t> person = {0, 1, 3};
  const Classification by = {std::span<const std::uint8_t>(leaves), 3};
  const auto code = absl::StatusCode::kInvalidArgument;
  EXPECT_THAT(Tabulate({.persons = 3, .by = {{by.leaf_of_person, 2}}}, {}), StatusIs(code, "outside its range"));
  EXPECT_THAT(Tabulate({.persons = 2, .by = {by}}, {}), StatusIs(code, "classification 0: one entry a person"));
  EXPECT_THAT(Tabulate({.persons = 3, .by = {by}, .amounts = {{.amount = negative}}}, {}), StatusIs(code, "negative"));
  EXPECT_THAT(Tabulate({.persons = 3, .by = {by}, .amounts = {{.person = person, .amount = negative}}}, {}),
              StatusIs(code, "amount 0: row 1 is negative"));
  EXPECT_THAT(Tabulate({.persons = 3, .by = {by}, .amounts = {{.person = person, .amount = amount}}}, {}),
              StatusIs(code, "row 2 names a person"));
  EXPECT_THAT(Tabulate({.persons = 3, .by = {by}, .amounts = {{.amount = amount, .holding = {}}}}, {.threads = 0}),
              StatusIs(code, "threads"));
  EXPECT_THAT(Tabulate({.persons = 3, .by = {by, by}}, {.max_leaf_cells = 8}),
              StatusIs(absl::StatusCode::kResourceExhausted, "more than 8 leaf cells"));
}

TEST(Tabulate, SumsThatOverflowAreErrorsInAnyThread) {
  const std::vector<std::uint8_t> leaves = {0, 0};
  const std::vector<std::int64_t> amount = {INT64_MAX, 1};
  const Classification by = {std::span<const std::uint8_t>(leaves), 1};
  for (const int threads : {1, 2}) {
    EXPECT_THAT(Tabulate({.persons = 2, .by = {by}, .amounts = {{.amount = amount}}}, {.threads = threads}),
                StatusIs(absl::StatusCode::kOutOfRange, "above 2^63 - 1"));
  }
  const std::vector<std::uint8_t> apart = {0, 1};
  const auto leaf =
      Tabulate({.persons = 2, .by = {{std::span<const std::uint8_t>(apart), 2}}, .amounts = {{.amount = amount}}}, {});
  SLUIS_ASSERT_OK(leaf);
  const Hierarchy tree = *Hierarchy::Parse("code,parent,label\nT,,\na,T,\nb,T,\n", "h");
  const std::vector<const Hierarchy*> trees = {&tree};
  EXPECT_THAT(RollUp(*leaf, trees, 1), StatusIs(absl::StatusCode::kOutOfRange, "a total above 2^63 - 1"));
}

}  // namespace
}  // namespace sluis::disclosure
