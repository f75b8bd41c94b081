#include "keys/oprf/batch_inversion.h"

#include <sodium.h>

#include <algorithm>

#include <string>
#include <vector>

#include "common/crypto/crypto.h"
#include "common/status/matchers.h"
#include "gtest/gtest.h"
#include "keys/oprf/suite.h"

namespace sluis::keys {
namespace {

using common::testing::StatusIs;

class InvertScalarsOfCount : public ::testing::TestWithParam<std::size_t> {};

// Oracle: libsodium's inversion of each scalar by itself.
TEST_P(InvertScalarsOfCount, EqualsInvertingOneByOne) {
  const std::size_t count = GetParam();
  std::vector<std::uint8_t> scalars(count * kScalarSize);
  for (std::size_t i = 0; i < count; ++i) {
    DrawRandomScalar(std::span(scalars).subspan(i * kScalarSize).first<kScalarSize>());
  }
  std::vector<std::uint8_t> expected(scalars.size());
  for (std::size_t i = 0; i < count; ++i) {
    ASSERT_EQ(crypto_core_ristretto255_scalar_invert(&expected[i * kScalarSize], &scalars[i * kScalarSize]), 0);
  }
  SLUIS_ASSERT_OK(InvertScalars(scalars));
  EXPECT_EQ(scalars, expected);
}
INSTANTIATE_TEST_SUITE_P(Counts, InvertScalarsOfCount, ::testing::Values(0, 1, 2, 3, 17, 1000));

TEST(InvertScalars, TakesEqualScalars) {
  std::vector<std::uint8_t> scalars(3 * kScalarSize);
  for (std::size_t i = 0; i < 3; ++i) {
    scalars[i * kScalarSize] = 2;
  }
  SLUIS_ASSERT_OK(InvertScalars(scalars));
  Scalar half{};
  Scalar two{2};
  ASSERT_EQ(crypto_core_ristretto255_scalar_invert(half.data(), two.data()), 0);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(std::equal(half.begin(), half.end(), scalars.begin() + static_cast<std::ptrdiff_t>(i * kScalarSize)));
  }
}

TEST(InvertScalars, NamesZeroAndChangesNothing) {
  common::InitCrypto();
  for (const std::size_t zero_at : {0, 3, 6}) {
    std::vector<std::uint8_t> scalars(7 * kScalarSize);
    for (std::size_t i = 0; i < 7; ++i) {
      scalars[i * kScalarSize] = static_cast<std::uint8_t>(i == zero_at ? 0 : i + 1);
    }
    const auto before = scalars;
    EXPECT_THAT(InvertScalars(scalars),
                StatusIs(absl::StatusCode::kInvalidArgument, "scalar " + std::to_string(zero_at) + " is zero"));
    EXPECT_EQ(scalars, before);
  }
}

// The group order itself (RFC 9496, section 4) is zero modulo the order.
TEST(InvertScalars, RefusesTheGroupOrder) {
  const auto order = common::HexDecode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  SLUIS_ASSERT_OK(order);
  std::vector<std::uint8_t> scalars(order->begin(), order->end());
  EXPECT_THAT(InvertScalars(scalars), StatusIs(absl::StatusCode::kInvalidArgument, "scalar 0 is zero"));
}

TEST(InvertScalars, RefusesAPartOfAScalar) {
  std::vector<std::uint8_t> scalars(33, 1);
  EXPECT_THAT(InvertScalars(scalars), StatusIs(absl::StatusCode::kInvalidArgument, "33 bytes"));
}

}  // namespace
}  // namespace sluis::keys
