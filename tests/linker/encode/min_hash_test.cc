#include "linker/encode/min_hash.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "common/crypto/crypto.h"

namespace sluis::linker {
namespace {

TEST(Exponential, IsMinusTheLogarithmOfWhatIsLeft) {
  EXPECT_EQ(Exponential(0), 0u);
  EXPECT_EQ(Exponential((1u << 31) - 1), 31u << 24);
  EXPECT_EQ(Exponential(1u << 30), 1u << 24);
  std::uint32_t previous = 0;
  for (std::uint64_t number = 0; number < (1ull << 31); number += 7919) {
    const std::uint32_t value = Exponential(static_cast<std::uint32_t>(number));
    ASSERT_GE(value, previous) << number;
    previous = value;
    const double exact = -std::log2(1 - static_cast<double>(number) / 2147483648.0);
    ASSERT_NEAR(value / 16777216.0, exact, 1.0 / (1 << 20)) << number;
  }
}

TEST(TabulationHash, XorsTheRowsThatTheSeedPicks) {
  const common::Hash256 seed = common::Sha256("tables"), token = common::Sha256("token");
  constexpr std::uint32_t kBits = 70;
  const TabulationHash hash(seed, kBits);
  std::vector<std::uint8_t> stream(8 * 256 * kBits * 4);
  common::ChaCha20Stream(seed, 0, stream);
  std::vector<std::uint32_t> minima(kBits, std::numeric_limits<std::uint32_t>::max());
  minima[3] = 0;  // nothing is less
  hash.LowerMinima(token, minima);
  for (std::size_t bit = 0; bit < kBits; ++bit) {
    std::uint32_t word = 0;
    for (std::size_t table = 0; table < 8; ++table) {
      const std::size_t at = 4 * ((table * 256 + token[table]) * kBits + bit);
      word ^= static_cast<std::uint32_t>(stream[at] | stream[at + 1] << 8 | stream[at + 2] << 16) |
              std::uint32_t{stream[at + 3]} << 24;
    }
    EXPECT_EQ(minima[bit], bit == 3 ? 0 : word) << bit;
  }
}

}  // namespace
}  // namespace sluis::linker
