#include "disclosure/cell_key/perturb.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <string>

#include "common/status/matchers.h"
#include "disclosure/add_up/add_up.h"
#include "disclosure/system/table_shape.h"
#include "gtest/gtest.h"

namespace sluis::disclosure {
namespace {

using common::testing::StatusIs;

common::SecretBytes Secret(char filling = 's') {
  const std::string text(32, filling);
  return common::SecretBytes::CopyOf(common::AsBytes(text));
}

PerturbationTable Designed(const PerturbationDesign& design) {
  const auto table = DesignTable(design);
  EXPECT_THAT(table, common::testing::IsOk());
  return table.ok() ? *table : PerturbationTable{};
}

const PerturbationDesign kCounts = {.max_change = 5, .variance_milli = 2000, .gap = 2, .monotone = true};

TEST(RecordKeys, DependOnSecretAndRecordOnly) {
  const RecordKeyMaker one(Secret()), same(Secret()), other(Secret('t'));
  EXPECT_EQ(one.KeyOf("record 1"), same.KeyOf("record 1"));
  EXPECT_NE(one.KeyOf("record 1"), one.KeyOf("record 2"));
  EXPECT_NE(one.KeyOf("record 1"), other.KeyOf("record 1"));
}

TEST(SumRecordKeys, RefusesLeavesOutOfRange) {
  const std::vector<uint64_t> keys = {1, 2};
  EXPECT_THAT(SumRecordKeys(keys, std::vector<int32_t>{0, 3}, 3),
              StatusIs(absl::StatusCode::kInvalidArgument, "record 1"));
  EXPECT_THAT(SumRecordKeys(keys, std::vector<int32_t>{0}, 3),
              StatusIs(absl::StatusCode::kInvalidArgument, "one leaf for each record"));
}

// Two tables of the same records, one by region and sex, one by sex alone with the records in another order: every cell
// that is the same set of records has the same key, and so the same perturbed count.
TEST(PerturbCounts, GivesTheSameSetTheSameNoiseInEveryTable) {
  std::mt19937 random(1);
  const RecordKeyMaker maker(Secret());
  std::vector<uint64_t> keys;
  std::vector<int32_t> region, sex;
  for (int i = 0; i < 500; ++i) {
    keys.push_back(maker.KeyOf("person " + std::to_string(i)));
    region.push_back(std::uniform_int_distribution(0, 6)(random));
    sex.push_back(std::uniform_int_distribution(0, 1)(random));
  }
  // Table 1: region (total + 7) x sex (total + 2).
  const TableShape shape = TableShape::Create({{.parent = {-1, 0, 0, 0, 0, 0, 0, 0}}, {.parent = {-1, 0, 0}}}).value();
  const Relations relations = shape.BuildRelations();
  const auto order = OrderFromLeaves(relations, shape.num_cells());
  SLUIS_ASSERT_OK(order);
  std::vector<uint64_t> cell_keys(static_cast<size_t>(shape.num_cells()), 0);
  std::vector<int64_t> counts(cell_keys.size(), 0);
  std::vector<int32_t> cell_of_record;
  for (size_t i = 0; i < keys.size(); ++i) {
    const int32_t cell = shape.CellId(std::vector<int32_t>{region[i] + 1, sex[i] + 1});
    cell_of_record.push_back(cell);
    ++counts[static_cast<size_t>(cell)];
  }
  const auto leaf_keys = SumRecordKeys(keys, cell_of_record, shape.num_cells());
  SLUIS_ASSERT_OK(leaf_keys);
  cell_keys = *leaf_keys;
  AddUp<uint64_t>(relations, *order, cell_keys);
  AddUp<int64_t>(relations, *order, counts);
  // Table 2: sex alone, records sorted anew.
  std::vector<uint64_t> sex_keys(2, 0);
  std::vector<int64_t> sex_counts(2, 0);
  std::vector<size_t> shuffled(keys.size());
  std::iota(shuffled.begin(), shuffled.end(), size_t{0});
  std::shuffle(shuffled.begin(), shuffled.end(), random);
  for (const size_t i : shuffled) {
    sex_keys[static_cast<size_t>(sex[i])] += keys[i];
    ++sex_counts[static_cast<size_t>(sex[i])];
  }
  const PerturbationTable table = Designed(kCounts);
  const CellDraws draws(Secret(), "count");
  const auto first = PerturbCounts(counts, cell_keys, table, draws);
  const auto second = PerturbCounts(sex_counts, sex_keys, table, draws);
  SLUIS_ASSERT_OK(first);
  SLUIS_ASSERT_OK(second);
  for (int32_t s = 0; s < 2; ++s) {
    const auto total = static_cast<size_t>(shape.CellId(std::vector<int32_t>{0, s + 1}));
    EXPECT_EQ((*first)[total], (*second)[static_cast<size_t>(s)]);
  }
  // Another variable, or another secret, has other noise.
  const auto other = PerturbCounts(counts, cell_keys, table, CellDraws(Secret(), "wages"));
  const auto fresh = PerturbCounts(counts, cell_keys, table, CellDraws(Secret('t'), "count"));
  SLUIS_ASSERT_OK(other);
  SLUIS_ASSERT_OK(fresh);
  EXPECT_NE(*other, *first);
  EXPECT_NE(*fresh, *first);
}

// 200,000 sets of one size: each change's share is within 5 standard deviations of its probability. 9 rows of at most
// 11 changes: fewer than 100 comparisons, so that a right table fails with a probability below 100 * 6e-7 (over seeds).
TEST(PerturbCounts, DrawsEveryChangeAsOftenAsTheTableSays) {
  const PerturbationTable table = Designed(kCounts);
  const CellDraws draws(Secret(), "count");
  constexpr int kSets = 200'000;
  uint64_t key = 0;
  for (size_t r = 0; r < table.rows.size(); ++r) {
    std::vector<uint64_t> keys(kSets);
    for (uint64_t& k : keys) k = key += 0x9e3779b97f4a7c15;
    const std::vector<int64_t> counts(kSets, static_cast<int64_t>(r));
    const auto perturbed = PerturbCounts(counts, keys, table, draws);
    SLUIS_ASSERT_OK(perturbed);
    for (size_t k = 0; k < table.rows[r].change.size(); ++k) {
      const double p = static_cast<double>(table.rows[r].units[k]) / static_cast<double>(kWhole);
      const auto seen =
          std::count(perturbed->begin(), perturbed->end(), static_cast<int64_t>(r) + table.rows[r].change[k]);
      EXPECT_LE(std::abs(static_cast<double>(seen) - p * kSets), 5 * std::sqrt(p * (1 - p) * kSets)) << r << " " << k;
    }
    EXPECT_EQ(std::count(perturbed->begin(), perturbed->end(), 1), 0);
    EXPECT_EQ(std::count(perturbed->begin(), perturbed->end(), 2), 0);
  }
}

TEST(PerturbCounts, RefusesWhatItCannotPerturb) {
  const PerturbationTable table = Designed(kCounts);
  const CellDraws draws(Secret(), "count");
  const std::vector<uint64_t> keys = {1};
  EXPECT_THAT(PerturbCounts(std::vector<int64_t>{-1}, keys, table, draws),
              StatusIs(absl::StatusCode::kInvalidArgument, "cell 0"));
  EXPECT_THAT(PerturbCounts(std::vector<int64_t>{1, 2}, keys, table, draws),
              StatusIs(absl::StatusCode::kInvalidArgument, "one cell key"));
  PerturbationTable broken = table;
  ++broken.rows[4].units[0];
  EXPECT_THAT(PerturbCounts(std::vector<int64_t>{1}, keys, broken, draws),
              StatusIs(absl::StatusCode::kInvalidArgument, "row 4"));
  EXPECT_THAT(PerturbCounts(std::vector<int64_t>{1}, keys,
                            Designed({.max_change = 5, .steps = 2, .variance_milli = 2000}), draws),
              StatusIs(absl::StatusCode::kInvalidArgument, "for amounts"));
}

AmountNoise TwoShares() {
  return {.share_milli = {1000, 500},
          .width = {.small_milli = 250, .large_milli = 50, .flex_point = 1000, .flex_power = 3},
          .table = Designed({.max_change = 5, .steps = 5, .variance_milli = 2000})};
}

TEST(NoiseWidthAt, IsTheFlexFunction) {
  const NoiseWidth width = {.small_milli = 250, .large_milli = 50, .flex_point = 1000, .flex_power = 3};
  for (const int64_t x : {1L, 999L, 1000L, 1001L, 1500L, 10'000L, 1'000'000L, int64_t{1} << 50}) {
    const double f = 1000, s = .25, l = .05, v = static_cast<double>(x);
    const double expected = v <= f ? s : l * (1 + (s * v - l * f) / (l * f) * std::pow(2 * f / (f + v), 3));
    EXPECT_NEAR(static_cast<double>(NoiseWidthAt(width, x)) / (1 << 30), expected, 1e-7) << x;
  }
  EXPECT_EQ(NoiseWidthAt({.small_milli = 1000}, 5), int64_t{1} << 30);
}

// What a cell's noise is on average over all draws of the table, worked out without the code under test: every pair of
// neighbouring rows has mean 0, so that the mean is the total. Seen here over 100,000 keys: within 5 standard errors.
TEST(PerturbAmounts, IsUnbiasedAndAsWideAsDesigned) {
  const AmountNoise noise = TwoShares();
  const CellDraws draws(Secret(), "turnover");
  constexpr size_t kKeys = 100'000;
  struct Case {
    int64_t total, first, second;
  };
  for (const Case& c : {Case{1'000'000, 400'000, 90'000}, Case{700, 500, 200}, Case{7, 4, 2}}) {
    std::vector<int64_t> total(kKeys, c.total), contributors(kKeys, 5), top;
    std::vector<uint64_t> keys;
    for (size_t i = 0; i < kKeys; ++i) {
      top.insert(top.end(), {c.first, c.second});
      keys.push_back(i * 0x9e3779b97f4a7c15);
    }
    const auto result = PerturbAmounts(
        {.total = total, .contributors = contributors, .top_per_cell = 2, .top = top, .key = keys}, noise, draws);
    SLUIS_ASSERT_OK(result);
    double sum = 0, squares = 0;
    for (const int64_t value : *result) {
      EXPECT_GE(value, 0);
      sum += static_cast<double>(value - c.total);
      squares += static_cast<double>(value - c.total) * static_cast<double>(value - c.total);
    }
    const double mean = sum / kKeys, variance = squares / kKeys - mean * mean;
    EXPECT_LE(std::abs(mean), 5 * std::sqrt(variance / kKeys)) << c.total;
    // Shares above D rows: v has variance 2 where 1 / width >= 5; the widths are those of the flex function.
    if (c.total == 1'000'000) {
      const double w1 = static_cast<double>(NoiseWidthAt(noise.width, c.first)) / (1 << 30) * 400'000;
      const double w2 = static_cast<double>(NoiseWidthAt(noise.width, c.second)) / (1 << 30) * .5 * 90'000;
      const double expected = 2 * (w1 * w1 + w2 * w2);
      EXPECT_NEAR(variance / expected, 1, .03);
    }
  }
}

TEST(PerturbAmounts, KeepsTotalsOfNonNegativeAmountsNonNegative) {
  std::mt19937 random(2);
  AmountNoise noise = TwoShares();
  noise.sensitive_extra_milli = 3000;
  noise.small_cells = Designed({.max_change = 3, .variance_milli = 1000});
  const CellDraws draws(Secret(), "turnover");
  std::vector<int64_t> total, contributors, top;
  std::vector<uint64_t> keys;
  std::vector<uint8_t> sensitive;
  for (int i = 0; i < 20'000; ++i) {
    const int64_t scale = int64_t{1} << std::uniform_int_distribution(0, 48)(random);
    const int64_t first = std::uniform_int_distribution<int64_t>(0, scale)(random);
    const int64_t second = std::uniform_int_distribution<int64_t>(0, first)(random);
    const int64_t rest = std::uniform_int_distribution<int64_t>(0, second)(random);
    total.push_back(first + second + rest);
    contributors.push_back(first == 0 ? 0 : 3);
    top.insert(top.end(), {first, second});
    keys.push_back(random());
    sensitive.push_back(i % 2 == 0);
  }
  const AmountCells cells = {
      .total = total, .contributors = contributors, .top_per_cell = 2, .top = top, .key = keys, .sensitive = sensitive};
  const auto result = PerturbAmounts(cells, noise, draws);
  SLUIS_ASSERT_OK(result);
  for (size_t i = 0; i < total.size(); ++i) {
    EXPECT_GE((*result)[i], 0) << i;
    if (contributors[i] == 0) {
      EXPECT_EQ((*result)[i], total[i]);
    }
  }
}

TEST(PerturbAmounts, NeverLeavesASensitiveTotalAsItIs) {
  AmountNoise noise = TwoShares();
  noise.share_milli = {1000};
  noise.sensitive_extra_milli = 1000;
  const CellDraws draws(Secret(), "turnover");
  constexpr size_t kKeys = 5'000;
  const std::vector<int64_t> total(kKeys, 900'000), contributors(kKeys, 2), top(kKeys, 800'000);
  std::vector<uint64_t> keys(kKeys);
  std::iota(keys.begin(), keys.end(), uint64_t{1});
  const std::vector<uint8_t> sensitive(kKeys, 1);
  const auto result = PerturbAmounts({.total = total,
                                      .contributors = contributors,
                                      .top_per_cell = 1,
                                      .top = top,
                                      .key = keys,
                                      .sensitive = sensitive},
                                     noise, draws);
  SLUIS_ASSERT_OK(result);
  const auto width = static_cast<int64_t>(static_cast<double>(NoiseWidthAt(noise.width, 800'000)) / (1 << 30) * 8e5);
  int below = 0;
  for (const int64_t value : *result) {
    EXPECT_GE(std::abs(value - 900'000), width - 1);
    below += value < 900'000 ? 1 : 0;
  }
  EXPECT_NEAR(below, kKeys / 2.0, 5 * std::sqrt(kKeys / 4.0));
}

TEST(PerturbAmounts, UsesTheTableOfTheNumberOfContributorsAndOfSmallCells) {
  AmountNoise noise = TwoShares();
  noise.share_milli = {1000};
  noise.odd = Designed({.max_change = 5, .steps = 1, .variance_milli = 4000});
  noise.small_cells = Designed({.max_change = 2, .variance_milli = 1000});
  const CellDraws draws(Secret(), "turnover");
  // Separation point: sqrt(1) / .25 = 4. A largest contribution of 3 is small, one of 4 is not.
  const std::vector<int64_t> total = {1'000'000, 1'000'000, 50, 50}, contributors = {4, 5, 20, 20},
                             top = {500'000, 500'000, 3, 4};
  std::vector<int64_t> spread(4, 0);
  for (uint64_t key = 1; key < 3000; ++key) {
    const std::vector<uint64_t> keys(4, key * 0x9e3779b97f4a7c15);
    const auto result = PerturbAmounts(
        {.total = total, .contributors = contributors, .top_per_cell = 1, .top = top, .key = keys}, noise, draws);
    SLUIS_ASSERT_OK(result);
    for (size_t i = 0; i < 4; ++i) spread[i] = std::max(spread[i], std::abs((*result)[i] - total[i]));
    // The odd table moves by whole widths.
    const double width = static_cast<double>(NoiseWidthAt(noise.width, 500'000)) / (1 << 30) * 5e5;
    const double steps = static_cast<double>((*result)[1] - total[1]) / width;
    EXPECT_NEAR(steps, std::round(steps), 1e-3);
  }
  EXPECT_EQ(spread[2], 2);  // D of the table for small cells, in units of 1
  EXPECT_GT(spread[3], 2);
}

TEST(PerturbAmounts, RefusesParametersOutOfRange) {
  const CellDraws draws(Secret(), "turnover");
  const std::vector<int64_t> total = {5}, contributors = {1}, top = {5, 0};
  const std::vector<uint64_t> key = {1};
  AmountCells cells = {.total = total, .contributors = contributors, .top_per_cell = 2, .top = top, .key = key};
  const auto refused = [&](const AmountNoise& noise, const char* why) {
    EXPECT_THAT(PerturbAmounts(cells, noise, draws), StatusIs(absl::StatusCode::kInvalidArgument, why));
  };
  AmountNoise noise = TwoShares();
  SLUIS_EXPECT_OK(PerturbAmounts(cells, noise, draws));
  noise.share_milli = {};
  refused(noise, "number of shares");
  noise.share_milli = {1000, 1001};
  refused(noise, "share_milli: 1 .. 1000");
  noise.share_milli = {1000, 500, 200};
  refused(noise, "fewer contributions are known");
  noise = TwoShares();
  noise.width.flex_power = 1;
  refused(noise, "flex_power: 2 .. 8");
  noise = TwoShares();
  noise.odd = noise.table;
  refused(noise, "with a table for odd numbers: 1 .. 1");
  noise = TwoShares();
  noise.table.rows[1].units[0] += 1;
  refused(noise, "row 1");
  const std::vector<int64_t> rising = {4, 5};
  cells.top = rising;
  refused(TwoShares(), "cell 0: totals up to 2^50 and descending");
}

}  // namespace
}  // namespace sluis::disclosure
