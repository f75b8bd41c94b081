#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "linker/encode/token_cache.h"

namespace sluis::linker {

// Which of a value's tokens come first by their seeds. Sorting them took an eighth of an encoder's time, for the order
// is random each time and branches are mispredicted; counting the smaller ones takes none.
class TokenRanks {
 public:
  TokenRanks() = default;
  TokenRanks(const TokenRanks&) = delete;
  TokenRanks& operator=(const TokenRanks&) = delete;
  ~TokenRanks();

  // Returns for each token the number of tokens whose seeds are smaller (bytes compared from the first). Precondition:
  // all seeds differ. Valid until the next call. Cost: the square of the number of tokens up to 128, n log n above.
  std::span<const std::uint32_t> PlacesOf(std::span<CachedToken* const> tokens);

 private:
  void Sort(std::span<CachedToken* const> tokens);

  std::array<std::int32_t, 128> ranks_{};
  std::vector<std::uint32_t> places_, order_;
};

}  // namespace sluis::linker
