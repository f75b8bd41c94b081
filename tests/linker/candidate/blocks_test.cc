#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "common/status/matchers.h"
#include "linker/candidate/candidates.h"
#include "tests/linker/candidate/sources.h"

// Blocks that must not be: of missing values, and too large.

namespace sluis::linker {
namespace {

using testing::AppendRow;
using testing::Dedupe;
using testing::EmptyTable;
using ::testing::HasSubstr;
using testing::Lsh;
using testing::MakeSources;
using testing::PairSet;
using testing::Planted;
using testing::RandomTable;
using testing::SetOf;
using testing::Sources;
using testing::TokensOnly;

TEST(Nulls, NeverBlock) {
  EncodingTable a = RandomTable(128, 500, 0.3, 36);
  EncodingTable b = RandomTable(128, 500, 0.3, 37);
  for (int r = 0; r < 500; ++r) {
    AppendRow(&a, {0, 0});
    AppendRow(&b, {0, 0});
  }
  const std::vector<std::uint64_t> tokens(1000, 0);
  const std::vector<std::uint64_t> equal_tokens(1000, 5);
  const auto plan = PlanCandidates(a, b, Lsh());
  SLUIS_ASSERT_OK(plan);
  const auto found = FindCandidates(
      a, b, std::vector<TokenPass>{{"missing", tokens, tokens}, {"equal", equal_tokens, equal_tokens}}, *plan);
  SLUIS_ASSERT_OK(found);
  EXPECT_EQ(found->stats.passes[0].blocks, 0u);
  EXPECT_EQ(found->stats.passes[0].pairs, 0u);
  EXPECT_EQ(found->stats.passes[1].largest_block, 1000u);  // rows without bits are not in it
  for (const auto& [row_a, row_b] : SetOf(*found)) {
    EXPECT_LT(row_a, 500u);
    EXPECT_LT(row_b, 500u);
  }

  EncodingTable all_null = EmptyTable(128);
  for (int r = 0; r < 300; ++r) {
    AppendRow(&all_null, {0, 0});
  }
  const auto none = Dedupe(all_null, Lsh());
  SLUIS_ASSERT_OK(none);
  EXPECT_TRUE(SetOf(*none).empty());
}

TEST(LargeBlocks, AreSplitAndKeepTheirNearPairs) {
  const Sources sources = MakeSources(256, 2000, 2000, 0.4, 2, 0.02, 38);
  const std::vector<std::uint64_t> one_token(2000, 42);
  CandidateOptions options = Lsh();
  options.max_token_block = 200;
  const auto plan = PlanCandidates(sources.a, sources.b, options);
  SLUIS_ASSERT_OK(plan);
  const CandidatePlan tokens_only = TokensOnly(*plan);
  const auto found =
      FindCandidates(sources.a, sources.b, std::vector<TokenPass>{{"one", one_token, one_token}}, tokens_only);
  SLUIS_ASSERT_OK(found);
  const PassStats& pass = found->stats.passes[0];
  EXPECT_EQ(pass.largest_block, 4000u);
  EXPECT_EQ(pass.split_blocks, 1u);
  EXPECT_EQ(pass.split_records, 4000u);
  EXPECT_EQ(pass.skipped_blocks, 0u);
  EXPECT_LE(pass.pairs, 4000u * 200 / 4);
  const PairSet pairs = SetOf(*found);
  double recalled = 0;
  for (const Planted& planted : sources.planted) {
    recalled += static_cast<double>(pairs.count({planted.a, planted.b}));
  }
  // Splitting 4,000 records down to 200 takes about 5 bits, few more than 8: 0.98^8 = 0.85.
  EXPECT_GT(recalled / static_cast<double>(sources.planted.size()), 0.8);
}

TEST(LargeBlocks, AreSkippedWithAWarningIfNothingSplitsThem) {
  EncodingTable a = RandomTable(128, 300, 0.3, 39);
  for (int r = 0; r < 100; ++r) {
    AppendRow(&a, {0xffff, 0xff});
  }
  std::vector<std::uint64_t> tokens(400, 0);
  std::fill(tokens.begin() + 300, tokens.end(), 7);
  CandidateOptions options = Lsh();
  options.max_token_block = 50;
  const auto plan = PlanDuplicates(a, options);
  SLUIS_ASSERT_OK(plan);
  const auto found = FindDuplicates(a, std::vector<TokenPass>{{"same", tokens, {}}}, TokensOnly(*plan));
  SLUIS_ASSERT_OK(found);
  EXPECT_EQ(found->stats.passes[0].skipped_blocks, 1u);
  EXPECT_EQ(found->stats.passes[0].skipped_records, 100u);
  EXPECT_EQ(found->stats.passes[0].pairs, 0u);
  EXPECT_THAT(found->stats.warnings, ::testing::Contains(HasSubstr("pass same: 1 blocks with 100 records")));
}

TEST(LargeBlocks, AMillionRecordsInOneBlockDoNotBlowUp) {
  constexpr std::size_t kRows = 500'000;
  std::mt19937_64 random(40);
  EncodingTable a = EmptyTable(128);
  EncodingTable b = EmptyTable(128);
  a.Reserve(kRows);
  b.Reserve(kRows);
  for (std::size_t r = 0; r < kRows; ++r) {
    const std::vector<std::uint64_t> row = {random() & random(), random() & random()};
    AppendRow(&a, row);
    AppendRow(&b, r % 2 == 0 ? row : std::vector<std::uint64_t>{random() & random(), random() & random()});
  }
  const std::vector<std::uint64_t> one_token(kRows, 1);
  CandidateOptions options = Lsh();
  options.keep = 4;
  options.max_token_block = 256;
  options.memory_bytes = 256 << 20;
  const auto plan = PlanCandidates(a, b, options);
  SLUIS_ASSERT_OK(plan);
  EXPECT_EQ(plan->keep, 4u);
  CandidatePlan tokens_only = *plan;
  tokens_only.tables = 0;
  const auto found = FindCandidates(a, b, std::vector<TokenPass>{{"one", one_token, one_token}}, tokens_only);
  SLUIS_ASSERT_OK(found);
  const PassStats& pass = found->stats.passes[0];
  EXPECT_EQ(pass.largest_block, 2 * kRows);
  EXPECT_EQ(pass.skipped_blocks, 0u);
  EXPECT_LE(pass.pairs, 2 * kRows * 256 / 4);
  std::size_t recalled = 0;
  for (std::size_t r = 0; r < kRows; r += 2) {
    recalled += !found->of_a.of(r).empty() && found->of_a.of(r).front().dice_units() == kDiceOne ? 1 : 0;
  }
  EXPECT_EQ(recalled, kRows / 2);  // equal encodings are never split from each other
}

}  // namespace
}  // namespace sluis::linker
