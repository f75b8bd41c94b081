#include "linker/score/compared_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "common/status/matchers.h"
#include "tests/linker/kernel/tables.h"

namespace sluis::linker {
namespace {

using testing::RandomTable;

constexpr std::size_t kPlaces = 10;

struct Fixture {
  EncodingTable a = RandomTable(256, 700, 0.3, 1);
  EncodingTable b = RandomTable(256, 1000, 0.4, 2);
  BitModel model = *BitModel::Prior(BitFrequencies(a), BitFrequencies(b));
  PairScorer scorer = *PairScorer::Make(model);
  BothLists all = *ScoreExhaustively(a, &b)->Top(scorer, kPlaces);
};

// Expects row `drawn` of `lists` to be row `row` of `expected`, give or take a step of rounding.
void ExpectSameList(const TopLists& lists, std::size_t drawn, const TopLists& expected, std::size_t row) {
  ASSERT_EQ(lists.k(), expected.k());
  for (std::size_t j = 0; j < lists.k(); ++j) {
    ASSERT_NEAR(lists.scores(drawn)[j], expected.scores(row)[j], 1);
  }
}

TEST(ComparedRows, HaveTheListsOfAllPairs) {
  const Fixture data;
  const auto rows = ComparedRows::Draw(data.a, data.b, 0, 3);
  SLUIS_ASSERT_OK(rows);
  ASSERT_EQ(rows->rows_a().size(), 500u);  // of 700
  ASSERT_EQ(rows->rows_b().size(), 715u);  // of 1000, the same share
  EXPECT_EQ(std::set(rows->rows_b().begin(), rows->rows_b().end()).size(), 715u);
  const auto lists = rows->Compare(data.model, kPlaces, {}, {}, data.all, {.threads = 2});
  SLUIS_ASSERT_OK(lists);
  std::size_t mutual = 0;
  for (std::size_t i = 0; i < 500; ++i) {
    const std::uint32_t row = rows->rows_a()[i];
    ExpectSameList(lists->a, i, data.all.a, row);
    EXPECT_TRUE(std::ranges::equal(lists->a.others(i), data.all.a.others(row)));
    const bool expected = data.all.b.others(data.all.a.others(row)[0])[0] == row;
    EXPECT_EQ(lists->mutual[i], expected);
    EXPECT_EQ(lists->candidate[i], expected);
    mutual += expected ? 1 : 0;
  }
  EXPECT_GT(mutual, 50u);
  EXPECT_EQ(lists->Found(kNoScore), 1);
  for (std::size_t i = 0; i < 715; ++i) {
    ExpectSameList(lists->b, i, data.all.b, rows->rows_b()[i]);
  }
}

TEST(ComparedRows, HaveControlsThatAreNotComparedWithThemselves) {
  const Fixture data;
  const auto rows = ComparedRows::Draw(data.a, data.b, 0, 3);
  SLUIS_ASSERT_OK(rows);
  const auto lists = rows->Compare(data.model, kPlaces, {}, {}, data.all, {.threads = 2});
  SLUIS_ASSERT_OK(lists);
  const auto expect = [&](const ControlLists& control, const EncodingTable& table, std::span<const std::uint32_t> drawn,
                          bool turned) {
    ASSERT_EQ(control.lists.rows(), 500u);
    EXPECT_EQ(control.others, table.rows() - 1);
    BitModel model = data.model;
    if (turned) std::swap(model.w10, model.w01);
    const auto all = ScoreExhaustively(table, &table)->Top(*PairScorer::Make(model), kPlaces + 1);
    SLUIS_ASSERT_OK(all);
    for (std::size_t i = 0; i < 500; ++i) {
      std::vector<std::uint32_t> others(all->a.others(drawn[i]).begin(), all->a.others(drawn[i]).end());
      std::erase(others, drawn[i]);
      others.resize(kPlaces);
      ASSERT_TRUE(std::ranges::equal(control.lists.others(i), others));
    }
  };
  expect(lists->controls.a, data.a, rows->rows_a(), true);
  expect(lists->controls.b, data.b, rows->rows_b(), false);
}

TEST(ComparedRows, GivePairsThatWereLearntFromTheirOwnScoresAndTellWhatBlockingMissed) {
  const Fixture data;
  const auto rows = ComparedRows::Draw(data.a, data.b, std::uint64_t{1} << 40, 3);
  SLUIS_ASSERT_OK(rows);
  ASSERT_EQ(rows->rows_a().size(), 700u);
  const std::uint32_t row = rows->rows_a()[5];
  const CandidatePair best{row, data.all.a.others(row)[0]};
  const std::int32_t lowered = data.all.a.scores(row)[kPlaces - 1] - 1;
  BothLists none{TopLists(700, kPlaces), TopLists(1000, kPlaces), 0};
  const auto lists = rows->Compare(data.model, kPlaces, std::span(&best, 1), std::span(&lowered, 1), none, {});
  SLUIS_ASSERT_OK(lists);
  EXPECT_EQ(lists->a.others(5)[kPlaces - 1], best.b);
  EXPECT_EQ(lists->a.scores(5)[kPlaces - 1], lowered);
  EXPECT_EQ(lists->a.others(5)[0], data.all.a.others(row)[1]);
  // Without candidates each is the best of its first, and none of them was found.
  EXPECT_TRUE(std::ranges::all_of(lists->mutual, [](bool mutual) { return mutual; }));
  EXPECT_DOUBLE_EQ(lists->Found(kNoScore), 1.0 / 701);
}

}  // namespace
}  // namespace sluis::linker
