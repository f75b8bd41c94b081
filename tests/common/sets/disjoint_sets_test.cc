#include "common/sets/disjoint_sets.h"

#include <algorithm>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace sluis::common {
namespace {

TEST(DisjointSets, EveryMemberBeginsAlone) {
  DisjointSets sets(3);
  EXPECT_EQ(sets.size(), 3u);
  for (std::uint32_t i = 0; i < 3; ++i) EXPECT_EQ(sets.Root(i), i);
}

// Against labels that are rewritten at each union.
TEST(DisjointSets, RootIsTheSmallestMemberWhateverTheOrder) {
  constexpr std::uint32_t kSize = 60;
  std::mt19937_64 random(7);
  for (int trial = 0; trial < 20; ++trial) {
    DisjointSets sets(kSize);
    std::vector<std::uint32_t> label(kSize);
    for (std::uint32_t i = 0; i < kSize; ++i) label[i] = i;
    for (int k = 0; k < 40; ++k) {
      const auto a = static_cast<std::uint32_t>(random() % kSize);
      const auto b = static_cast<std::uint32_t>(random() % kSize);
      sets.Unite(a, b);
      const std::uint32_t from = std::max(label[a], label[b]);
      std::replace(label.begin(), label.end(), from, std::min(label[a], label[b]));
    }
    for (std::uint32_t i = 0; i < kSize; ++i) EXPECT_EQ(sets.Root(i), label[i]);
  }
}

}  // namespace
}  // namespace sluis::common
