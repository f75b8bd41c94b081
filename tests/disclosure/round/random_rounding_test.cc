#include "disclosure/round/random_rounding.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "common/status/matchers.h"
#include "gtest/gtest.h"

namespace sluis::disclosure {
namespace {

using common::testing::StatusIs;

CellDraws Draws(char filling = 's') {
  const std::string text(32, filling);
  return CellDraws(common::SecretBytes::CopyOf(common::AsBytes(text)), "count");
}

const std::vector<RoundingRange> kBase3 = {{.from = 0, .base = 3}};
const std::vector<RoundingRange> kGraduated = {{.from = 0, .base = 3},
                                               {.from = 19, .base = 2},
                                               {.from = 20, .base = 5},
                                               {.from = 100, .base = 10},
                                               {.from = 1000, .base = 100}};

// 90,000 sets a count. Standard error of the share that goes up: at most .5 / 300; 5 of them, over 5 * 8 shares.
TEST(RoundRandomly, IsUnbiased) {
  constexpr int kSets = 90'000;
  std::vector<uint64_t> keys(kSets);
  for (size_t i = 0; i < keys.size(); ++i) keys[i] = (i + 1) * 0x9e3779b97f4a7c15;
  const CellDraws draws = Draws();
  for (const int64_t count : {0, 1, 2, 3, 17, 19, 23, 107, 1234}) {
    const auto rounded = RoundRandomly(std::vector<int64_t>(kSets, count), keys, kGraduated, draws);
    SLUIS_ASSERT_OK(rounded);
    const auto range =
        std::find_if(kGraduated.rbegin(), kGraduated.rend(), [&](const RoundingRange& r) { return r.from <= count; });
    double sum = 0;
    for (const int64_t value : *rounded) {
      EXPECT_EQ(value % range->base, 0);
      EXPECT_LT(std::abs(value - count), range->base);
      sum += static_cast<double>(value - count);
    }
    EXPECT_LE(std::abs(sum / kSets), 5 * .5 / 300 * static_cast<double>(range->base)) << count;
    if (count % range->base == 0) {
      EXPECT_EQ(sum, 0);
    }
  }
}

TEST(RoundRandomly, DependsOnSecretAndSetOnly) {
  std::vector<uint64_t> keys(200);
  for (size_t i = 0; i < keys.size(); ++i) keys[i] = (i + 1) * 0x9e3779b97f4a7c15;
  const std::vector<int64_t> counts(keys.size(), 4);
  const auto first = RoundRandomly(counts, keys, kBase3, Draws());
  SLUIS_ASSERT_OK(first);
  // The same sets in another table, in another order.
  std::vector<uint64_t> reversed(keys.rbegin(), keys.rend());
  auto second = RoundRandomly(counts, reversed, kBase3, Draws());
  SLUIS_ASSERT_OK(second);
  std::reverse(second->begin(), second->end());
  EXPECT_EQ(*first, *second);
  const auto other = RoundRandomly(counts, keys, kBase3, Draws('t'));
  SLUIS_ASSERT_OK(other);
  EXPECT_NE(*first, *other);
}

TEST(RoundRandomly, RefusesBadRangesAndCounts) {
  const CellDraws draws = Draws();
  const std::vector<uint64_t> key = {1};
  const auto refused = [&](std::vector<int64_t> counts, std::vector<RoundingRange> ranges, const char* why) {
    EXPECT_THAT(RoundRandomly(counts, key, ranges, draws), StatusIs(absl::StatusCode::kInvalidArgument, why));
  };
  refused({1}, {}, "ranges from 0 on");
  refused({1}, {{.from = 1, .base = 3}}, "ranges from 0 on");
  refused({1}, {{.from = 0, .base = 1}}, "range 0");
  refused({1}, {{.from = 0, .base = 3}, {.from = 0, .base = 5}}, "range 1");
  refused({-1}, kBase3, "cell 0");
  refused({1, 2}, kBase3, "one cell key for each count");
}

}  // namespace
}  // namespace sluis::disclosure
