#include "linker/candidate/candidate_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "common/status/matchers.h"
#include "linker/candidate/bit_sampling.h"
#include "tests/linker/candidate/sources.h"

namespace sluis::linker {
namespace {

using common::testing::StatusIs;
using testing::AppendRow;
using testing::EmptyTable;
using ::testing::HasSubstr;
using testing::RandomTable;

CandidateOptions Lsh() {
  CandidateOptions options;
  options.exhaustive_pairs = 0;
  return options;
}

TEST(PlanCandidates, ComparesAllPairsWhereAffordable) {
  const EncodingTable a = RandomTable(256, 200, 0.3, 1);
  const EncodingTable b = RandomTable(256, 100, 0.3, 2);
  CandidateOptions options;
  options.exhaustive_pairs = 20'000;
  auto plan = PlanCandidates(a, b, options);
  SLUIS_ASSERT_OK(plan);
  EXPECT_TRUE(plan->exhaustive);
  EXPECT_EQ(plan->recall, 1);
  EXPECT_EQ(plan->dice_bound, 0u);
  options.exhaustive_pairs = 19'999;
  plan = PlanCandidates(a, b, options);
  SLUIS_ASSERT_OK(plan);
  EXPECT_FALSE(plan->exhaustive);
  EXPECT_GT(plan->tables, 0u);
  options.exhaustive_pairs = 19'900;  // 200 * 199 / 2
  plan = PlanDuplicates(a, options);
  SLUIS_ASSERT_OK(plan);
  EXPECT_TRUE(plan->exhaustive);
}

TEST(PlanCandidates, ReachesTheWantedRecallByTheFormula) {
  const EncodingTable a = RandomTable(512, 3000, 0.35, 3);
  const EncodingTable b = RandomTable(512, 3000, 0.35, 4);
  const candidate::Agreements agreements(candidate::BitWeights(a, b));
  for (const double recall : {0.5, 0.9, 0.99}) {
    for (const double bit_error : {0.05, 0.2}) {
      CandidateOptions options = Lsh();
      options.recall = recall;
      options.bit_error = bit_error;
      const auto plan = PlanCandidates(a, b, options);
      SLUIS_ASSERT_OK(plan);
      EXPECT_THAT(plan->warnings, ::testing::IsEmpty());
      EXPECT_GE(plan->recall, recall - 1e-12);
      EXPECT_NEAR(plan->recall, agreements.InAnyTable(1 - bit_error, plan->key_bits, plan->tables), 1e-12);
      // The least number of tables that reach it.
      EXPECT_LT(agreements.InAnyTable(1 - bit_error, plan->key_bits, plan->tables - 1), recall);
      // Independent bits of fill 0.35: strangers agree in 0.545 of them.
      EXPECT_NEAR(plan->expected_pairs / plan->tables / 9e6, std::pow(0.545, plan->key_bits),
                  0.5 * std::pow(0.545, plan->key_bits));
    }
  }
}

TEST(PlanCandidates, StaysWithinTheBudgetAndSaysWhatIsMissed) {
  const EncodingTable a = RandomTable(256, 2000, 0.3, 5);
  const EncodingTable b = RandomTable(256, 2000, 0.3, 6);
  CandidateOptions options = Lsh();
  options.recall = 0.99;
  options.bit_error = 0.3;
  options.pair_budget = 100'000;
  options.max_tables = 30;
  const auto plan = PlanCandidates(a, b, options);
  SLUIS_ASSERT_OK(plan);
  EXPECT_LE(plan->tables, 30u);
  EXPECT_LE(plan->expected_pairs, 100'000);
  EXPECT_LT(plan->recall, 0.99);
  EXPECT_THAT(plan->warnings, ::testing::ElementsAre(HasSubstr("instead of 0.99")));
}

TEST(PlanCandidates, LowersKeepToStayWithinMemory) {
  const EncodingTable a = RandomTable(64, 1000, 0.3, 7);
  const EncodingTable b = RandomTable(64, 500, 0.3, 8);
  CandidateOptions options = Lsh();
  auto plan = PlanCandidates(a, b, options);
  SLUIS_ASSERT_OK(plan);
  EXPECT_EQ(plan->keep, 32u);
  EXPECT_THAT(plan->warnings, ::testing::IsEmpty());
  const std::uint64_t full = plan->memory_bytes;
  EXPECT_GE(full, 1500u * 32 * 8);
  options.memory_bytes = full - 1;
  plan = PlanCandidates(a, b, options);
  SLUIS_ASSERT_OK(plan);
  EXPECT_EQ(plan->keep, 31u);
  EXPECT_LE(plan->memory_bytes, options.memory_bytes);
  EXPECT_THAT(plan->warnings, ::testing::ElementsAre(HasSubstr("31 candidates a row instead of 32")));
  options.memory_bytes = 1000;
  EXPECT_THAT(PlanCandidates(a, b, options), StatusIs(absl::StatusCode::kInvalidArgument, "memory_bytes"));
}

TEST(PlanCandidates, WarnsIfNoBitVaries) {
  EncodingTable a = EmptyTable(64);
  for (int r = 0; r < 100; ++r) {
    AppendRow(&a, {0xff});
  }
  const auto plan = PlanDuplicates(a, Lsh());
  SLUIS_ASSERT_OK(plan);
  EXPECT_EQ(plan->tables, 0u);
  EXPECT_THAT(plan->warnings, ::testing::ElementsAre(HasSubstr("no bit varies")));
}

TEST(PlanCandidates, DependsOnTheSeedOnlyThroughDraws) {
  const EncodingTable a = RandomTable(256, 2000, 0.3, 9);
  CandidateOptions options = Lsh();
  const auto first = PlanDuplicates(a, options);
  const auto second = PlanDuplicates(a, options);
  SLUIS_ASSERT_OK(first);
  SLUIS_ASSERT_OK(second);
  EXPECT_EQ(first->tables, second->tables);
  EXPECT_EQ(first->dice_bound, second->dice_bound);
  EXPECT_EQ(first->expected_pairs, second->expected_pairs);
}

TEST(PlanCandidates, AcceptsEmptyTables) {
  const EncodingTable empty = EmptyTable(128);
  const EncodingTable a = RandomTable(128, 10, 0.3, 10);
  SLUIS_EXPECT_OK(PlanCandidates(empty, a, Lsh()));
  SLUIS_EXPECT_OK(PlanCandidates(a, empty, Lsh()));
  SLUIS_EXPECT_OK(PlanDuplicates(empty, Lsh()));
}

TEST(PlanCandidates, RefusesBadArguments) {
  const EncodingTable a = RandomTable(128, 10, 0.3, 11);
  const EncodingTable wide = RandomTable(192, 10, 0.3, 12);
  const auto refused = [&](const char* fragment, auto change) {
    CandidateOptions options;
    change(&options);
    EXPECT_THAT(PlanCandidates(a, a, options), StatusIs(absl::StatusCode::kInvalidArgument, fragment));
  };
  EXPECT_THAT(PlanCandidates(a, wide), StatusIs(absl::StatusCode::kInvalidArgument, "encoding width"));
  refused("keep", [](CandidateOptions* options) { options->keep = 0; });
  refused("keep", [](CandidateOptions* options) { options->keep = 4097; });
  refused("recall", [](CandidateOptions* options) { options->recall = 1; });
  refused("recall", [](CandidateOptions* options) { options->recall = std::nan(""); });
  refused("bit_error", [](CandidateOptions* options) { options->bit_error = 0.5; });
  refused("max_tables", [](CandidateOptions* options) { options->max_tables = 0; });
}

}  // namespace
}  // namespace sluis::linker
