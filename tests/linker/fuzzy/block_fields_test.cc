#include "linker/fuzzy/block_fields.h"

#include <gtest/gtest.h>

#include <random>

#include "common/status/matchers.h"

namespace sluis::linker {
namespace {

// 400 people in both sources, of whom b has new values in three of five fields: the two that are equal bring every one
// of them among the candidates, in whatever block of the nearest they would be lost.
TEST(BlockFields, BringsTogetherWhoSharesTwoDistinguishingFields) {
  constexpr std::size_t kPeople = 400;
  std::mt19937_64 random(1);
  std::vector<FieldColumn> a, b;
  MatchPlan plan;
  for (std::size_t field = 0; field < 5; ++field) {
    plan.encoding.features.push_back({.name = "field" + std::to_string(field)});
    a.push_back(*FieldColumn::Create(256));
    b.push_back(*FieldColumn::Create(256));
    for (std::size_t person = 0; person < kPeople; ++person) {
      std::vector<std::uint64_t> words(4);
      for (std::uint64_t& word : words) word = random() & random();
      SLUIS_ASSERT_OK(a.back().Append(words));
      if (field >= 2) {
        for (std::uint64_t& word : words) word = random() & random();
      }
      SLUIS_ASSERT_OK(b.back().Append(words));
    }
  }
  const auto candidates = BlockFields(a, b, plan, {.threads = 1}, 1);
  SLUIS_ASSERT_OK(candidates);
  ASSERT_EQ(candidates->stats.passes.size(), 1 + 10u);
  std::size_t found = 0;
  SLUIS_ASSERT_OK(candidates->VisitPairs([&](std::span<const CandidatePair> pairs) {
    for (const CandidatePair& pair : pairs) found += pair.a == pair.b ? 1 : 0;
    return absl::OkStatus();
  }));
  EXPECT_EQ(found, kPeople);
}

}  // namespace
}  // namespace sluis::linker
