#include "cli/generate/bsn.h"

#include <algorithm>
#include <string>
#include <vector>

#include "cli/generate/identity.h"
#include "gtest/gtest.h"

namespace sluis::cli {
namespace {

TEST(BsnOf, PassesElevenTestAndHasNoLeadingPairOfZeros) {
  for (std::uint64_t index = 0; index < 200'000; ++index) {
    const std::string digits = BsnDigits(BsnOf(7, index * 445));
    ASSERT_TRUE(PassesElevenTest(digits)) << index;
    ASSERT_NE(digits.substr(0, 2), "00") << index;
  }
}

TEST(BsnOf, IsInjectiveOnRangesAtBothEnds) {
  std::vector<std::uint32_t> numbers;
  for (std::uint64_t i = 0; i < 500'000; ++i) {
    numbers.push_back(BsnOf(1, i));
    numbers.push_back(BsnOf(1, kBsnCount - 1 - i));
  }
  std::sort(numbers.begin(), numbers.end());
  EXPECT_EQ(std::adjacent_find(numbers.begin(), numbers.end()), numbers.end());
}

TEST(BsnOf, DependsOnSeed) {
  int equal = 0;
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    equal += BsnOf(1, i) == BsnOf(2, i) ? 1 : 0;
  }
  // Two random permutations of 89 million agree in 10,000 places once with probability 10^-4.
  EXPECT_LT(equal, 2);
}

TEST(PassesElevenTest, KnowsGoodAndBadNumbers) {
  EXPECT_TRUE(PassesElevenTest("111222333"));
  EXPECT_TRUE(PassesElevenTest("123456782"));
  EXPECT_FALSE(PassesElevenTest("123456789"));
  EXPECT_FALSE(PassesElevenTest("12345678"));
  EXPECT_FALSE(PassesElevenTest("12345678x"));
  EXPECT_FALSE(PassesElevenTest(""));
}

TEST(PassesElevenTest, RejectsEverySingleWrongDigitAndEverySwapOfNeighbours) {
  const std::string good = BsnDigits(BsnOf(3, 12345));
  for (std::size_t i = 0; i < 9; ++i) {
    for (char digit = '0'; digit <= '9'; ++digit) {
      std::string bad = good;
      bad[i] = digit;
      EXPECT_EQ(PassesElevenTest(bad), bad == good);
    }
    if (i < 8 && good[i] != good[i + 1]) {
      std::string bad = good;
      std::swap(bad[i], bad[i + 1]);
      EXPECT_FALSE(PassesElevenTest(bad));
    }
  }
}

}  // namespace
}  // namespace sluis::cli
