#include "linker/kernel/weighted.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <vector>

#include "common/status/matchers.h"
#include "tests/linker/kernel/tables.h"

namespace sluis::linker {
namespace {

using common::testing::StatusIs;
using testing::AppendRow;
using testing::EmptyTable;
using testing::RandomRow;
using testing::RandomTable;
using testing::SupportedKernels;

// Random weights that fill the budget of every byte to the last unit: every sum that could overflow comes as near as it
// may. One in `negative_every` is negative; 0: none.
std::vector<std::int32_t> FullWeights(std::uint32_t bits, std::uint32_t negative_every, std::mt19937_64* random) {
  std::vector<std::int32_t> weights(bits);
  for (std::uint32_t p = 0; p < bits / 8; ++p) {
    for (std::int32_t left = kMaxByteWeight; left > 0;) {
      const auto part = static_cast<std::int32_t>((*random)() % static_cast<std::uint64_t>(left)) + 1;
      weights[8 * p + (*random)() % 8] += part;
      left -= part;
    }
    for (std::uint32_t i = 8 * p; i < 8 * p + 8; ++i) {
      if (negative_every != 0 && (*random)() % negative_every == 0) {
        weights[i] = -weights[i];
      }
    }
  }
  return weights;
}

std::int32_t NaiveSum(std::span<const std::uint64_t> x, std::span<const std::uint64_t> y,
                      std::span<const std::int32_t> weights) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if ((x[i / 64] >> (i % 64) & 1) != 0 && (y[i / 64] >> (i % 64) & 1) != 0) {
      sum += weights[i];
    }
  }
  return sum;
}

void ExpectNaiveSums(const EncodingTable& a, const EncodingTable& b, const std::vector<std::int32_t>& raw) {
  const auto weights = BitWeights::Create(raw);
  SLUIS_ASSERT_OK(weights);
  std::vector<CandidatePair> pairs;
  std::vector<std::int32_t> expected;
  for (std::uint32_t i = 0; i < a.rows(); ++i) {
    for (std::uint32_t j = 0; j < b.rows(); ++j) {
      pairs.push_back({i, j});
      expected.push_back(NaiveSum(a.row(i), b.row(j), raw));
    }
  }
  for (const Kernel kernel : SupportedKernels()) {
    const auto sums = WeightedOverlaps(pairs, a, b, *weights, kernel);
    SLUIS_ASSERT_OK(sums);
    ASSERT_EQ(*sums, expected) << KernelName(kernel) << " pairs, " << a.bits() << " bits";

    const std::size_t begin = b.rows() > 3 ? 3 : 0;
    const auto block = WeightedBlock::Pack(b, begin, b.rows(), kernel);
    SLUIS_ASSERT_OK(block);
    std::vector<std::uint8_t> tables_0(block->table_bytes());
    std::vector<std::uint8_t> tables_1(block->table_bytes());
    std::vector<std::int32_t> sums_0(block->padded_rows());
    std::vector<std::int32_t> sums_1(block->padded_rows());
    for (std::size_t i = 0; i < a.rows(); ++i) {
      const std::size_t other = (i + 1) % a.rows();
      const std::int32_t base_0 = weights->WriteTables(a.row(i), tables_0.data());
      const std::int32_t base_1 = weights->WriteTables(a.row(other), tables_1.data());
      block->Sums(tables_0.data(), tables_1.data(), sums_0.data(), sums_1.data());
      for (std::size_t j = begin; j < b.rows(); ++j) {
        ASSERT_EQ(sums_0[j - begin] + base_0, expected[i * b.rows() + j]) << KernelName(kernel) << " " << a.bits();
        ASSERT_EQ(sums_1[j - begin] + base_1, expected[other * b.rows() + j]) << KernelName(kernel) << " " << a.bits();
      }
    }
  }
}

TEST(WeightedSums, EqualTheNaiveSumForAllKernelsWidthsAndRowCounts) {
  std::mt19937_64 random(5);
  for (const std::uint32_t bits : {64u, 128u, 448u, 1024u, 1088u, 2048u, 2112u, 4096u}) {
    for (const std::size_t rows : {std::size_t{1}, std::size_t{31}, std::size_t{131}}) {
      for (const std::uint32_t negative_every : {0u, 3u}) {
        ExpectNaiveSums(RandomTable(bits, 5, 0.5, bits), RandomTable(bits, rows, 0.4, bits + 1),
                        FullWeights(bits, negative_every, &random));
      }
    }
  }
}

TEST(WeightedSums, DoNotOverflowWhenAllBitsAreSetAndWeightsAreLargest) {
  std::mt19937_64 random(6);
  for (const std::uint32_t bits : {1024u, 2048u, 4096u}) {
    EncodingTable full = EmptyTable(bits);
    AppendRow(&full, std::vector<std::uint64_t>(bits / 64, ~std::uint64_t{0}));
    AppendRow(&full, std::vector<std::uint64_t>(bits / 64, 0));
    ExpectNaiveSums(full, full, FullWeights(bits, 0, &random));
    ExpectNaiveSums(full, full, FullWeights(bits, 1, &random));  // all negative
  }
}

TEST(WeightedSums, RefuseWeightsThatABytesSumCannotHold) {
  std::vector<std::int32_t> weights(1024);
  weights[16] = 200;
  weights[23] = -56;
  EXPECT_THAT(BitWeights::Create(weights), StatusIs(absl::StatusCode::kInvalidArgument, "byte 2"));
  weights[23] = -55;
  SLUIS_EXPECT_OK(BitWeights::Create(weights));
  EXPECT_THAT(BitWeights::Create(std::span(weights).first(100)),
              StatusIs(absl::StatusCode::kInvalidArgument, "multiple of 64"));
}

TEST(WeightedSums, RefuseTablesOfAnotherWidthAndRowsBeyondTheirTable) {
  const EncodingTable narrow = RandomTable(512, 2, 0.5, 1);
  const EncodingTable wide = RandomTable(1024, 2, 0.5, 1);
  const auto weights = BitWeights::Create(std::vector<std::int32_t>(1024, 1));
  SLUIS_ASSERT_OK(weights);
  const std::vector<CandidatePair> good = {{0, 1}};
  EXPECT_THAT(WeightedOverlaps(good, narrow, wide, *weights),
              StatusIs(absl::StatusCode::kInvalidArgument, "512 bits in table a"));
  const std::vector<CandidatePair> beyond = {{0, 1}, {0, 2}};
  EXPECT_THAT(WeightedOverlaps(beyond, wide, wide, *weights),
              StatusIs(absl::StatusCode::kInvalidArgument, "candidate pair 1"));
  EXPECT_THAT(WeightedBlock::Pack(wide, 1, 3), StatusIs(absl::StatusCode::kInvalidArgument, "rows to pack"));
}

}  // namespace
}  // namespace sluis::linker
