#include "disclosure/perturb/method.h"

#include <map>

#include "common/status/matchers.h"
#include "disclosure/perturb/perturb.h"

namespace sluis::disclosure {
namespace {

using common::testing::StatusIs;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

CellKeyAmountMethod Amounts() {
  return {.design = {.max_change = 2, .steps = 4, .variance_milli = 1000},
          .share_milli = {1000, 500},
          .width = {.small_milli = 200}};
}

TEST(ValidateMethod, NamesTheParameter) {
  const auto fails = [](const ProtectionMethod& method, const char* fragment) {
    EXPECT_THAT(ValidateMethod(method), StatusIs(kInvalid, fragment));
  };
  SLUIS_EXPECT_OK(ValidateMethod(ControlledRoundingMethod{.base = 5}));
  fails(ControlledRoundingMethod{.base = 1}, "base: 2 ..");
  fails(ControlledRoundingMethod{.base = 5, .max_steps = 4}, "max_steps");
  fails(SmallCountMethod{.base = 1001}, "base: 2 .. 1000");
  fails(RandomRoundingMethod{}, "ranges");
  fails(RandomRoundingMethod{{{0, 3}, {0, 5}}}, "ranges.from");
  fails(RandomRoundingMethod{{{0, 1}}}, "ranges.base");
  fails(RandomRoundingMethod{{{1, 3}}}, "the first from 0");
  SLUIS_EXPECT_OK(ValidateMethod(CellKeyCountMethod{{.max_change = 5, .variance_milli = 2001, .gap = 2}}));
  fails(CellKeyCountMethod{{.max_change = 5, .steps = 2, .variance_milli = 2001}}, "steps");
  fails(CellKeyCountMethod{{.max_change = 5, .variance_milli = 25'001}}, "variance");
  SLUIS_EXPECT_OK(ValidateMethod(Amounts()));
  CellKeyAmountMethod amounts = Amounts();
  amounts.share_milli = {900};
  fails(amounts, "share_milli");
  amounts = Amounts();
  amounts.share_milli = {};
  fails(amounts, "share_milli");
  amounts = Amounts();
  amounts.design.gap = 1;
  fails(amounts, "gap");
}

// Every count, rounded either way: the range of a published value is from the least to the largest that it can stand
// for.
TEST(IsForAmounts, ABaseIsForOneOfBoth) {
  EXPECT_TRUE(IsForCounts(ControlledRoundingMethod{.base = 5}));
  EXPECT_FALSE(IsForAmounts(ControlledRoundingMethod{.base = 5}));
  EXPECT_FALSE(IsForCounts(ControlledRoundingMethod{.base = 5'000, .amounts = true}));
  EXPECT_TRUE(IsForAmounts(ControlledRoundingMethod{.base = 5'000, .amounts = true}));
  EXPECT_FALSE(IsForAmounts(RandomRoundingMethod{{{0, 3}}}));
  EXPECT_TRUE(IsForAmounts(Amounts()));
}

TEST(RangeOfTrueValue, IsThatOfAllCountsThatRoundToIt) {
  const std::vector<RandomRoundingMethod> methods = {
      {{{0, 3}}}, {{{0, 3}, {19, 2}, {20, 5}, {100, 10}, {1000, 100}}}, {{{0, 7}, {20, 5}}}};
  for (const RandomRoundingMethod& method : methods) {
    std::map<int64_t, std::pair<int64_t, int64_t>> due;
    for (int64_t count = 0; count < 3000; ++count) {
      int64_t base = 0;
      for (const RoundingRange& range : method.ranges) base = count >= range.from ? range.base : base;
      for (const int64_t up : {0, 1}) {
        const int64_t published = count / base * base + (count % base == 0 ? 0 : up * base);
        const auto [found, first] = due.emplace(published, std::pair(count, count));
        found->second.second = count;
      }
    }
    for (const auto& [published, range] : due) {
      if (published > 2000) break;
      const ValueRange found = RangeOfTrueValue(method, 0, published, true);
      EXPECT_EQ(found.low, range.first) << published;
      EXPECT_EQ(found.high, range.second) << published;
    }
  }
}

TEST(RangeOfTrueValue, HoldsEveryValueThatTheMethodCanChangeIntoThePublishedOne) {
  const CellKeyCountMethod counts{{.max_change = 5, .variance_milli = 2001, .gap = 2}};
  const auto table = DesignTable(counts.design);
  SLUIS_ASSERT_OK(table);
  for (int64_t count = 0; count < 40; ++count) {
    const auto row = std::min<size_t>(static_cast<size_t>(count), table->rows.size() - 1);
    for (const int32_t change : table->rows[row].change) {
      const ValueRange range = RangeOfTrueValue(counts, 0, count + change, true);
      EXPECT_LE(range.low, count);
      EXPECT_GE(*range.high, count);
      EXPECT_LT(range.low, *range.high);
    }
  }
  // Amounts: draws of all kinds at cells of one, two and many contributors.
  const CellKeyAmountMethod amounts = Amounts();
  const auto noise = NoiseOf(amounts);
  SLUIS_ASSERT_OK(noise);
  const CellDraws draws(common::SecretBytes(16), "wages");
  for (uint64_t key = 0; key < 3000; ++key) {
    const int64_t first = 1 + static_cast<int64_t>(key * 7919 % 100'000);
    const int64_t second = key % 3 == 0 ? 0 : first / 2;
    const std::vector<int64_t> total = {first + second + static_cast<int64_t>(key % 5) * second};
    const std::vector<int64_t> contributors = {3}, top = {first, second};
    const std::vector<uint64_t> keys = {key};
    const auto published = PerturbAmounts(
        {.total = total, .contributors = contributors, .top_per_cell = 2, .top = top, .key = keys, .sensitive = {}},
        *noise, draws);
    SLUIS_ASSERT_OK(published);
    const ValueRange range = RangeOfTrueValue(amounts, 0, published->front(), true);
    ASSERT_LE(range.low, total[0]) << key;
    ASSERT_TRUE(range.high.has_value());
    ASSERT_GE(*range.high, total[0]) << key;
  }
}

TEST(RangeOfTrueValue, OfRoundingThatAddsUp) {
  const ControlledRoundingMethod controlled{.base = 5, .max_steps = 2};
  EXPECT_EQ(RangeOfTrueValue(controlled, 0, 10, true).low, 6);
  EXPECT_EQ(RangeOfTrueValue(controlled, 0, 10, true).high, 14);
  EXPECT_EQ(RangeOfTrueValue(controlled, 1, 10, false).high, 19);
  EXPECT_EQ(RangeOfTrueValue(controlled, 0, 0, true).low, 0);
  EXPECT_EQ(RangeOfTrueValue(controlled, 0, 5, true).low, 1);  // what was 0 is 0
  const SmallCountMethod small{.base = 3};
  EXPECT_EQ(RangeOfTrueValue(small, 0, 0, true).high, 2);
  EXPECT_EQ(RangeOfTrueValue(small, 0, 3, true).low, 1);
  EXPECT_EQ(RangeOfTrueValue(small, 0, 3, true).high, 3);
  EXPECT_EQ(RangeOfTrueValue(small, 0, 9, true).low, 9);
  EXPECT_FALSE(RangeOfTrueValue(small, 0, 9, false).high.has_value());
}

TEST(DescribeMethod, SaysWhatAReaderMayRelyOn) {
  EXPECT_EQ(DescribeMethod(ControlledRoundingMethod{.base = 5, .max_steps = 2}, 1),
            "controlled rounding: multiples of 5; adds up; each value less than 10 from the true one");
  EXPECT_EQ(DescribeMethod(RandomRoundingMethod{{{0, 3}, {20, 5}}}, 0),
            "random rounding: base 3, from 20 base 5; each value less than 5 from the true one; unbiased; does not add "
            "up; the same records always have the same value");
  // How strong the noise is stays with those who may read the rule set.
  const std::string noise = DescribeMethod(CellKeyCountMethod{{.max_change = 7, .variance_milli = 3000}}, 0);
  EXPECT_EQ(noise.find_first_of("0123456789"), std::string::npos) << noise;
}

}  // namespace
}  // namespace sluis::disclosure
