#include "linker/cluster/evaluate.h"

#include <random>
#include <vector>

#include "common/status/matchers.h"
#include "gtest/gtest.h"

namespace sluis::linker {
namespace {

using common::testing::StatusIs;
using Labels = std::vector<std::uint32_t>;

// The definitions, pair by pair and record by record.
PartitionQuality Naive(const Labels& found, const Labels& truth) {
  PartitionQuality result;
  double precision = 0;
  double recall = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    double same_found = 0;
    double same_true = 0;
    double same_both = 0;
    for (std::size_t j = 0; j < found.size(); ++j) {
      const bool in_found = found[i] == found[j];
      const bool in_truth = truth[i] == truth[j];
      same_found += in_found ? 1 : 0;
      same_true += in_truth ? 1 : 0;
      same_both += in_found && in_truth ? 1 : 0;
      if (i < j) {
        result.pairwise.found_pairs += in_found ? 1 : 0;
        result.pairwise.true_pairs += in_truth ? 1 : 0;
        result.pairwise.both += in_found && in_truth ? 1 : 0;
      }
    }
    precision += same_both / same_found / static_cast<double>(found.size());
    recall += same_both / same_true / static_cast<double>(found.size());
  }
  result.b_cubed = {precision, recall, 2 * precision * recall / (precision + recall)};
  return result;
}

TEST(EvaluatePartition, EqualsTheDefinitions) {
  std::mt19937 random(3);
  for (int round = 0; round < 300; ++round) {
    const std::size_t records = 1 + random() % 40;
    const std::uint32_t entities = 1 + random() % 30;
    Labels found;
    Labels truth;
    for (std::size_t i = 0; i < records; ++i) {
      truth.push_back(random() % entities * 1'000'003u);
      found.push_back(random() % 3 == 0 ? random() % entities : truth.back());
    }
    const absl::StatusOr<PartitionQuality> result = EvaluatePartition(found, truth);
    SLUIS_ASSERT_OK(result);
    const PartitionQuality naive = Naive(found, truth);
    EXPECT_EQ(result->pairwise.found_pairs, naive.pairwise.found_pairs);
    EXPECT_EQ(result->pairwise.true_pairs, naive.pairwise.true_pairs);
    EXPECT_EQ(result->pairwise.both, naive.pairwise.both);
    EXPECT_NEAR(result->b_cubed.precision, naive.b_cubed.precision, 1e-12);
    EXPECT_NEAR(result->b_cubed.recall, naive.b_cubed.recall, 1e-12);
    EXPECT_NEAR(result->b_cubed.f1, naive.b_cubed.f1, 1e-12);
  }
}

TEST(EvaluatePartition, ComputesAnExampleByHand) {
  // Found {0 1 2} {3 4}; true {0 1} {2 3 4}. Found pairs 4, true pairs 4, both 2.
  const absl::StatusOr<PartitionQuality> result = EvaluatePartition(Labels{7, 7, 7, 8, 8}, Labels{1, 1, 2, 2, 2});
  SLUIS_ASSERT_OK(result);
  EXPECT_DOUBLE_EQ(result->pairwise.quality.precision, 0.5);
  EXPECT_DOUBLE_EQ(result->pairwise.quality.recall, 0.5);
  EXPECT_DOUBLE_EQ(result->pairwise.quality.f1, 0.5);
  // Precision of records: 2/3 2/3 1/3 1 1; recall: 1 1 1/3 2/3 2/3.
  EXPECT_DOUBLE_EQ(result->b_cubed.precision, 11.0 / 15);
  EXPECT_DOUBLE_EQ(result->b_cubed.recall, 11.0 / 15);
}

TEST(EvaluatePartition, SaysOneWhereThereIsNothingToBeWrongAbout) {
  const absl::StatusOr<PartitionQuality> nothing = EvaluatePartition({}, {});
  SLUIS_ASSERT_OK(nothing);
  EXPECT_EQ(nothing->pairwise.quality.f1, 1);
  EXPECT_EQ(nothing->b_cubed.f1, 1);
  const absl::StatusOr<PartitionQuality> missed = EvaluatePartition(Labels{0, 1}, Labels{5, 5});
  SLUIS_ASSERT_OK(missed);
  EXPECT_EQ(missed->pairwise.quality.precision, 1);
  EXPECT_EQ(missed->pairwise.quality.recall, 0);
  EXPECT_EQ(missed->pairwise.quality.f1, 0);
}

TEST(EvaluatePartition, RefusesDifferentLengths) {
  EXPECT_THAT(EvaluatePartition(Labels{0}, Labels{0, 1}),
              StatusIs(absl::StatusCode::kInvalidArgument, "different lengths"));
}

}  // namespace
}  // namespace sluis::linker
