#pragma once

#include <cstdint>
#include <string_view>

// Citizen service numbers (BSN) of the synthetic country: nine digits that pass the Dutch eleven test.

namespace sluis::cli {

// How many different numbers there are: prefixes of seven digits that do not begin with 00, nine numbers for each.
inline constexpr std::uint64_t kBsnCount = 9'900'000ull * 9;

// Returns the number of person `index` < kBsnCount: a permutation keyed by `seed`, so that numbers are distinct without
// a list of those given away. An additive Feistel network over 9900 x 9000 (Black, Rogaway: Ciphers with arbitrary
// finite domains, CT-RSA 2002), then the index-th number that passes.
[[nodiscard]] std::uint32_t BsnOf(std::uint64_t seed, std::uint64_t index);

// True if `digits` is nine decimal digits with 9 d1 + 8 d2 + ... + 2 d8 - d9 divisible by 11.
[[nodiscard]] bool PassesElevenTest(std::string_view digits);

}  // namespace sluis::cli
